"""Any sentence-transformers model that lies on this machine, by name or folder. Nothing is ever downloaded."""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.resources
import importlib.util
import tomllib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.encoders import ENCODERS, EncoderError, Vectors
from embeddings.encoders.batches import Turn, encode_by_length
from embeddings.encoders.text import clean
from embeddings.environment import environment, openmp_settings

OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

BATCH = 16
"""Texts per call of the model, all padded to the longest: sorted by length, so that this costs little."""

CHARACTERS_PER_TOKEN = 8
"""More than any text has on average: what the tokenizer cuts off at the model's length need not reach it."""

DEFAULT_TOKENS = 512
"""For a model that does not say how much it reads."""

NOT_READ = {".md", ".onnx", ".png", ".h5", ".msgpack", ".ot"}
"""Ends of names of files that may lie beside a model and have no part in what torch computes."""


class SentenceTransformerEncoder:
    """A sentence-transformers model, with the prefixes that it was trained with.

    They come from the model's own list of prompts where it has one, else from `models.toml`, else there are none.
    Several threads may use it; they take turns. Of a text, as much counts as the model reads (`max_seq_length`).
    """

    def __init__(self, model: str) -> None:
        """Load `model`: a name in `models.toml`, a folder, or a name in the local Hugging Face cache.

        Raises `EncoderError` if the extra `models` is not installed, or the model is not here or not whole.
        """
        self._given = model
        try:
            with environment(openmp_settings() | OFFLINE):
                from huggingface_hub import snapshot_download
                from safetensors import SafetensorError
                from sentence_transformers import SentenceTransformer
                from transformers.utils.logging import disable_progress_bar
        except ImportError as error:
            raise EncoderError(
                f"expected sentence-transformers for the encoder {model!r}, found: {error}; "
                f'run: pip install "kennismatch[models]", or choose one of: {", ".join(ENCODERS)}'
            ) from error
        disable_progress_bar()  # loading would write a bar to standard error
        table = _table()
        self._folder = _find(model, table, snapshot_download)
        try:
            self._model = SentenceTransformer(str(self._folder), local_files_only=True)
            self._dim = int(self._model.get_embedding_dimension() or 0)
        except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
            raise EncoderError(
                f"expected a whole sentence-transformers model in {self._folder}, found: {error}; "
                "fetch it again, or choose another encoder"
            ) from error
        self._query_prefix, self._passage_prefix = _prefixes(self._model.prompts, model, table)
        self._turn = Turn()

    @property
    def name(self) -> str:
        """The name by which the operator chooses it."""
        return f"sentence-transformers:{self._given}"

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the prefixes and the model's files, by name and content (about 1 s a GB, once)."""
        digest = hashlib.sha256(f"{self._query_prefix}\0{self._passage_prefix}\0".encode())
        for path in sorted(self._folder.rglob("*")):
            relative = path.relative_to(self._folder)
            if (
                path.suffix in NOT_READ
                or any(part.startswith(".") for part in relative.parts)
                or path.is_dir()
            ):
                continue
            with path.open("rb") as file:
                digest.update(
                    f"{relative.as_posix()}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\0".encode()
                )
        return f"sentence-transformers-{digest.hexdigest()[:16]}"

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode needs and their aspects: `(n_texts, dim)`; `(0, dim)` for no texts."""
        return self._encode(texts, self._query_prefix)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode passages and sentences of sources: `(n_texts, dim)`; `(0, dim)` for no texts."""
        return self._encode(texts, self._passage_prefix)

    def _encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        def encode(batch: list[str]) -> Vectors:
            vectors = self._model.encode(
                batch, prompt=prefix, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
            )
            return np.asarray(vectors, dtype=np.float32)

        most = CHARACTERS_PER_TOKEN * int(self._model.max_seq_length or DEFAULT_TOKENS)
        return encode_by_length([clean(text, most) for text in texts], self.dim, BATCH, encode, self._turn)


def _table() -> dict[str, Any]:
    return tomllib.loads(importlib.resources.files(__package__).joinpath("models.toml").read_text("utf-8"))


def _find(model: str, table: dict[str, Any], snapshot_download: Any) -> Path:
    """The folder of this model. Raises `EncoderError` if it is not on this machine."""
    if package := table["packages"].get(model.lower()):
        spec = importlib.util.find_spec(package["module"])
        if spec is None or spec.origin is None:
            raise EncoderError(
                f"expected the package that carries {model}, found none; run: {package['install']}"
            )
        return Path(spec.origin).with_name(package["folder"])
    if model and Path(model).is_dir():
        return Path(model).resolve()
    try:
        repository = model if "/" in model else f"sentence-transformers/{model}"
        return Path(snapshot_download(repository, local_files_only=True))
    except (OSError, ValueError) as error:  # not in the cache; not a possible name
        known = ", ".join([*ENCODERS, *table["packages"]])
        raise EncoderError(
            f"expected the encoder {model!r} as a folder or in the Hugging Face cache of this machine, found neither; "
            f"nothing is downloaded: give the folder of a sentence-transformers model, or one of: {known}"
        ) from error


def _prefixes(prompts: dict[str, str], model: str, table: dict[str, Any]) -> tuple[str, str]:
    """What goes before a query and before a passage."""
    query = prompts.get("query", "")
    passage = next((prompts[key] for key in ("passage", "document", "corpus") if prompts.get(key)), "")
    if query or passage:
        return query, passage
    last = Path(model).name.lower()
    for family in table["prefixes"]:
        if fnmatch.fnmatchcase(last, family["name"]):
            return family["query"], family["passage"]
    return "", ""
