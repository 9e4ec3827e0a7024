"""Third stage: passages become candidates, one a profile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher.model import ScoredPassage

N_BEST = 3
"""The mean of the best three passages beats the best one alone (a single lucky sentence) and the mean of all."""


def pool(passages: Sequence[ScoredPassage], n_best: int = N_BEST) -> dict[str, float]:
    """Sum of the best `n_best` passage scores per profile, from a ranked list: profile id -> score."""
    scores: dict[str, float] = {}
    counts: dict[str, int] = {}
    for passage in passages:
        if counts.get(passage.profile_id, 0) < n_best:
            counts[passage.profile_id] = counts.get(passage.profile_id, 0) + 1
            scores[passage.profile_id] = scores.get(passage.profile_id, 0.0) + passage.score
    return scores


def best_mean(
    similarities: NDArray[np.float32], starts: NDArray[np.int64], n_best: int = N_BEST
) -> NDArray[np.float32]:
    """Mean of the best `n_best` rows of every group.

    Args:
        similarities: `(n_rows, n_queries)`, rows grouped by profile.
        starts: `(n_profiles,)`, where each group starts; ascending, no group empty.
        n_best: how many rows count; a group with fewer rows is averaged over what it has.

    Returns:
        `(n_profiles, n_queries)`.
    """
    ends = np.append(starts[1:], len(similarities))
    sizes = ends - starts
    width = int(sizes.max()) if len(sizes) else 0
    slots = starts[:, None] + np.arange(width)[None, :]
    filled = np.arange(width)[None, :] < sizes[:, None]
    padded = np.where(filled[:, :, None], similarities[np.minimum(slots, len(similarities) - 1)], -np.inf)
    if n_best < width:
        padded = np.partition(padded, width - n_best, axis=1)[:, width - n_best :, :]
    counted = np.isfinite(padded)
    total = np.where(counted, padded, 0.0).sum(axis=1)
    mean: NDArray[np.float32] = (total / counted.sum(axis=1)).astype(np.float32)
    return mean
