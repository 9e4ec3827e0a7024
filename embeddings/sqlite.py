"""The SQLite that is safe to write with: `from embeddings.sqlite import sqlite3`."""

from __future__ import annotations

import sqlite3 as system
from typing import TYPE_CHECKING, Any

__all__ = ["sqlite3"]

MINIMUM = (3, 51, 3)
"""Earlier ones can corrupt a database in WAL mode when several connections write and checkpoint at once."""


def _load() -> Any:
    """The system's SQLite where it is new enough, else the one that `pysqlite3` carries."""
    if system.sqlite_version_info >= MINIMUM:
        return system
    from pysqlite3 import dbapi2

    if dbapi2.sqlite_version_info < MINIMUM:
        raise ImportError(
            f"expected SQLite {'.'.join(map(str, MINIMUM))} or later, found {system.sqlite_version} in Python and "
            f"{dbapi2.sqlite_version} in pysqlite3; run: pip install --upgrade pysqlite3"
        )
    return dbapi2


if TYPE_CHECKING:
    import sqlite3
else:
    sqlite3 = _load()
