"""Measures of an encoder alone: rankings of teams, descriptions, translations, titles, and sentence similarity."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.training import sources
from embeddings.training.model import PASSAGE, QUERY, TextModel

Floats = NDArray[np.float32]
BEST = 3
"""Passages of a team that count: the mean of the best three beat the best one by .04 to .11."""


def ndcg_at_10(ranks: NDArray[np.int64]) -> float:
    """Of one right answer each, at these ranks from 1."""
    return float(np.mean(np.where(ranks <= 10, 1 / np.log2(ranks + 1.0), 0.0)))


def mrr_at_10(ranks: NDArray[np.int64]) -> float:
    """Of one right answer each, at these ranks from 1."""
    return float(np.mean(np.where(ranks <= 10, 1.0 / ranks, 0.0)))


def ranks_of(scores: Floats, right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank from 1 of column `right[i]` in row i of `scores (n, m)`; ties count against it."""
    own = scores[np.arange(len(right)), right]
    ranks: NDArray[np.int64] = np.count_nonzero(scores >= own[:, None], axis=1).astype(np.int64)
    return ranks


def team_scores(needs: Floats, passages: Floats, bounds: list[int]) -> Floats:
    """`(n_needs, n_teams)`: mean of the best three passages; team t has passages bounds[t] to bounds[t + 1]."""
    scores = needs @ passages.T
    columns = []
    for begin, end in pairwise(bounds):
        part = np.sort(scores[:, begin:end], axis=1)[:, -BEST:]
        columns.append(part.mean(1))
    return np.stack(columns, axis=1)


def tune_figures(model: TextModel) -> dict[str, float]:
    """nDCG@10 of the tune teams' needs among the tune teams alone: quick, to choose a checkpoint by."""
    teams = sorted(sources.teams("tune"))
    needs = [need for need in sources.team_needs() if need.key in set(teams)]
    texts = [sources.team_passages()[team] for team in teams]
    with torch.inference_mode():
        passages = model.encode([PASSAGE + text for team in texts for text in team], 128).numpy()
        en = model.encode([QUERY + need.en for need in needs], 128).numpy()
        nl = model.encode([QUERY + need.nl for need in needs], 128).numpy()
    bounds = [0, *np.cumsum([len(team) for team in texts]).tolist()]
    right = np.array([teams.index(need.key) for need in needs])
    figures = {
        name: ndcg_at_10(ranks_of(team_scores(vectors, passages, bounds), right))
        for name, vectors in (("en", en), ("nl", nl))
    }
    figures["nl_to_en"] = mrr_at_10(ranks_of(nl @ en.T, np.arange(len(needs))))
    return {name: round(value, 4) for name, value in figures.items()}
