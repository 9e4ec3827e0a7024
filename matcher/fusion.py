"""Second stage, end: the dense and the lexical arm become one list of passages."""

from __future__ import annotations

from collections.abc import Sequence

from matcher.model import ScoredPassage

RRF_CONSTANT = 60
"""Damping of reciprocal rank fusion, as in Cormack, Clarke & Büttcher (2009); results hardly depend on it."""


def fuse(dense: Sequence[ScoredPassage], lexical: Sequence[ScoredPassage]) -> list[ScoredPassage]:
    """Reciprocal rank fusion of two rankings of passages, best first, ties by row."""
    scores: dict[int, float] = {}
    profiles: dict[int, str] = {}
    for ranking in (dense, lexical):
        for passage in ranking:
            scores[passage.row] = scores.get(passage.row, 0.0) + 1 / (RRF_CONSTANT + passage.rank)
            profiles[passage.row] = passage.profile_id
    order = sorted(scores, key=lambda row: (-scores[row], row))
    return [ScoredPassage(row, profiles[row], scores[row], rank) for rank, row in enumerate(order, start=1)]
