"""Third stage: passages become candidates, one a profile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.model import ScoredPassage

N_BEST = 3
"""Passages of a profile that count in the fused list, whose scores fall off with rank."""

SOFTNESS = 0.5
"""Temperature of `soft_mean` in standard deviations of the similarities; .4 to .7 are alike on tune."""


def pool(passages: Sequence[ScoredPassage], n_best: int = N_BEST) -> dict[str, float]:
    """Sum of the best `n_best` passage scores per profile, from a ranked list: profile id -> score."""
    scores: dict[str, float] = {}
    counts: dict[str, int] = {}
    for passage in passages:
        if counts.get(passage.profile_id, 0) < n_best:
            counts[passage.profile_id] = counts.get(passage.profile_id, 0) + 1
            scores[passage.profile_id] = scores.get(passage.profile_id, 0.0) + passage.score
    return scores


def soft_mean(
    similarities: NDArray[np.float32], starts: NDArray[np.int64], temperature: float
) -> NDArray[np.float32]:
    """Generalised mean of every group: its best rows count most, and all rows a little.

    `t log(mean(exp(s / t)))`: near the group's best row for a low temperature t, its plain mean for a high one. A long
    profile so gains nothing by its mere number of passages. With t at half a standard deviation of the
    similarities (`SOFTNESS`), ordering by it beats the mean of the best three by .010 (en) and .036 (nl) nDCG@10 on
    the tune part, and by .021 (en) with all-MiniLM-L6-v2 on tune and train.

    Args:
        similarities: `(n_rows, n_queries)`, rows grouped by profile.
        starts: `(n_profiles,)`, where each group starts; ascending, no group empty.
        temperature: above 0, in units of similarity.

    Returns:
        `(n_profiles, n_queries)`, on the scale of the similarities.
    """
    sizes = np.diff(np.append(starts, len(similarities)))
    best = np.maximum.reduceat(similarities, starts, axis=0)
    lifted = np.exp((similarities - np.repeat(best, sizes, axis=0)) / temperature)
    total = np.add.reduceat(lifted, starts, axis=0)
    mean: NDArray[np.float32] = (best + temperature * np.log(total / sizes[:, None])).astype(np.float32)
    return mean


def plain_mean(similarities: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Mean of every group, `(n_profiles, n_queries)`; arguments as for `soft_mean`."""
    sizes = np.diff(np.append(starts, len(similarities)))
    mean: NDArray[np.float32] = (np.add.reduceat(similarities, starts, axis=0) / sizes[:, None]).astype(
        np.float32
    )
    return mean
