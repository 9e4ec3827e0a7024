"""Fourth stage, second half: a linear ranker over the features, its weights kept as data.

Weights are learned on the choosing half of the committed split (`python -m benchmarks.fit`), one set per encoder where
there is one, else the general set; in each, one for needs in either language.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.chance import Curve, log_shares
from matcher.features import FEATURES


class RankerError(Exception):
    """The fitted weights do not suit this program."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Everything that was fitted for one encoder: ranker, calibration, thresholds; `about` says on what."""

    weights: Mapping[str, tuple[float, ...]]
    nobody: float
    chance: Curve
    fit_weights: tuple[float, ...]
    fit_intercept: float
    fit_threshold: float
    unmet_threshold: float
    about: str

    def score(self, features: NDArray[np.float64], language: str) -> NDArray[np.float64]:
        """`(n_profiles, len(FEATURES))` to `(n_profiles,)` scores, in logits, for a need in this language.

        A language that nothing was learned for is ranked by the mean of all.
        """
        own = self.weights.get(language)
        weights = np.mean(list(self.weights.values()), axis=0) if own is None else np.asarray(own)
        scores: NDArray[np.float64] = features @ weights
        return scores

    def chances(self, scores: NDArray[np.float64], n_profiles: int) -> NDArray[np.float64]:
        """`(n_candidates,)` chances, 0 to 1, of all candidates of a need, in a corpus of `n_profiles`."""
        return self.chance(log_shares(scores, self.nobody, n_profiles))

    def somebody_fits(self, signs: NDArray[np.float64]) -> float:
        """Chance, 0 to 1, that anybody here answers the need, from the signs of `matcher.answerable`."""
        logit = float(signs @ np.asarray(self.fit_weights) + self.fit_intercept)
        return float(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))))


def parse_fit(raw: dict[str, Any], n_signs: int) -> Fit:
    """A `Fit` from its JSON form.

    Raises:
        RankerError: it was made for other features than this program computes.
    """
    if raw["features"] != list(FEATURES) or len(raw["fit_weights"]) != n_signs:
        raise RankerError(
            f"expected weights for the features {list(FEATURES)} and {n_signs} signs, "
            f"found {raw['features']} and {len(raw['fit_weights'])}; fit again with `python -m benchmarks.fit`"
        )
    return Fit(
        weights={language: tuple(weights) for language, weights in raw["weights"].items()},
        nobody=raw["nobody"],
        chance=Curve(tuple(raw["chance"]["shares"]), tuple(raw["chance"]["chances"])),
        fit_weights=tuple(raw["fit_weights"]),
        fit_intercept=raw["fit_intercept"],
        fit_threshold=raw["fit_threshold"],
        unmet_threshold=raw["unmet_threshold"],
        about=raw["about"],
    )


@lru_cache(maxsize=8)
def load_fit(encoder_name: str, n_signs: int) -> Fit:
    """The fit for this encoder, else the general one."""
    text = resources.files("matcher").joinpath("fits.json").read_text(encoding="utf-8")
    fits: dict[str, Any] = json.loads(text)
    return parse_fit(fits.get(encoder_name, fits["general"]), n_signs)
