"""Measures of a ranking, with intervals and paired tests.

nDCG with gain `grade` and discount `1 / log2(rank + 1)` (Järvelin & Kekäläinen 2002, as in trec_eval),
reciprocal rank cut at `k`, and recall at `k`. A need without relevant profiles has no value and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Qrels = Mapping[str, Mapping[str, int]]
"""need id -> profile id -> grade; a grade above 0 is relevant."""

Run = Mapping[str, Sequence[str]]
"""need id -> profile ids, best first."""

_BOOTSTRAP_SAMPLES = 10_000


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Normalised discounted cumulative gain at `k`, 0 to 1."""
    gains = [max(0, grades.get(item, 0)) for item in ranking[:k]]
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    best = sum(gain / np.log2(rank + 2) for rank, gain in enumerate(ideal))
    return float(sum(gain / np.log2(rank + 2) for rank, gain in enumerate(gains)) / best) if best else 0.0


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """1 / rank of the first relevant profile within `k`, 0 when there is none."""
    for rank, item in enumerate(ranking[:k], start=1):
        if grades.get(item, 0) > 0:
            return 1.0 / rank
    return 0.0


def recall(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Part of the relevant profiles that stand within `k`, 0 to 1."""
    relevant = {item for item, grade in grades.items() if grade > 0}
    return len(relevant & set(ranking[:k])) / len(relevant) if relevant else 0.0


MEASURES = {
    "nDCG@10": lambda ranking, grades: ndcg(ranking, grades, 10),
    "MRR@10": lambda ranking, grades: reciprocal_rank(ranking, grades, 10),
    "recall@50": lambda ranking, grades: recall(ranking, grades, 50),
}


def per_need(run: Run, qrels: Qrels, measure: str) -> dict[str, float]:
    """The measure for every need that has a relevant profile; a need missing from the run scores 0."""
    return {
        need: MEASURES[measure](run.get(need, ()), grades)
        for need, grades in sorted(qrels.items())
        if any(grade > 0 for grade in grades.values())
    }


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % bootstrap interval over needs."""

    mean: float
    low: float
    high: float
    n_needs: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def estimate(values: Sequence[float], seed: int = 0) -> Estimate:
    """Mean and percentile bootstrap interval of `(n_needs,)` values; seeded, so that it repeats."""
    data: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    if data.size == 0:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    rng = np.random.default_rng(seed)
    means = data[rng.integers(0, data.size, size=(_BOOTSTRAP_SAMPLES, data.size))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(data.mean()), float(low), float(high), int(data.size))


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean difference of two systems on the same needs and its two-sided p-value."""

    mean: float
    p_value: float
    n_needs: int


def paired_difference(first: Mapping[str, float], second: Mapping[str, float], seed: int = 0) -> Difference:
    """`first` minus `second` with a paired sign-flip randomisation test (Smucker et al. 2007).

    Raises:
        ValueError: the two do not speak of the same needs.
    """
    if first.keys() != second.keys():
        raise ValueError(f"expected the same needs in both systems, found {len(first)} and {len(second)}")
    gaps = np.array([first[need] - second[need] for need in sorted(first)], dtype=np.float64)
    if gaps.size == 0:
        return Difference(float("nan"), float("nan"), 0)
    rng = np.random.default_rng(seed)
    signs = rng.choice(np.array([-1.0, 1.0]), size=(_BOOTSTRAP_SAMPLES, gaps.size))
    reached = np.abs((signs * gaps).mean(axis=1)) >= abs(gaps.mean()) - 1e-12
    p_value = (1 + int(reached.sum())) / (1 + _BOOTSTRAP_SAMPLES)
    return Difference(float(gaps.mean()), p_value, int(gaps.size))
