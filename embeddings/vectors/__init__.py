"""Vector indexes: the protocol that FAISS (default) and any server implement."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from embeddings.encoders import Vectors

Ids = NDArray[np.int64]


class VectorIndexError(Exception):
    """A vector index cannot be read or written: what was expected, what was found, what to do."""


@runtime_checkable
class VectorIndex(Protocol):
    """Exact or approximate inner-product neighbours of unit vectors under integer ids."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    def __len__(self) -> int:
        """How many vectors are held."""

    def ids(self) -> Ids:
        """All ids, ascending: `(n,)`."""

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Add `(n,)` ids with `(n, dim)` vectors; an id that is held already raises `ValueError`."""

    def remove(self, ids: Ids) -> int:
        """Remove these ids, unknown ones ignored; returns how many went."""

    def search(
        self, queries: Vectors, k: int, allowed: Ids | None = None
    ) -> list[tuple[Ids, NDArray[np.float32]]]:
        """For each of `(n, dim)` queries: at most `k` `(ids, scores)`, best first, ties by id.

        `allowed` restricts the search to these ids; fewer than `k` come back where fewer are allowed.
        """

    def save(self, path: Path) -> None:
        """Write to `path` completely or not at all (temporary file, fsync, rename)."""
