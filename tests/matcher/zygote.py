"""Real child processes that start in milliseconds: a warm process forks one for each job, and kills it if asked.

Importing the program takes seconds, so `Zygote` starts one interpreter that imports everything, starts no thread,
and forks. Jobs and answers are lines of JSON on its standard input and output. Run as a module it is that process.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).parents[2]
NOBODY = 65534
FILE_OPERATIONS = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.listdir", "os.scandir")
"""Audit events of the interpreter; what SQLite, FAISS and tantivy do with files is not among them."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a child does, and what happens to it.

    It imports the `collection`, or without one it indexes. It is killed (SIGKILL) after `kill_after_s`, or at its `kill_at_event`-th file operation (from 1) once the new index is being
    checked. `max_file_bytes` limits the size of every file it writes, `tmpfs_bytes` puts the index on a file
    system with so much free space, seen by the child alone, and `as_nobody` takes root's rights away.
    """

    data: str
    collection: str | None = None
    dim: int = 8
    kill_after_s: float | None = None
    kill_at_event: int | None = None
    max_file_bytes: int | None = None
    tmpfs_bytes: int | None = None
    as_nobody: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a child.

    `killed` says whether it was, `said` holds its report or its error, `events` counts its file operations, and
    `found` is the generation that it could open afterwards (or why it could not) and what lies in the index folder.
    """

    killed: bool
    elapsed_s: float
    said: str
    events: int
    found: str


class Zygote:
    """Runs jobs one after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.matcher.zygote"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def run(self, job: Job) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        return Outcome(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate(timeout=60)


def can_mount() -> bool:
    """Whether a child may have a file system of its own here (root in most containers and machines)."""
    probe = "import sys; from tests.matcher.zygote import mount_tmpfs; mount_tmpfs(sys.argv[1], 65536)"
    return subprocess.run([sys.executable, "-c", probe, str(ROOT / "tests")], cwd=ROOT, check=False,
                          stderr=subprocess.DEVNULL, timeout=60).returncode == 0  # fmt: skip


def mount_tmpfs(folder: str, size_bytes: int) -> None:
    """Put an empty file system of this size over a folder, for this process alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_mounts, private, recursive = 0x00020000, 1 << 18, 1 << 14
    for result in (
        libc.unshare(new_mounts),
        libc.mount(b"none", b"/", None, private | recursive, None),
        libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={size_bytes}".encode()),
    ):
        if result != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _restrict(job: Job, index: Path) -> None:
    """Set the limits of the job on this process."""
    if job.tmpfs_bytes is not None:
        aside = index.with_name("aside")
        shutil.copytree(index, aside)
        pages = sum(2 + path.stat().st_size // 4096 for path in aside.rglob("*"))
        mount_tmpfs(str(index), 4096 * pages + job.tmpfs_bytes)
        shutil.copytree(aside, index, dirs_exist_ok=True)
    if job.as_nobody:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    if job.max_file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job.max_file_bytes, resource.RLIM_INFINITY))


def _work(job: Job, events: list[int]) -> tuple[str, str]:
    """Do the job; returns what it said and what a reader finds afterwards, as this child sees it."""
    from corpora.connectors.collection import import_collection
    from corpora.database import DatabaseError, open_engine
    from matcher.generations import Generation, GenerationError
    from matcher.indexing import IndexingError, build_index
    from matcher.live import index_folder
    from matcher.locks import LockError
    from tests.fakes import BucketEncoder

    data = Path(job.data)
    index = index_folder(data)
    engine = open_engine(data / "kennismatch.sqlite")
    _restrict(job, index)
    finished = False

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event in FILE_OPERATIONS and not finished:
            events[0] += 1
            if events[0] == job.kill_at_event:
                os.kill(os.getpid(), signal.SIGKILL)

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "check" and not events:
            events.append(0)
            sys.addaudithook(audit)

    try:
        if job.collection is not None:
            return str(import_collection(engine, Path(job.collection))), ""
        said = build_index(engine, data, BucketEncoder(job.dim), progress).generation
    except (IndexingError, LockError, DatabaseError) as error:
        said = f"{type(error).__name__}: {error}"
    finished = True
    try:
        found = f"{Generation.open_current(data).name} {sorted(path.name for path in index.iterdir())}"
    except GenerationError as error:
        found = str(error)
    return said, found


def _run(job: Job, work: Callable[[Job, list[int]], tuple[str, str]]) -> Outcome:
    readable, writable = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(readable)
        status = 1
        try:
            events: list[int] = []
            said, found = work(job, events)
            os.write(writable, json.dumps([said, events[0] if events else 0, found]).encode())
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    os.close(writable)
    if job.kill_after_s is not None:
        time.sleep(max(0.0, job.kill_after_s - (time.monotonic() - started)))
        os.kill(child, signal.SIGKILL)
    answer = b""
    while part := os.read(readable, 65536):
        answer += part
    os.close(readable)
    _, status = os.waitpid(child, 0)
    elapsed_s = time.monotonic() - started
    said, events_seen, found = json.loads(answer) if answer else ("", 0, "")
    return Outcome(os.WIFSIGNALED(status), elapsed_s, said, events_seen, found)


def main(jobs: TextIO, answers: TextIO) -> None:
    """Serve jobs until the input ends."""
    import structlog

    import matcher.indexing
    from corpora.passages import split_profile
    from matcher.words import analyse
    from tests.fakes import sample_profile

    assert matcher.indexing is not None
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    # Dictionaries and rules are loaded once here, in plain Python, instead of in every child.
    for passage in split_profile(sample_profile(0)):
        analyse(passage.text, "en")
    for line in jobs:
        raw: dict[str, Any] = json.loads(line)
        answers.write(json.dumps(asdict(_run(Job(**raw), _work))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
