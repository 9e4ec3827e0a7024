"""Encoders on ONNX Runtime: a folder with a graph, a tokenizer and a manifest. Neither torch nor transformers."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from onnxruntime.capi import (  # type: ignore[import-untyped]
    onnxruntime_pybind11_state as failures,
)
from tokenizers import Tokenizer

from embeddings.encoders import EncoderError, Vectors
from embeddings.encoders.batches import Turn, encode_by_length
from embeddings.encoders.text import clean

SHIPPED = Path(__file__).with_name("shipped")
"""The folder of the model that comes with the product."""

MANIFEST = "manifest.json"
GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
PAD = "<pad>"

MAX_TOKENS = 512
"""Positions that the model has. A longer text is cut there, end mark kept; passages are far shorter."""

MAX_CHARACTERS = 4_000
"""Bound on what the tokenizer reads: more than 512 tokens of prose are, less than 100,000 words cost."""

BATCH = 8
"""Texts per call of the engine, so that a query that comes in during an index job waits for few passages only."""

REPAIR = "restore the folder from the repository (git checkout -- embeddings/encoders/shipped) or build it as docs/model-card.md says"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the folder says of itself."""

    name: str
    dim: int
    query_prefix: str
    passage_prefix: str
    sha256: dict[str, str]

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read `manifest.json`. Raises `EncoderError` if it is missing or says too little."""
        path = folder / MANIFEST
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                str(said["name"]),
                int(said["dim"]),
                str(said["prefixes"]["query"]),
                str(said["prefixes"]["passage"]),
                {name: str(said["sha256"][name]) for name in (GRAPH, TOKENIZER)},
            )
        except FileNotFoundError as error:
            raise EncoderError(f"expected {MANIFEST} in {folder}, found none; {REPAIR}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EncoderError(
                f"expected name, dim, prefixes and sha256 in {path}, found: {type(error).__name__} {error}; {REPAIR}"
            ) from error


class OnnxEncoder:
    """A text encoder out of a model folder.

    Several threads may use it; they take turns. Of a text the first `MAX_CHARACTERS` and `MAX_TOKENS` count. An
    empty text gets the vector of its prefix alone. Raises `EncoderError` if a file is missing, has another
    checksum than the manifest says, or the graph gives vectors of another length.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        self._manifest = Manifest.read(folder)
        for file, expected in self._manifest.sha256.items():
            _check(folder / file, expected)
        self._tokenizer = _tokenizer(folder / TOKENIZER)
        self._session = _session(folder / GRAPH)
        width = self._session.get_outputs()[0].shape[-1]
        if width != self.dim:
            raise EncoderError(
                f"expected vectors of {self.dim} dimensions, as {folder / MANIFEST} says, found {width} in {GRAPH}; {REPAIR}"
            )
        self._turn = Turn()

    @property
    def name(self) -> str:
        """The name that the manifest gives."""
        return self._manifest.name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._manifest.dim

    @property
    def fingerprint(self) -> str:
        """Name, and checksum over the checksums of the files, the prefixes and the bounds on a text."""
        said = self._manifest
        parts = [said.query_prefix, said.passage_prefix, str(MAX_TOKENS), str(MAX_CHARACTERS)]
        parts += [f"{file} {checksum}" for file, checksum in sorted(said.sha256.items())]
        return f"{said.name}-{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:16]}"

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode needs and their aspects: `(n_texts, dim)`; `(0, dim)` for no texts."""
        return self._encode(texts, self._manifest.query_prefix)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode passages and sentences of sources: `(n_texts, dim)`; `(0, dim)` for no texts."""
        return self._encode(texts, self._manifest.passage_prefix)

    def _encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        readable = [prefix + clean(text, MAX_CHARACTERS) for text in texts]
        return encode_by_length(readable, self.dim, BATCH, self._vectors, self._turn)

    def _vectors(self, texts: list[str]) -> Vectors:
        encodings = self._tokenizer.encode_batch(texts)
        feeds = {
            "input_ids": np.array([encoding.ids for encoding in encodings], dtype=np.int64),
            "attention_mask": np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64),
        }
        return np.asarray(self._session.run(["vectors"], feeds)[0], dtype=np.float32)


def _check(path: Path, expected: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(
            f"expected {path.name} in {path.parent}, found: {error.strerror}; {REPAIR}"
        ) from error
    if found != expected:
        raise EncoderError(f"expected {path} with SHA-256 {expected}, found {found}; {REPAIR}")


def _tokenizer(path: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(path))
    pad = tokenizer.token_to_id(PAD)
    if pad is None:
        raise EncoderError(f"expected the token {PAD} in {path}, found none; {REPAIR}")
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding(pad_id=pad, pad_token=PAD)
    return tokenizer


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    # Threads that spin while they wait take the cores from the rest of the server.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (failures.InvalidProtobuf, failures.InvalidGraph, failures.Fail) as error:
        raise EncoderError(f"expected an ONNX graph in {path}, found: {error}; {REPAIR}") from error
