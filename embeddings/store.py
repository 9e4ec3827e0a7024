"""The SQL of the vector cache: one SQLite file, `(encoder, key) -> float32 vector`."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.sqlite import sqlite3

Vector = NDArray[np.float32]

FORMAT = 1
APPLICATION_ID = 0x4B4D5643
"""`KMVC`: says that a SQLite file is a vector cache of ours."""

BUSY_SECONDS = 10.0
"""How long to wait for another process that writes; its writes take milliseconds."""

LOW_WATER = 0.9
"""How full a store is left by `prune`, so that it is not called again at once."""

_SCHEMA = f"""
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE encoders (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, used_at TEXT NOT NULL);
CREATE TABLE vectors (
    encoder INTEGER NOT NULL REFERENCES encoders (id), key BLOB NOT NULL, vector BLOB NOT NULL,
    checksum INTEGER NOT NULL, PRIMARY KEY (encoder, key)
);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
COMMIT;
"""

# SQLite's result codes for a file that is not what we wrote, by number, since neither module names all of them:
# ERROR (no such table), CORRUPT, SCHEMA, CONSTRAINT, MISMATCH, FORMAT, NOTADB; IOERR_SHORT_READ.
_DAMAGE = {1, 11, 17, 19, 20, 24, 26}
_SHORT_READ = 522


class StoreDamagedError(Exception):
    """The file is not what was written: not SQLite, cut short, altered, or of another format."""


class StoreUnavailableError(Exception):
    """The file cannot be used now: disk full, no access, locked."""


class VectorStore:
    """The file, open. Several processes may have it open at once, and several threads one object.

    Every method raises `StoreDamagedError` or `StoreUnavailableError`. Two processes must not create the file at
    the same moment.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        with self._attempt():
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            with self._attempt():
                self._open()
        except (StoreDamagedError, StoreUnavailableError):
            self._connection.close()
            raise

    def _open(self) -> None:
        application = self._number("PRAGMA application_id")
        version = self._number("PRAGMA user_version")
        if not self._number("SELECT count(*) FROM sqlite_master") and not application:
            self._connection.executescript(_SCHEMA)
        elif (application, version) != (APPLICATION_ID, FORMAT):
            raise StoreDamagedError(
                f"expected a vector cache of format {FORMAT}, found application id {application}, format {version}"
            )
        # A power cut may lose the last commits, never the file: these vectors can be made again.
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def count(self) -> int:
        """How many vectors are held, of all encoders."""
        with self._attempt():
            return self._number("SELECT count(*) FROM vectors")

    def get(self, fingerprint: str, keys: Iterable[bytes], dim: int) -> dict[bytes, Vector]:
        """The `(dim,)` vectors that are held under these keys."""
        found: dict[bytes, Vector] = {}
        with self._attempt():
            for key in keys:
                row = self._connection.execute(
                    "SELECT vector, checksum FROM vectors JOIN encoders ON encoders.id = encoder "
                    "WHERE fingerprint = ? AND key = ?",
                    (fingerprint, key),
                ).fetchone()
                if row is None:
                    continue
                blob, checksum = row
                if not isinstance(blob, bytes) or len(blob) != 4 * dim or zlib.crc32(blob) != checksum:
                    raise StoreDamagedError(
                        f"expected a vector of {4 * dim} bytes with checksum {checksum} under key {key.hex()}, "
                        f"found {blob[:8]!r}..."
                    )
                found[key] = np.frombuffer(blob, dtype="<f4").astype(np.float32)
        return found

    def put(self, fingerprint: str, vectors: Mapping[bytes, Vector]) -> None:
        """Keep these vectors in one commit; a key that is held already keeps its vector."""
        rows = [(key, vector.astype("<f4").tobytes()) for key, vector in vectors.items()]
        with self._attempt(), self._transaction():
            encoder = self._touch(fingerprint)
            self._connection.executemany(
                "INSERT OR IGNORE INTO vectors (encoder, key, vector, checksum) VALUES (?, ?, ?, ?)",
                [(encoder, key, blob, zlib.crc32(blob)) for key, blob in rows],
            )

    def touch(self, fingerprint: str) -> None:
        """Note that this encoder's vectors are in use, which `prune` goes by."""
        with self._attempt(), self._transaction():
            self._touch(fingerprint)

    def size(self) -> int:
        """Bytes in use, without pages that are free to be used again."""
        with self._attempt():
            pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
            return pages * self._number("PRAGMA page_size")

    def prune(self, max_bytes: int) -> int:
        """Remove vectors until `LOW_WATER` of `max_bytes` are in use, if more than `max_bytes` are.

        The encoder that was used longest ago goes first, whole; of the one used last, the oldest vectors. Returns
        how many vectors went.
        """
        removed = 0
        with self._attempt():
            while (size := self.size()) > (LOW_WATER if removed else 1.0) * max_bytes:
                with self._transaction():
                    gone = self._remove_oldest(1.0 - LOW_WATER * max_bytes / size)
                if not gone:
                    break
                removed += gone
            if removed:
                self._connection.execute("PRAGMA incremental_vacuum").fetchall()
        return removed

    def _remove_oldest(self, share: float) -> int:
        """Remove the encoder that was used longest ago; if it is the only one, this share of its vectors."""
        encoders = self._connection.execute(
            "SELECT encoders.id, count(vectors.key) FROM encoders LEFT JOIN vectors ON encoder = encoders.id "
            "GROUP BY encoders.id ORDER BY used_at"
        ).fetchall()
        if not encoders:
            return 0
        oldest, count = encoders[0]
        if len(encoders) > 1:
            self._connection.execute("DELETE FROM vectors WHERE encoder = ?", (oldest,))
            self._connection.execute("DELETE FROM encoders WHERE id = ?", (oldest,))
            return max(int(count), 1)
        return int(
            self._connection.execute(
                "DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors ORDER BY rowid LIMIT ?)",
                (int(count * share) + 1,),
            ).rowcount
        )

    def _touch(self, fingerprint: str) -> int:
        return self._number(
            "INSERT INTO encoders (fingerprint, used_at) VALUES (?, ?) "
            "ON CONFLICT (fingerprint) DO UPDATE SET used_at = excluded.used_at RETURNING id",
            (fingerprint, datetime.now(UTC).isoformat()),
        )

    def _number(self, statement: str, parameters: tuple[str, ...] = ()) -> int:
        rows = self._connection.execute(statement, parameters).fetchall()
        if len(rows) != 1 or not isinstance(rows[0][0], int):
            raise StoreDamagedError(f"expected one number, found {rows!r}")
        return rows[0][0]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        """One thread at a time; SQLite's errors become the two that callers tell apart."""
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                code = getattr(error, "sqlite_errorcode", 0)
                if code & 0xFF in _DAMAGE or code == _SHORT_READ:
                    raise StoreDamagedError(str(error)) from error
                raise StoreUnavailableError(str(error)) from error
            except UnicodeDecodeError as error:  # a damaged schema, quoted in SQLite's own message
                raise StoreDamagedError(str(error)) from error
