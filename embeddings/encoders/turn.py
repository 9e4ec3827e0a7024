"""Taking turns at an engine that should do one thing at a time."""

from __future__ import annotations

import threading
from types import TracebackType


class Turn:
    """A lock for `with` that a thread cannot take twice running while another waits.

    A plain lock can: the thread that lets go of it is awake and gets it again before the waiting one stirs, so
    that a query would wait for all of an index job instead of one batch of it.
    """

    def __init__(self) -> None:
        self._next = threading.Lock()
        self._engine = threading.Lock()

    def __enter__(self) -> None:
        with self._next:
            self._engine.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.release()
