"""How far long work is: kept for the pages, and shown on the terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Report = Callable[[str, int, int], None]
"""Called with the stage, what is done, and the total."""

STAGES = {
    "start": "Starting",
    "encoder": "Loading the language model",
    "import": "Importing profiles",
    "passages": "Cutting texts into passages",
    "lexical": "Indexing words",
    "embed": "Computing vectors of passages",
    "sentences": "Computing vectors of sentences",
    "check": "Checking the new index",
    "answer": "Answering needs",
}
"""What each stage is called on the terminal; pages have their own words."""

PLAIN_INTERVAL_S = 5.0
"""Time between two lines about one stage where the output is no terminal."""


@dataclass(frozen=True, slots=True)
class State:
    """Where the preparation is. `problem` is why it stopped, until it is tried again."""

    stage: str = "start"
    done: int = 0
    total: int = 0
    problem: str | None = None


class Board:
    """The latest state, for any thread to read; each change is also told to `also`."""

    def __init__(self, also: Report | None = None) -> None:
        self._lock = threading.Lock()
        self._state = State()
        self._also = also

    @property
    def state(self) -> State:
        """What was reported last."""
        with self._lock:
            return self._state

    def report(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Set the state."""
        with self._lock:
            self._state = State(stage, done, total)
        if self._also is not None:
            self._also(stage, done, total)

    def fail(self, problem: str) -> None:
        """Keep where it stopped, and why."""
        with self._lock:
            self._state = State(self._state.stage, self._state.done, self._state.total, problem)


class _PlainLines:
    """One line a stage, and one every few seconds while it lasts."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = ""
        self._told_at = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Print a line if there is something new to tell."""
        now = time.monotonic()
        finished = total > 0 and done >= total
        if stage == self._stage and not finished and now - self._told_at < PLAIN_INTERVAL_S:
            return
        self._stage, self._told_at = stage, now
        numbers = f": {done:,} of {total:,}" if total else ""
        self._console.print(f"{STAGES.get(stage, stage)}{numbers}", markup=False, highlight=False)


class _Bars:
    """A bar a stage, on a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Move the bar of this stage."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(STAGES.get(stage, stage), total=None)
        self._progress.update(self._tasks[stage], completed=done, total=total or None)


@contextmanager
def shown(console: Console | None = None) -> Iterator[Report]:
    """Show progress on standard error: bars on a terminal, plain lines elsewhere."""
    where = console or Console(stderr=True)
    if not where.is_terminal:
        yield _PlainLines(where)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=where) as progress:
        yield _Bars(progress)
