"""From scores to chances: how far a candidate stands out, among the others and beside "none of these".

A score alone says too little: two profiles that both fit share the chance, and the first of 65 scores lower than the
first of 667 by luck alone. So a candidate's chance follows from its share of a softmax over all candidates of the need,
in which the ranker was learned too (`benchmarks/listwise.py`), with one more that stands for "none of these". Without
that one, the best of three poor profiles behind a filter would look sure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def luckiest(n_profiles: int) -> float:
    """About how high the best of so many profiles lies by luck alone, in standard deviations: sqrt(2 ln n)."""
    return math.sqrt(2.0 * math.log(max(3, n_profiles)))


def log_shares(scores: NDArray[np.float64], nobody: float, n_profiles: int) -> NDArray[np.float64]:
    """Log of each candidate's share, `(n_candidates,)`, never above 0.

    Args:
        scores: `(n_candidates,)`, the ranker's scores, which are logits.
        nobody: score of "none of these", in units of `luckiest`.
        n_profiles: profiles of the corpus, whether or not a filter lets them in.
    """
    if not len(scores):
        return np.empty(0)
    none = nobody * luckiest(n_profiles)
    top = max(float(scores.max()), none)
    shares: NDArray[np.float64] = scores - top - np.log(np.exp(scores - top).sum() + math.exp(none - top))
    return shares


@dataclass(frozen=True, slots=True)
class Curve:
    """A monotone piecewise-linear map from log share to chance: `shares` ascending, `chances` not falling."""

    shares: tuple[float, ...]
    chances: tuple[float, ...]

    def __call__(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """The chances, 0 to 1; flat beyond the ends."""
        found: NDArray[np.float64] = np.interp(shares, self.shares, self.chances)
        return found
