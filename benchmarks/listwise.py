"""Learning the ranker's weights: listwise, shared by the languages of needs as far as that holds.

The right team's share of a softmax over the near candidates is made large (ListNet's top one: Cao et al. 2007). The
weights of a language are common ones plus a difference, and differences are shrunk: an encoder that knows both
languages needs none, one that knows only English must lean on words where the need is Dutch. How much is shrunk is
chosen by cross-validation over institutions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.model_selection import GroupKFold

from matcher.evaluation.measures import ndcg

LANGUAGES = ("en", "nl")
NEAR = 100
"""Candidates of a need that are learned on: the right one and the nearest others."""

SHRINKAGE = 0.01
"""Of the common weights: cross-fitted by institution on tune it beats a pairwise logistic loss by .02."""

DIFFERENCES = (1.0, 0.1, 0.03, 0.01, 0.003)
"""Shrinkages of a language's difference that are tried, the strongest first; a weaker one must gain `WORTH`."""

WORTH = 0.005
FOLDS = 8


@dataclass(frozen=True, slots=True)
class Listed:
    """One need's candidates: `features (n_candidates, n_features)`, and the row of the right one, if there."""

    language: str
    group: str
    features: NDArray[np.float64]
    right: int | None


Weights = dict[str, NDArray[np.float64]]
"""By language of the need."""


def learn(lists: Sequence[Listed], plain: NDArray[np.float64], difference: float) -> Weights:
    """Weights of at least 0, since every feature says "more is better". `plain` tells which candidates are near."""
    n = len(plain)
    rows = [
        (LANGUAGES.index(item.language), _near(item, item.right, plain))
        for item in lists
        if item.right is not None
    ]

    def loss(free: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        common, own = free[:n], free[n:].reshape(len(LANGUAGES), n)
        total, slope = 0.0, np.zeros_like(own)
        for language, features in rows:
            scores = features @ (common + own[language])
            chances = np.exp(scores - scores.max())
            chances /= chances.sum()
            total -= float(np.log(chances[0] + 1e-12))
            slope[language] -= features[0] - chances @ features
        slope /= len(rows)
        total = total / len(rows) + SHRINKAGE * float(common @ common) + difference * float((own**2).sum())
        common_slope = slope.sum(axis=0) + 2 * SHRINKAGE * common
        return total, np.concatenate([common_slope, (slope + 2 * difference * own).ravel()])

    start = np.concatenate([np.full(n, 0.5), np.zeros(n * len(LANGUAGES))])
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    together = found[:n] + found[n:].reshape(len(LANGUAGES), n)
    return {language: np.maximum(row, 0.0) for language, row in zip(LANGUAGES, together, strict=True)}


def choose_difference(lists: Sequence[Listed], plain: NDArray[np.float64]) -> tuple[float, dict[str, float]]:
    """The shrinkage of differences, and the cross-fitted nDCG@10 by language that it gives."""
    best: tuple[float, dict[str, float]] | None = None
    for difference in DIFFERENCES:
        figures = cross_fitted(lists, plain, difference)
        if best is None or sum(figures.values()) > sum(best[1].values()) + WORTH * len(LANGUAGES):
            best = difference, figures
    assert best is not None
    return best


def cross_fitted(lists: Sequence[Listed], plain: NDArray[np.float64], difference: float) -> dict[str, float]:
    """nDCG@10 by language, each need ranked by weights learned without its institution."""
    values: dict[str, list[float]] = {language: [] for language in LANGUAGES}
    for inside, outside in GroupKFold(FOLDS).split(lists, groups=[item.group for item in lists]):
        weights = learn([lists[at] for at in inside], plain, difference)
        for at in outside:
            values[lists[at].language].append(_ndcg(lists[at], weights[lists[at].language]))
    return {language: float(np.mean(each)) for language, each in values.items()}


def _near(item: Listed, right: int, plain: NDArray[np.float64]) -> NDArray[np.float64]:
    """The right candidate's row first, then the nearest others'."""
    order = np.argsort(-(item.features @ plain))[:NEAR]
    return item.features[[right, *(int(at) for at in order if at != right)]]


def _ndcg(item: Listed, weights: NDArray[np.float64]) -> float:
    if item.right is None:
        return 0.0
    order: Collection[int] = np.argsort(-(item.features @ weights), kind="stable")[:10]
    return ndcg([str(at) for at in order], {str(item.right): 1}, 10)
