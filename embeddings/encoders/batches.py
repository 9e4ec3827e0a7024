"""Encoding in batches of texts of like length, one batch at a time over all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType

import numpy as np

from embeddings.encoders import EncoderError, Vectors


class Turn:
    """A lock for `with` that a thread cannot take twice running while another waits.

    A query beside an index job so waits for one batch, never more. With a plain lock, the job can get it again
    before the query stirs: on busy cores one of forty waited for five.
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


MAX_STRETCH = 1.6
"""How many times longer than its shortest a text of a batch may be: all are padded to the longest, so a whole need
beside its parts would make the parts as dear as itself."""


def _alike(texts: Sequence[str], size: int) -> list[list[int]]:
    """Places of the texts in batches of at most `size` of like length, shortest first."""
    batches: list[list[int]] = []
    for place in sorted(range(len(texts)), key=lambda i: len(texts[i])):
        newest = batches[-1] if batches else []
        if newest and len(newest) < size and len(texts[place]) <= MAX_STRETCH * len(texts[newest[0]]):
            newest.append(place)
        else:
            batches.append([place])
    return batches


def encode_by_length(
    texts: Sequence[str], dim: int, size: int, encode: Callable[[list[str]], Vectors], turn: Turn
) -> Vectors:
    """`encode` all `texts`, `size` at a time, shortest first; the vectors stand in the order of the texts.

    `encode` gets at most `size` texts and returns `(n, dim)`; each batch waits for its own turn. Raises
    `EncoderError` if a model answers with anything but finite vectors of length 1.
    """
    vectors = np.empty((len(texts), dim), dtype=np.float32)
    for batch in _alike(texts, size):
        with turn:
            vectors[batch] = encode([texts[i] for i in batch])
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1.0) < 1e-3))  # NaN is wrong too
    if len(wrong):
        raise EncoderError(
            f"expected vectors of length 1, found {lengths[wrong[0]]} for a text of {len(texts[wrong[0]])} "
            "characters: the model is damaged or of another kind; install it again or choose another"
        )
    return vectors
