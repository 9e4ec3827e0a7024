"""Vectors that were made before, kept in one SQLite file, so that nothing is encoded twice.

A key is the SHA-256 of the kind of text and the text, never the text. A vector still tells what its text is
about, so confidential text does not come here; needs never do.

The cache is a convenience. When it cannot be written, encoding goes on without it, with one warning. When the
file is damaged, it is set aside under another name, with a warning, and a new one is begun.
"""

from __future__ import annotations

import fcntl
import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, TypeVar

import numpy as np
import structlog

from embeddings.encoders import Encoder, Vectors
from embeddings.store import BUSY_SECONDS, StoreDamagedError, StoreUnavailableError, Vector, VectorStore

log = structlog.get_logger(__name__)

Found = TypeVar("Found")

MAX_BYTES = 4 * 2**30
"""About 2.4 million vectors of 384 numbers."""

BATCH = 64
"""Texts encoded between two commits, about 10 s of work: what a kill can lose."""


class VectorCache:
    """The vectors of any number of encoders, under their fingerprints; at most `max_bytes` of them.

    Several processes and threads may use one file. Nothing here raises for what is wrong with the file or the
    disk: a lookup then finds nothing, and the log has the warning.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = threading.RLock()
        self._guard: BinaryIO | None = None
        self._store: VectorStore | None = None
        self._open()

    def __enter__(self) -> VectorCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; afterwards nothing is found and nothing kept."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None
            if self._guard is not None:
                self._guard.close()
                self._guard = None

    def count(self) -> int:
        """How many vectors are held, of all encoders; 0 where there is no usable file."""
        return self._read(lambda store: store.count(), 0)

    def get(self, fingerprint: str, kind: str, texts: Sequence[str], dim: int) -> dict[str, Vector]:
        """Those of `texts` that have a vector, each with its `(dim,)` vector."""
        keys = {key_of(kind, text): text for text in texts}
        nothing: dict[bytes, Vector] = {}
        found = self._read(lambda store: store.get(fingerprint, keys, dim), nothing)
        return {keys[key]: vector for key, vector in found.items()}

    def put(self, fingerprint: str, kind: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Keep `(n, dim)` vectors of `n` texts, all in one commit or none."""
        self.adopt(fingerprint, {key_of(kind, text): row for text, row in zip(texts, vectors, strict=True)})

    def adopt(self, fingerprint: str, vectors: Mapping[bytes, Vector]) -> None:
        """Keep vectors that were made elsewhere under keys of `key_of`, in one commit; held ones stay as they are."""
        self._write(lambda store: store.put(fingerprint, vectors))
        self.prune(self._max_bytes)

    def touch(self, fingerprint: str) -> None:
        """Note that the vectors of this encoder are in use: `prune` takes those that are not, first."""
        self._write(lambda store: store.touch(fingerprint))

    def prune(self, max_bytes: int) -> None:
        """Make the vectors fit in `max_bytes`: those of the encoder used longest ago go first."""

        def remove(store: VectorStore) -> None:
            if store.size() > max_bytes and (removed := store.prune(max_bytes)):
                log.info("vector cache pruned", file=self._path.name, removed=removed, max_bytes=max_bytes)

        self._write(remove)

    def _write(self, action: Callable[[VectorStore], None]) -> None:
        with self._lock:
            if self._store is None:
                return
            try:
                action(self._store)
            except StoreDamagedError as error:
                self._open(error)
            except StoreUnavailableError as error:
                self._go_without(error)

    def _read(self, action: Callable[[VectorStore], Found], nothing: Found) -> Found:
        with self._lock:
            if self._store is None:
                return nothing
            try:
                return action(self._store)
            except StoreDamagedError as error:
                self._open(error)
            except StoreUnavailableError as error:
                self._go_without(error)
            return nothing

    def _open(self, damage: StoreDamagedError | None = None) -> None:
        """Open the file, or a new one if it shows or has shown `damage`.

        The lock on `<name>.lock` is shared by all that have the file open. Only who holds it alone may create the
        file or set it aside: a connection that stays behind would later take the new file's log for its own.
        """
        try:
            if self._store is not None:
                self._store.close()
                self._store = None
            if self._guard is None:
                self._guard = self._path.with_name(f"{self._path.name}.lock").open("ab")
            alone = _lock_alone(self._guard)
            if damage is None:
                try:
                    self._store = VectorStore(self._path)
                except StoreDamagedError as error:
                    damage = error
            if damage is not None:
                if not alone:
                    raise StoreUnavailableError(f"damaged ({damage}) and open in another process")
                self._set_aside(damage)
                self._store = VectorStore(self._path)
            fcntl.flock(self._guard, fcntl.LOCK_SH)
        except (OSError, StoreDamagedError, StoreUnavailableError) as error:
            self._go_without(error)
        except BaseException:
            self.close()  # or others would wait for the lock
            raise

    def _set_aside(self, damage: StoreDamagedError) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged")
        for suffix in ("", "-wal", "-shm"):
            part = self._path.with_name(self._path.name + suffix)
            if part.exists():
                part.replace(aside.with_name(aside.name + suffix))
        log.warning(
            "the vector cache is damaged: it was set aside and a new one begun, vectors are made again",
            file=str(self._path),
            set_aside_as=aside.name,
            found=str(damage),
        )

    def _go_without(self, error: Exception) -> None:
        log.warning(
            "the vector cache cannot be used: vectors are made again each time; make room or give write access, "
            "and start again",
            file=str(self._path),
            found=str(error),
        )
        self.close()


class CachedEncoder:
    """An encoder whose passages come from a cache where they have been encoded before. Queries never do."""

    def __init__(self, encoder: Encoder, cache: VectorCache) -> None:
        self._encoder = encoder
        self._cache = cache

    @property
    def name(self) -> str:
        """The name of the encoder inside."""
        return self._encoder.name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._encoder.dim

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the encoder inside."""
        return self._encoder.fingerprint

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode needs and their aspects, past the cache: `(n_texts, dim)`; needs may be confidential."""
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode passages and sentences of sources: `(n_texts, dim)`; `(0, dim)` for no texts."""
        return self.encode_passages_with_progress(texts, lambda done, total: None)

    def encode_passages_with_progress(
        self, texts: Sequence[str], progress: Callable[[int, int], None]
    ) -> Vectors:
        """The same; `progress(done, total)` is called at the start and after each batch, in different texts.

        Each batch is kept before the next begins, so that a run that was cut off goes on where it was.
        """
        different = list(dict.fromkeys(texts))
        self._cache.touch(self.fingerprint)
        known = self._cache.get(self.fingerprint, "passage", different, self.dim)
        missing = [text for text in different if text not in known]
        progress(len(known), len(different))
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            vectors = self._encoder.encode_passages(batch)
            self._cache.put(self.fingerprint, "passage", batch, vectors)
            known.update(zip(batch, vectors, strict=True))
            progress(len(known), len(different))
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        return np.stack([known[text] for text in texts])


def key_of(kind: str, text: str) -> bytes:
    """What stands in the file for a text of this kind: 32 bytes."""
    return hashlib.sha256(f"{kind}\0{text}".encode("utf-8", "surrogatepass")).digest()


def _lock_alone(guard: BinaryIO) -> bool:
    """Lock the file for oneself if nobody else has it locked (True), else share it with them (False).

    Who has it for itself is creating the file or setting it aside, which takes milliseconds. Raises
    `StoreUnavailableError` after `BUSY_SECONDS`.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        for kind in (fcntl.LOCK_EX, fcntl.LOCK_SH):
            try:
                fcntl.flock(guard, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return kind == fcntl.LOCK_EX
        if time.monotonic() > deadline:
            raise StoreUnavailableError(f"another process has held {guard.name} for {BUSY_SECONDS:.0f} s")
        time.sleep(0.02)
