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


LATE_DIM = 64
"""Numbers of a token's vector."""


class Late(nn.Module):  # type: ignore[misc]
    """Token states to what late interaction compares: a short unit vector, and the weight of a query's token.

    After ColBERT (Khattab & Zaharia 2020, arXiv 2004.12832); weights, since most words of a need only dress it.
    """

    def __init__(self, hidden: int, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.project = nn.Linear(hidden, LATE_DIM, bias=False)
        self.weigh = nn.Linear(hidden, 1)
        nn.init.orthogonal_(self.project.weight, generator=generator)
        nn.init.zeros_(self.weigh.weight)
        nn.init.zeros_(self.weigh.bias)

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """`(n, length, hidden)` and `(n, length)` to vectors `(n, length, LATE_DIM)` and weights of sum 1."""
        vectors = nn.functional.normalize(self.project(states), dim=-1) * mask.unsqueeze(-1)
        weights = nn.functional.softplus(self.weigh(states)).squeeze(-1) * mask
        return vectors, weights / weights.sum(1, keepdim=True)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors of texts `(n, dim)`, and of their tokens `(n, longest, LATE_DIM)` with weights and mask `(n, longest)`."""

    vectors: Tensor
    tokens: Tensor
    weights: Tensor
    mask: Tensor


class TextModel(nn.Module):  # type: ignore[misc]
    """Texts to unit vectors `(n_texts, dim)`; with `late`, to vectors of their tokens too."""

    def __init__(self, bert: BertModel, tokenizer: Tokenizer, late: Late | None = None) -> None:
        super().__init__()
        self.bert = bert
        self.tokenizer = tokenizer
        self.late = late

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


def encode_tokens(model: TextModel, texts: Sequence[str], limit: int, size: int = 12) -> Encoded:
    """Texts and their tokens, in the order of the texts. Raises `ValueError` if the model has no `late`."""
    if model.late is None:
        raise ValueError("expected a model with late interaction, found one without; give it a `Late` first")
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    parts: list[tuple[Tensor, ...]] = []
    for start in range(0, len(order), size):
        tokens = model.tokens([texts[i] for i in order[start : start + size]], limit)
        states = model.bert(input_ids=tokens.ids, attention_mask=tokens.mask).last_hidden_state
        mask = tokens.mask.to(states.dtype)
        vectors = nn.functional.normalize((states * mask.unsqueeze(-1)).sum(1), dim=-1)
        parts.append((vectors, *model.late(states, mask), mask))
    longest = max(part[3].shape[1] for part in parts)
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))

    def together(place: int) -> Tensor:
        padded = [_padded(part[place], longest) for part in parts] if place else [part[0] for part in parts]
        return torch.cat(padded)[back]

    return Encoded(together(0), together(1), together(2), together(3))


def _padded(values: Tensor, longest: int) -> Tensor:
    """Zeros up to `longest` along the second axis."""
    missing = longest - values.shape[1]
    shape = (0, 0, 0, missing) if values.dim() == 3 else (0, missing)
    return nn.functional.pad(values, shape)


def freeze(model: TextModel, layers: int) -> None:
    """Keep the embeddings and the lowest `layers` layers as they are."""
    for part in (model.bert.embeddings, *model.bert.encoder.layer[:layers]):
        part.requires_grad_(requires_grad=False)


def save(model: TextModel, path: Path) -> None:
    """Write configuration and weights."""
    kept = {"config": model.bert.config.to_dict(), "weights": model.bert.state_dict()}
    if model.late is not None:
        kept["late"] = model.late.state_dict()
    torch.save(kept, path)


def load(weights: Path, tokenizer: Path) -> TextModel:
    """Read what `save` wrote."""
    kept: dict[str, Any] = torch.load(weights, weights_only=True)
    bert = BertModel(BertConfig(**kept["config"]), add_pooling_layer=False)
    bert.load_state_dict(kept["weights"])
    late = None
    if "late" in kept:
        late = Late(bert.config.hidden_size)
        late.load_state_dict(kept["late"])
    model: TextModel = TextModel(bert, Tokenizer.from_file(str(tokenizer)), late).eval()
    return model
