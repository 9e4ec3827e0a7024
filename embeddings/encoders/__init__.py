"""Encoders: the protocol, and the registry of those that there are.

Two forms, because a query and the passage that answers it are not the same kind of text: encoders of the
E5 family mark them with a prefix (Wang et al. 2024, arXiv 2402.05672); others encode both alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32, `(n, dim)`, each row of Euclidean length 1."""


class EncoderError(Exception):
    """An encoder cannot be had: what was expected, what was found, what to do."""


@runtime_checkable
class Encoder(Protocol):
    """Text to unit vectors whose inner product is the similarity."""

    @property
    def name(self) -> str:
        """The name by which the operator chooses it."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same text would get another vector (model, weights, prefixes)."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode needs and their aspects: `(n_texts, dim)`; `(0, dim)` for no texts."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode passages and sentences of sources: `(n_texts, dim)`; `(0, dim)` for no texts."""
