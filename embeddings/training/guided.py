"""Adapting a shortened model: as `Answering` does, but beside the whole model instead of beside another teacher.

The whole model has learnt the task already, in both languages. The short one learns the right answers, the whole
model's ranking of all that stand beside them, and its vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from embeddings.training.losses import (
    ALIGN,
    GEOMETRY,
    SOFT,
    TEMPERATURE,
    contrast,
    geometry,
    max_similarity,
    ranked,
    soft_ranking,
)
from embeddings.training.model import PASSAGE, QUERY, TextModel, encode_tokens
from embeddings.training.recipe import Recipe
from embeddings.training.teacher import Memory, MiniLM

VECTOR = 4.0
"""Weight of 1 - cosine to the whole model's vectors."""

LATE, LATE_TEMPERATURE = 0.5, 0.02
"""Weight of late interaction, which is learnt along with the vectors, and the temperature of its scores."""


class Guided:
    """The task of a run: what answers a need lies near it, as the whole model sees it."""

    def __init__(
        self, folder: Path, whole: TextModel, seed: int, query_tokens: int, passage_tokens: int
    ) -> None:
        self._whole = whole
        self._seen = Memory(folder / "whole.npz")
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
        n = len(step.queries_en)
        queries = [QUERY + text for text in step.queries_en + step.queries_nl]
        if not step.passages:
            found, taught = (
                model.encode(queries, self._query_tokens),
                self._taught(queries, self._query_tokens),
            )
            shape = geometry(found @ found.T, taught @ taught.T, same=True)
            return step.kind, contrast(found[:n], found[n:]) + GEOMETRY * shape + VECTOR * _apart(
                found, taught
            )
        asked = encode_tokens(model, queries, self._query_tokens)
        taught = self._taught(queries, self._query_tokens)
        passages = [PASSAGE + text for text in step.passages]
        answers = encode_tokens(model, passages, self._passage_tokens)
        known = self._taught(passages, self._passage_tokens)
        total = VECTOR * (_apart(asked.vectors, taught) + _apart(answers.vectors, known)) / 2
        closeness = max_similarity(asked, answers)
        ways = [slice(0, n), slice(n, None)] if step.queries_nl else [slice(0, n)]
        for way in ways:
            guide = taught[way] @ known.T
            own = contrast(asked.vectors[way], answers.vectors) + SOFT * soft_ranking(
                asked.vectors[way], answers.vectors, guide, TEMPERATURE
            )
            late = ranked(closeness[way], guide, LATE_TEMPERATURE)
            total = total + (own + LATE * late) / len(ways)
        if step.queries_nl:
            total = total + ALIGN * contrast(asked.vectors[:n], asked.vectors[n:])
        return step.kind, total

    def keep(self) -> None:
        """Write the vectors that hard negatives were mined with, and those of the whole model."""
        self._mined_by.keep()
        self._seen.keep()

    def _taught(self, texts: Sequence[str], limit: int) -> Tensor:
        """What the whole model gives, `(n_texts, dim)`; needs and their answers come back every epoch."""
        with torch.no_grad():
            return self._seen(texts, lambda new: self._whole.encode(new, limit).numpy())


def _apart(found: Tensor, taught: Tensor) -> Tensor:
    return 1 - (found * taught).sum(1).mean()
