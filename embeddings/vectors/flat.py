"""Exact neighbours with FAISS: every vector is compared, so nothing is missed.

Right up to some hundred thousand passages: on a slow core, a query over 20,000 vectors of 384 numbers takes
16 ms.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embeddings.encoders import Vectors
from embeddings.environment import environment, openmp_settings
from embeddings.vectors import Ids, VectorIndexError
from embeddings.vectors.sealed_file import AGAIN, check_seal, write_sealed

# On busy cores a query in 20,000 vectors took 32 ms without, 16 ms with.
with environment(openmp_settings()):
    import faiss

NORM_TOLERANCE = 1e-3
"""How far a length may be from 1: what half precision does to a unit vector stays under it."""

SCAN_BATCH = 16
"""Queries per FAISS call. From 20 on, FAISS goes over to a matrix product, in which two equal vectors can get
scores that differ in the last bit, by where they stand; below, equal vectors tie exactly."""


class FlatIndex:
    """Exact inner-product search over unit vectors under int64 ids.

    Any number of threads may read (`search`, `vectors_of`, …) at once; `add` and `remove` must not run beside
    them. Positions in FAISS are kept in the order of the ids, so a smaller id also has a smaller position.
    """

    def __init__(self, dim: int) -> None:
        if dim < 1:
            raise ValueError(f"expected a dimension of at least 1, found {dim}")
        self._flat = faiss.IndexFlatIP(dim)
        self._ids: Ids = np.empty(0, dtype=np.int64)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._flat.d)

    def __len__(self) -> int:
        """How many vectors are held."""
        return len(self._ids)

    def ids(self) -> Ids:
        """All ids, ascending: `(n,)`, a copy."""
        return self._ids.copy()

    def matrix(self) -> Vectors:
        """All vectors, in the order of `ids()`: `(n, dim)`, a copy."""
        return np.asarray(self._flat.reconstruct_n(0, len(self)), dtype=np.float32).reshape(
            len(self), self.dim
        )

    def vectors_of(self, ids: Ids) -> Vectors:
        """The vectors of `(n,)` ids, in their order: `(n, dim)`. An id that is not held raises `KeyError`."""
        wanted = _as_ids(ids)
        positions, held = self._positions(wanted)
        if not held.all():
            raise KeyError(f"expected ids that are held, found {_some(wanted[~held])}")
        if not len(wanted):
            return np.empty((0, self.dim), dtype=np.float32)
        return np.asarray(self._flat.reconstruct_batch(positions), dtype=np.float32)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Add `(n,)` ids with `(n, dim)` vectors, all of them or none.

        Raises `ValueError` for an id that is held or given twice, another shape, NaN or infinity, or a vector
        whose length is not 1.
        """
        new_ids = _as_ids(ids)
        rows = self._as_rows(vectors)
        if len(new_ids) != len(rows):
            raise ValueError(f"expected one vector an id, found {len(new_ids)} ids and {len(rows)} vectors")
        order = np.argsort(new_ids, kind="stable")
        new_ids, rows = new_ids[order], rows[order]
        twice = new_ids[1:][new_ids[1:] == new_ids[:-1]]
        if len(twice):
            raise ValueError(f"expected each id once, found more than once: {_some(twice)}")
        _, held = self._positions(new_ids)
        if held.any():
            raise ValueError(
                f"expected new ids, found already held: {_some(new_ids[held])}; remove them first"
            )
        lengths = np.linalg.norm(rows, axis=1)
        wrong = np.abs(lengths - 1.0) > NORM_TOLERANCE
        if wrong.any():
            raise ValueError(
                f"expected vectors of length 1, found {lengths[wrong][0]:.4f} for id {new_ids[wrong][0]}; "
                "normalise them first"
            )
        if len(self) and len(new_ids) and new_ids[0] < self._ids[-1]:
            all_ids = np.concatenate([self._ids, new_ids])
            order = np.argsort(all_ids, kind="stable")
            merged = np.concatenate([self.matrix(), rows])[order]
            self._flat.reset()
            self._flat.add(merged)
            self._ids = all_ids[order]
        elif len(new_ids):
            self._flat.add(rows)
            self._ids = np.concatenate([self._ids, new_ids])

    def remove(self, ids: Ids) -> int:
        """Remove these ids, unknown ones ignored; returns how many went."""
        gone = np.isin(self._ids, _as_ids(ids))
        if gone.any():
            self._flat.remove_ids(_selector(gone))
            self._ids = self._ids[~gone]
        return int(gone.sum())

    def search(
        self, queries: Vectors, k: int, allowed: Ids | None = None
    ) -> list[tuple[Ids, NDArray[np.float32]]]:
        """For each of `(n, dim)` queries: at most `k` `(ids, scores)`, best first, ties by id.

        `allowed` restricts the search to these ids, unknown ones ignored. Raises `ValueError` for `k` below 1,
        another shape, NaN or infinity.
        """
        if k < 1:
            raise ValueError(f"expected to ask for at least 1 neighbour, found {k}")
        rows = self._as_rows(queries)
        parameters = None
        reachable = len(self)
        if allowed is not None:
            mask = np.isin(self._ids, _as_ids(allowed))
            reachable = int(mask.sum())
            # As an argument, since setting `sel` afterwards would not keep the selector alive.
            parameters = faiss.SearchParameters(sel=_selector(mask))  # type: ignore[call-arg]
        if not reachable:
            return [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)) for _ in rows]
        # One more than asked shows whether the last place is tied; which of the tied FAISS returns is open.
        depth = min(k + 1, reachable)
        answers: list[tuple[Ids, NDArray[np.float32]]] = []
        for start in range(0, len(rows), SCAN_BATCH):
            batch = rows[start : start + SCAN_BATCH]
            scores, positions = self._flat.search(batch, depth, params=parameters)
            for i in range(len(batch)):
                row_scores, row_positions, row_depth = scores[i], positions[i], depth
                while row_depth > k and row_depth < reachable and row_scores[k - 1] == row_scores[-1]:
                    row_depth = min(row_depth * 4, reachable)
                    wider = self._flat.search(batch[i : i + 1], row_depth, params=parameters)
                    row_scores, row_positions = wider[0][0], wider[1][0]
                best = np.lexsort((row_positions, -row_scores))[:k]
                answers.append((self._ids[row_positions[best]], row_scores[best].astype(np.float32)))
        return answers

    def save(self, path: Path) -> None:
        """Write to `path` completely or not at all: a FAISS file (IndexIDMap2 over IndexFlatIP), then the seal.

        Raises `VectorIndexError` if the disk is full or the folder cannot be written.
        """
        whole = faiss.IndexIDMap2(faiss.IndexFlatIP(self.dim))
        if len(self):
            whole.add_with_ids(self.matrix(), self._ids)
        write_sealed(path, lambda temporary: faiss.write_index(whole, str(temporary)))

    @classmethod
    def load(cls, path: Path, dim: int | None = None) -> FlatIndex:
        """Read what `save` wrote; `dim` says which length of vector is expected, if that is known.

        Raises `VectorIndexError` if the file is missing, cut short, altered, of another format or dimension.
        """
        check_seal(path)
        try:
            whole = faiss.read_index(str(path))
        except RuntimeError as error:
            raise VectorIndexError(f"expected a FAISS index in {path}, found: {error}; {AGAIN}") from error
        if not isinstance(whole, faiss.IndexIDMap2):
            raise VectorIndexError(
                f"expected an IndexIDMap2 in {path}, found {type(whole).__name__}; {AGAIN}"
            )
        flat = faiss.downcast_index(whole.index)
        if not isinstance(flat, faiss.IndexFlatIP):
            raise VectorIndexError(
                f"expected an IndexIDMap2 over an IndexFlatIP in {path}, found one over a {type(flat).__name__}; "
                f"{AGAIN}"
            )
        if dim is not None and flat.d != dim:
            raise VectorIndexError(
                f"expected vectors of {dim} numbers in {path}, found {flat.d}: the index is of another encoder; "
                "build it again with this one"
            )
        index = cls(int(flat.d))
        if flat.ntotal:
            index.add(faiss.vector_to_array(whole.id_map), flat.reconstruct_n(0, flat.ntotal))
        return index

    def _positions(self, ids: Ids) -> tuple[Ids, NDArray[np.bool_]]:
        """Where each of `ids` stands in FAISS (meaningless where it is not held), and which are held."""
        if not len(self):
            return np.zeros(len(ids), dtype=np.int64), np.zeros(len(ids), dtype=np.bool_)
        positions = np.minimum(np.searchsorted(self._ids, ids), len(self) - 1)
        return positions.astype(np.int64), self._ids[positions] == ids

    def _as_rows(self, vectors: ArrayLike) -> Vectors:
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        if rows.ndim != 2 or rows.shape[1] != self.dim:
            raise ValueError(f"expected vectors of shape (n, {self.dim}), found {rows.shape}")
        if not np.isfinite(rows).all():
            raise ValueError("expected finite vectors, found NaN or infinity")
        return rows


def _as_ids(ids: ArrayLike) -> Ids:
    array = np.asarray(ids)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(f"expected integer ids of shape (n,), found {array.dtype} of shape {array.shape}")
    return array.astype(np.int64)


def _selector(mask: NDArray[np.bool_]) -> faiss.IDSelectorBitmap:
    """One bit a position: exact, and as quick for one allowed vector as for all but one."""
    bits = np.packbits(mask, bitorder="little")
    return faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg,arg-type]  # the stub knows the C++ form only


def _some(ids: Ids) -> str:
    shown = ", ".join(str(number) for number in ids[:5])
    return shown if len(ids) <= 5 else f"{shown} and {len(ids) - 5} more"
