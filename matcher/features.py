"""Fourth stage, first half: what the ranker sees of a need and a candidate.

Similarities of different encoders lie on different scales (those of the E5 family between .7 and .9), so
every similarity is given in standard deviations above its mean over the profiles of the corpus, for this need.
A ranker learned with one encoder then holds, roughly, for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

FEATURES = (
    "dense",
    "theme",
    "requirements",
    "words",
    "fused",
    "roadmaps",
)
"""Names in the order of the ranker's weights:

dense         soft mean of the passages against the whole need (the best count most), standardised
theme         plain mean of all passages against the whole need, standardised
requirements  mean over the requirements of the best passage against each, standardised
words         BM25 of the profile as a whole, as a part of the best profile's (0 to 1)
fused         reciprocal rank fusion of the two arms' passages, as a part of the best profile's
roadmaps      part of the need's roadmap tags that the profile bears

Tried on tune, cross-fitted by institution, and left out: best passage and weakest requirement (weights near 0), words
of the need's own language apart, feedback from the first passages (Rocchio), a correction for hubs (CSLS).
"""


@dataclass(frozen=True, slots=True)
class DenseScores:
    """Similarities of `n_profiles` with one need, standardised over the background (see `standardise`).

    `whole` and `theme` `(n_profiles,)` are for the need as a whole: soft and plain mean over the passages. `each`
    `(n_profiles, n_aspects)` is the best passage for each requirement. `raw` `(n_profiles,)` is `whole` before it
    was standardised.
    """

    profile_ids: tuple[str, ...]
    whole: Matrix
    theme: Matrix
    each: Matrix
    raw: Matrix


def standardise(values: Matrix, background: NDArray[np.bool_] | None = None) -> Matrix:
    """`(n_profiles, ...)` in standard deviations above the mean over the background profiles, per column."""
    chosen = values if background is None else values[background]
    deviation = chosen.std(axis=0)
    scaled: Matrix = ((values - chosen.mean(axis=0)) / np.maximum(deviation, 1e-6)).astype(np.float32)
    return scaled


def feature_matrix(
    dense: DenseScores,
    words: Mapping[str, float],
    fused: Mapping[str, float],
    roadmaps: Mapping[str, float],
) -> NDArray[np.float64]:
    """`(n_profiles, len(FEATURES))` in the order of `dense`; a profile that an arm did not find has 0 for it."""
    most_words = max(words.values(), default=0.0) or 1.0
    most_fused = max(fused.values(), default=0.0) or 1.0
    ids = dense.profile_ids
    said = np.array([words.get(profile, 0.0) / most_words for profile in ids])
    columns = (
        dense.whole,
        dense.theme,
        dense.each.mean(axis=1),
        said,
        np.array([fused.get(profile, 0.0) / most_fused for profile in ids]),
        np.array([roadmaps.get(profile, 0.0) for profile in ids]),
    )
    return np.column_stack(columns).astype(np.float64).reshape(len(ids), len(FEATURES))
