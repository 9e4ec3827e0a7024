"""Adapting a shortened model: as `Answering` does, but beside the whole model instead of beside another teacher.

The whole model has learnt the task already, in both languages. The short one learns the right answers, the whole
model's ranking of all that stand beside them, and its vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from embeddings.training.losses import ALIGN, GEOMETRY, SOFT, TEMPERATURE, contrast, geometry, soft_ranking
from embeddings.training.model import PASSAGE, QUERY, TextModel
from embeddings.training.recipe import Recipe
from embeddings.training.teacher import MiniLM

VECTOR = 4.0
"""Weight of 1 - cosine to the whole model's vectors."""


class Guided:
    """The task of a run: what answers a need lies near it, as the whole model sees it."""

    def __init__(
        self, folder: Path, whole: TextModel, seed: int, query_tokens: int, passage_tokens: int
    ) -> None:
        self._whole = whole
        self._mined_by = MiniLM(folder / "teacher.npz")
        self._recipe = Recipe(seed, self._mined_by)
        self._query_tokens = query_tokens
        self._passage_tokens = passage_tokens

    def sizes(self) -> dict[str, int]:
        """How much material there is of each kind."""
        return self._recipe.sizes()

    def loss(self, model: TextModel, number: int) -> tuple[str, Tensor]:
        """Kind and loss of the step of this number, from 0."""
        step = self._recipe.step(number)
        queries = [QUERY + text for text in step.queries_en + step.queries_nl]
        found, taught = self._both(model, queries, self._query_tokens)
        n = len(step.queries_en)
        en, nl = found[:n], found[n:]
        if not step.passages:
            shape = geometry(found @ found.T, taught @ taught.T, same=True)
            return step.kind, contrast(en, nl) + GEOMETRY * shape + VECTOR * _apart(found, taught)
        passages, answers = self._both(
            model, [PASSAGE + text for text in step.passages], self._passage_tokens
        )
        total = VECTOR * (_apart(found, taught) + _apart(passages, answers)) / 2
        ways = [(en, taught[:n])] + ([(nl, taught[n:])] if len(nl) else [])
        for asked, guide in ways:
            ranking = soft_ranking(asked, passages, guide @ answers.T, TEMPERATURE)
            total = total + (contrast(asked, passages) + SOFT * ranking) / len(ways)
        return step.kind, total + ALIGN * contrast(en, nl) if len(nl) else total

    def keep(self) -> None:
        """Write the vectors that hard negatives were mined with."""
        self._mined_by.keep()

    def _both(self, model: TextModel, texts: Sequence[str], limit: int) -> tuple[Tensor, Tensor]:
        """What the model gives and what the whole one gives, both `(n_texts, dim)`."""
        with torch.no_grad():
            taught = self._whole.encode(texts, limit)
        return model.encode(texts, limit), taught


def _apart(found: Tensor, taught: Tensor) -> Tensor:
    return 1 - (found * taught).sum(1).mean()
