"""Does anybody here answer this need? Signs taken from the whole ranking, for a calibrated "nobody here fits".

A need whose answer is missing still has a nearest profile; what gives it away is that the nearest stands out
less, from fewer sides (Pérez-Iglesias & Araujo 2010 show the same of the spread of scores).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.features import DenseScores

SIGNS = (
    "best_score",
    "lead_over_second",
    "lead_over_tenth",
    "best_dense",
    "best_raw",
    "best_requirements",
    "words_per_word",
)
"""best_score: ranker score of the first; lead_over_second, lead_over_tenth: its distance to later ones;
best_dense: its standardised similarity with the whole need; best_raw: the inner product itself;
best_requirements: mean standardised similarity with the requirements; words_per_word: best BM25 of a profile
divided by the number of words of the need (a short need cannot score high)."""


def signs(
    scores: NDArray[np.float64], order: NDArray[np.int64], dense: DenseScores, best_words: float, n_words: int
) -> NDArray[np.float64]:
    """`(len(SIGNS),)` for one need.

    Args:
        scores: `(n_candidates,)` ranker scores, in the order of `dense`.
        order: `(n_candidates,)` positions, best first; not empty.
        dense: the similarities of the same candidates.
        best_words: highest BM25 of a profile, 0 without any.
        n_words: number of words of the need that were searched.
    """
    first = int(order[0])
    second = int(order[min(1, len(order) - 1)])
    tenth = int(order[min(9, len(order) - 1)])
    return np.array(
        [
            scores[first],
            scores[first] - scores[second],
            scores[first] - scores[tenth],
            dense.whole[first],
            dense.raw[first],
            dense.each[first].mean(),
            best_words / max(1, n_words),
        ],
        dtype=np.float64,
    )
