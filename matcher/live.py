"""Which generation is live: CURRENT names it, and is replaced by an atomic rename.

CURRENT has a second line after a roll-back: the generation that somebody went back from. A server that starts then
leaves the index as it is; `kennismatch index` brings it in line with the records again.

Generations are folders `g000001`, `g000002`, … below `index/`; while they are built they are called
`.building-…`, and nobody else looks at them. What a folder is opened as is the caller's business here.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from matcher.manifest import DamagedGenerationError, GenerationError, NoGenerationError, sync

log = structlog.get_logger(__name__)

CURRENT = "CURRENT"
BUILDING = ".building-"
_NAME = re.compile(r"g(\d{6,12})")
_NEW_CURRENT = ".CURRENT-new"

POLL_S = 0.5
"""How often a watcher looks at CURRENT; with an opening of up to 1.5 s a change is served within 2 s."""

RETRY_S = 30.0
"""How often a watcher tries again to open what it could not open, though CURRENT has not changed."""

Opened = TypeVar("Opened")


def index_folder(data_folder: Path) -> Path:
    """Where the generations of a data folder lie."""
    return data_folder / "index"


def number(name: str) -> int:
    """The number in the name of a generation; 0 for another name."""
    found = _NAME.fullmatch(name)
    return int(found.group(1)) if found else 0


def generation_names(data_folder: Path) -> list[str]:
    """The generations that lie there, by number, whole or not."""
    folder = index_folder(data_folder)
    names = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    return sorted((name for name in names if number(name)), key=number)


def live_name(data_folder: Path) -> str | None:
    """What CURRENT names; None if there is no CURRENT. Text that is no name comes back as "" (rubbish)."""
    lines = _current(data_folder)
    return lines if lines is None else next((line for line in lines[:1] if number(line)), "")


def rolled_back_from(data_folder: Path) -> str | None:
    """The generation that somebody went back from to the live one; None if nobody did, or has indexed since."""
    lines = _current(data_folder) or []
    return next((line for line in lines[1:2] if number(line)), None)


def _current(data_folder: Path) -> list[str] | None:
    """The lines of CURRENT; None if there is none."""
    try:
        text = (index_folder(data_folder) / CURRENT).read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    return text.strip().splitlines()


def resolve(data_folder: Path, open_folder: Callable[[Path], Opened]) -> tuple[str, Opened]:
    """Open the live generation, or where it is damaged the nearest earlier one that is whole.

    Raises:
        NoGenerationError: nothing has been indexed.
        GenerationError: no generation can be opened; says why the live one cannot.
    """
    folder = index_folder(data_folder)
    name = live_name(data_folder)
    others = _fallbacks(generation_names(data_folder), name)
    if name is None and not others:
        raise NoGenerationError(f"expected an index in {folder}, found none; run `kennismatch index`")
    try:
        if name:
            return name, open_folder(folder / name)
        found = "none" if name is None else "something else"
        raise DamagedGenerationError(
            f"expected the name of a generation in {folder / CURRENT}, found {found}; run `kennismatch index`"
        )
    except DamagedGenerationError as damage:
        for other in others:
            try:
                opened = open_folder(folder / other)
            except GenerationError as error:
                log.info("generation_not_usable", generation=other, problem=str(error))
                continue
            log.warning("generation_fallback", live=name, used=other, problem=str(damage))
            return other, opened
        raise


def _fallbacks(names: Collection[str], live: str | None) -> list[str]:
    """Other generations, the best first: those before the live one, newest first, then the rest, newest first."""
    limit = number(live) if live else 0
    return sorted(set(names) - {live}, key=lambda name: (bool(limit) and number(name) > limit, -number(name)))


def previous_name(data_folder: Path, name: str | None) -> str | None:
    """The newest generation before this one (before any, for None); None if there is none."""
    names = generation_names(data_folder)
    before = [other for other in names if not name or number(other) < number(name)]
    return before[-1] if before else None


def swap(data_folder: Path, name: str, back_from: str | None = None) -> None:
    """Make a generation the live one: all or nothing, and for good once this returns.

    `back_from` names the one that somebody goes back from: it stands in the second line.
    """
    folder = index_folder(data_folder)
    new = folder / _NEW_CURRENT
    with new.open("w", encoding="utf-8") as stream:
        stream.write(f"{name}\n{back_from or ''}".rstrip("\n") + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(folder / CURRENT)
    sync(folder)


def clear_unfinished(data_folder: Path) -> None:
    """Remove what a builder that died left behind. The caller holds the write lock."""
    folder = index_folder(data_folder)
    if folder.is_dir():
        for path in folder.glob(f"{BUILDING}*"):
            shutil.rmtree(path)
        (folder / _NEW_CURRENT).unlink(missing_ok=True)


def remove_generation(data_folder: Path, name: str) -> None:
    """Remove a generation; processes that have it open keep it. The caller holds the write lock.

    It is renamed first, so that nobody meets half of it.
    """
    folder = index_folder(data_folder)
    doomed = folder / f"{BUILDING}removed-{name}"
    (folder / name).rename(doomed)
    shutil.rmtree(doomed)


class GenerationWatcher(Generic[Opened]):
    """Holds the live generation open and goes over to a new one within seconds.

    A background thread looks at CURRENT every half second; where none was started, `current` does, at most that
    often. The new generation is opened beside the old one; readers get the one or the other, never a mixture. One
    that cannot be opened is told in `problem`, and the old one stays.
    """

    def __init__(
        self, data_folder: Path, open_folder: Callable[[Path], Opened], poll_s: float = POLL_S
    ) -> None:
        self._data_folder = data_folder
        self._open = open_folder
        self._poll_s = poll_s
        self._state: tuple[str, Opened] | None = None
        self._seen: object = object()
        self._checked_at = self._opened_at = float("-inf")
        self._checking = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.problem: GenerationError | None = None

    def start(self) -> None:
        """Look once, then go on looking in the background until `stop`."""
        self.check()
        self._thread = threading.Thread(target=self._watch, name="generation-watcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background thread."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def current(self) -> Opened | None:
        """What is open now; None while nothing can be opened (`problem` says why)."""
        # Where the thread runs, opening is its work: no request should wait for it while the old one can answer.
        watched = self._thread is not None and self._thread.is_alive()
        if self._state is None or not watched:
            self.check(wait=self._state is None)
        return self._state[1] if self._state else None

    @property
    def name(self) -> str | None:
        """Name of the generation that is open."""
        return self._state[0] if self._state else None

    def check(self, *, wait: bool = True) -> None:
        """Look at CURRENT now and open what it names, if that is new; without `wait`, leave it to who is at it."""
        if not self._checking.acquire(blocking=wait):
            return
        try:
            if time.monotonic() - self._checked_at < self._poll_s:
                return
            seen = self._look()
            again = self.problem is not None and time.monotonic() - self._opened_at >= RETRY_S
            if seen != self._seen or again:
                self._seen = seen
                self._reopen()
                self._opened_at = time.monotonic()
            self._checked_at = time.monotonic()
        finally:
            self._checking.release()

    def _look(self) -> tuple[int, int, str | None] | None:
        """Changes whenever CURRENT is replaced, even by the same name."""
        try:
            status = (index_folder(self._data_folder) / CURRENT).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, live_name(self._data_folder)

    def _reopen(self) -> None:
        try:
            self._state = resolve(self._data_folder, self._open)
            self.problem = None
            log.info("generation_opened", generation=self._state[0])
        except (GenerationError, OSError) as error:
            self.problem = error if isinstance(error, GenerationError) else GenerationError(str(error))
            log.warning("generation_not_opened", problem=str(error), kept=self.name)

    def _watch(self) -> None:
        while not self._stopped.wait(self._poll_s):
            self.check()
