"""One server, and one importer or index builder, for a data folder.

The lock is the operating system's (flock, through filelock): it goes when its holder dies, however that
happens. The file also carries the holder's process id, for the message that the second one gets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

LockName = Literal["serve", "write"]

_HOLDERS: dict[LockName, tuple[str, str]] = {
    "serve": (
        "the only server",
        "use that server, stop it first, or name another data folder with --data",
    ),
    "write": (
        "the only importer or index builder",
        "wait until it is done and run the command again, or stop it first",
    ),
}


class LockError(Exception):
    """Another process holds the lock, or the folder takes none; `pid` is the holder's where it is known."""

    def __init__(self, message: str, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


@dataclass(frozen=True, slots=True)
class HeldLock:
    """Proof that the caller holds this lock of this data folder."""

    data_folder: Path
    name: LockName


@contextmanager
def hold(data_folder: Path, name: LockName) -> Iterator[HeldLock]:
    """Hold `serve.lock` or `write.lock` of the data folder, which is made if need be; never waits.

    Raises:
        LockError: another process (or another part of this one) holds it, or the folder cannot be written.
    """
    path = data_folder / f"{name}.lock"
    try:
        data_folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=0, thread_local=False)
        lock.acquire()
    except Timeout as busy:
        role, advice = _HOLDERS[name]
        pid = holder(data_folder, name)
        who = f"process {pid}" if pid is not None else "another process"
        raise LockError(
            f"expected to be {role} on the data folder {data_folder}, but {who} holds {path.name}; {advice}",
            pid,
        ) from busy
    except OSError as error:
        raise LockError(
            f"expected a data folder that can be written, but {path} cannot be: {error.strerror}; "
            "name another one with --data, or give this user the right to write there"
        ) from error
    try:
        _write_pid(path)
        yield HeldLock(data_folder, name)
    finally:
        lock.release()


def holder(data_folder: Path, name: LockName) -> int | None:
    """Process id in the lock file: of the holder where the lock is held, else of the last one; None if unknown."""
    try:
        text = (data_folder / f"{name}.lock").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _write_pid(path: Path) -> None:
    try:
        path.write_text(f"{os.getpid()}\n", encoding="ascii")
    except OSError:
        # A full disk: the lock holds all the same, only its message will be poorer.
        return
