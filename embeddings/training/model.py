"""The model while it is trained: a trimmed BERT with mean pooling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertConfig, BertModel

PAD = 1
"""Id of the padding token."""

QUERY = "query: "
PASSAGE = "passage: "


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token ids and attention mask, both `(n_texts, longest)`."""

    ids: Tensor
    mask: Tensor


class TextModel(nn.Module):  # type: ignore[misc]
    """Texts to unit vectors `(n_texts, dim)`."""

    def __init__(self, bert: BertModel, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.bert = bert
        self.tokenizer = tokenizer

    def tokens(self, texts: Sequence[str], limit: int) -> Tokens:
        """Ids of at most `limit` tokens a text, the end mark kept."""
        rows: list[list[int]] = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        rows = [row if len(row) <= limit else [*row[: limit - 1], row[-1]] for row in rows]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])
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
    model: TextModel = TextModel(bert, Tokenizer.from_file(str(tokenizer))).eval()
    return model
