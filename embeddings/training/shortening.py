"""Fewer layers: a model of half the layers learns to give what the whole model gives, token by token.

Each kept layer starts as the last of the run of layers that it stands for and learns that run's output (TinyBERT:
Jiao et al. 2020, arXiv 1909.10351), and the text's vector with it. No answers are needed, so any text teaches.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from transformers import BertConfig, BertModel

from embeddings.training import sources
from embeddings.training.losses import geometry
from embeddings.training.model import PASSAGE, QUERY, TextModel, Tokens

Kind = Literal["abstracts", "needs", "manuals", "field", "described", "teams", "pages"]

SCHEDULE: tuple[Kind, ...] = (
    *("needs", "abstracts", "pages", "described", "manuals", "needs", "abstracts", "teams", "pages", "field"),
    *("needs", "described", "pages", "abstracts", "manuals"),
)
"""Needs 3 of 15; English passages 4, Dutch ones 5 (pages are sentences of manuals in a row); sentences 3."""

TEXTS = {
    "abstracts": 16, "needs": 32, "manuals": 48, "field": 48, "described": 20, "teams": 16, "pages": 16,
}  # fmt: skip
PAGE = 5
"""Sentences of a page: together about as long as a passage."""

PASSAGE_TOKENS, QUERY_TOKENS = 128, 64
VECTOR, SHAPE = 5.0, 1.0
"""Weights of the text's vector and of the geometry of a step's vectors; token states have 1."""


def shortened(model: TextModel, layers: int) -> TextModel:
    """A copy with `layers` layers, each the last of an equal run of the model's.

    Raises:
        ValueError: the model's layers cannot be parted into so many equal runs.
    """
    config = model.bert.config
    whole = config.num_hidden_layers
    if layers < 1 or whole % layers:
        raise ValueError(f"expected a divisor of {whole} layers, found {layers}")
    step = whole // layers
    bert = BertModel(BertConfig(**{**config.to_dict(), "num_hidden_layers": layers}), add_pooling_layer=False)
    bert.embeddings.load_state_dict(model.bert.embeddings.state_dict())
    for at, layer in enumerate(bert.encoder.layer):
        layer.load_state_dict(model.bert.encoder.layer[(at + 1) * step - 1].state_dict())
    short: TextModel = TextModel(bert, model.tokenizer).eval()
    return short


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts of one step, all of one form."""

    kind: Kind
    texts: list[str]
    limit: int
    """Tokens of a text that count."""


class Texts:
    """Texts to learn on, by number of step; none of those kept aside, none of the tune and report teams."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        kept = sources.aside("passages-nl")
        train = sources.teams("train")
        rows = sources.aside("translations")
        papers = [need for need in sources.paper_needs() if need.key not in kept]
        asked = papers + [need for need in sources.team_needs() if need.key in train]
        manuals = sources.manuals()
        field = [pair for at, pair in enumerate(sources.field_translations()) if str(at) not in rows]
        aside = sources.aside("works") | kept
        dutch = [pair.nl for pair in manuals]
        self._texts: dict[Kind, list[str]] = {
            "abstracts": [PASSAGE + w.abstract for w in sources.works().values() if w.id not in aside],
            "needs": [QUERY + text for need in asked for text in (need.en, need.nl)],
            "manuals": [QUERY + text for pair in manuals for text in (pair.en, pair.nl)],
            "field": [QUERY + text for pair in field + sources.glossary() for text in (pair.en, pair.nl)],
            "described": [PASSAGE + need.passage_nl for need in papers if need.passage_nl],
            "teams": [PASSAGE + text for team in sorted(train) for text in sources.team_passages()[team]],
            "pages": [PASSAGE + " ".join(dutch[at : at + PAGE]) for at in range(0, len(dutch), PAGE)],
        }

    def sizes(self) -> dict[str, int]:
        """How many texts there are of each kind."""
        return {kind: len(texts) for kind, texts in self._texts.items()}

    def batch(self, number: int) -> Batch:
        """The texts of the step of this number, from 0."""
        kind = SCHEDULE[number % len(SCHEDULE)]
        rng = random.Random(f"{self._seed}-short-{number}")  # noqa: S311
        texts = rng.sample(self._texts[kind], TEXTS[kind])
        limit = PASSAGE_TOKENS if texts[0].startswith(PASSAGE) else QUERY_TOKENS
        return Batch(kind, texts, limit)


class Shortening:
    """The task of a run: give what `whole` gives."""

    def __init__(self, whole: TextModel, seed: int) -> None:
        self._whole = whole
        self._texts = Texts(seed)

    def sizes(self) -> dict[str, int]:
        """How many texts there are of each kind."""
        return self._texts.sizes()

    def loss(self, model: TextModel, number: int) -> tuple[str, Tensor]:
        """Kind and loss of the step of this number, from 0."""
        batch = self._texts.batch(number)
        total = torch.zeros(())
        for texts in _halves(batch.texts):
            tokens = model.tokens(texts, batch.limit)
            total = total + len(texts) / len(batch.texts) * _difference(self._whole, model, tokens)
        return batch.kind, total

    def keep(self) -> None:
        """Nothing is remembered between runs."""


def _halves(texts: list[str]) -> list[list[str]]:
    """The shorter and the longer texts: less padding."""
    ordered = sorted(texts, key=len)
    return [ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]]


def _difference(whole: TextModel, model: TextModel, tokens: Tokens) -> Tensor:
    with torch.no_grad():
        given = whole.bert(tokens.ids, tokens.mask, output_hidden_states=True).hidden_states
    found = model.bert(tokens.ids, tokens.mask, output_hidden_states=True).hidden_states
    step = (len(given) - 1) // (len(found) - 1)
    real = tokens.mask.bool()
    states = torch.zeros(())
    for at in range(1, len(found)):
        wanted = given[at * step][real]
        spread = wanted.var(dim=0).mean()
        states = states + ((found[at][real] - wanted) ** 2).mean() / spread
    taught, learnt = _vectors(given[-1], tokens.mask), _vectors(found[-1], tokens.mask)
    apart = 1 - (taught * learnt).sum(1).mean()
    shape = geometry(learnt @ learnt.T, taught @ taught.T, same=True)
    return states / (len(found) - 1) + VECTOR * apart + SHAPE * shape


def _vectors(states: Tensor, mask: Tensor) -> Tensor:
    return torch.nn.functional.normalize((states * mask.unsqueeze(-1)).sum(1), dim=-1)
