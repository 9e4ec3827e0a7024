"""The fitted weights: what ships, and what they do."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest

from matcher.answerable import SIGNS
from matcher.features import FEATURES
from matcher.ranker import RankerError, load_fit, parse_fit

SHIPPED = json.loads(resources.files("matcher").joinpath("fits.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("encoder", sorted(SHIPPED))
def test_what_ships_can_be_used(encoder: str) -> None:
    fit = load_fit(encoder, len(SIGNS))
    assert fit.weights.keys() == {"en", "nl"}
    assert all(len(weights) == len(FEATURES) for weights in fit.weights.values())
    assert all(weight >= 0 for weights in fit.weights.values() for weight in weights)
    assert list(fit.chance.shares) == sorted(fit.chance.shares)
    assert fit.chance.shares[-1] <= 0
    assert list(fit.chance.chances) == sorted(fit.chance.chances)
    assert 0 < fit.chance.chances[0] < fit.chance.chances[-1] < 1
    assert 0 < fit.fit_threshold < 1


def test_an_unknown_encoder_gets_the_general_fit() -> None:
    assert load_fit("somebody's own", len(SIGNS)).about == SHIPPED["general"]["about"]


def test_scores_are_weighted_sums_by_the_language_of_the_need() -> None:
    weights = {"en": [1.0] * len(FEATURES), "nl": [3.0] * len(FEATURES)}
    fit = parse_fit({**SHIPPED["general"], "weights": weights}, len(SIGNS))
    features = np.array([[1.0] * len(FEATURES), [0.5] * len(FEATURES)])
    n = len(FEATURES)
    assert fit.score(features, "en").tolist() == [n, n / 2]
    assert fit.score(features, "nl").tolist() == [3 * n, 1.5 * n]
    assert fit.score(features, "de").tolist() == [2 * n, n]


def test_weights_for_other_features_are_refused() -> None:
    with pytest.raises(
        RankerError, match=r"expected weights for the features \['dense', .* found \['dense'\] and 1"
    ):
        parse_fit({**SHIPPED["general"], "features": ["dense"]}, len(SIGNS))
