"""Does anybody here answer this need? A sign taken from the ranking, for a calibrated "nobody here fits".

A need whose answer is missing still has a nearest profile; what gives it away is that the nearest comes less near.
Leads over later ranks, raw inner products, coverage of requirements and words were measured beside it on the tune
part and added nothing that held on the demonstration corpus too, so one sign is kept.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.chance import luckiest

SIGNS = ("best_score",)
"""best_score: the ranker's score of the first, in units of what the luckiest of so many profiles would reach."""


def signs(best_score: float, n_profiles: int) -> NDArray[np.float64]:
    """`(len(SIGNS),)` for one need.

    Args:
        best_score: the ranker's score of the first candidate.
        n_profiles: number of profiles of the corpus: the best of many scores higher by luck alone.
    """
    return np.array([best_score / luckiest(n_profiles)], dtype=np.float64)
