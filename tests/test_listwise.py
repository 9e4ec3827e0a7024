"""What the ranker's weights are learned with, on lists whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.calibration import Shown
from benchmarks.listwise import Listed, choose_difference, cross_fitted, learn

PLAIN = np.ones(3)


def lists(truth: dict[str, list[float]], n: int = 120, noise: float = 0.5) -> list[Listed]:
    """Needs whose right candidate is the best by the true weights of its language, and a bit of luck."""
    rng = np.random.default_rng(4)
    made = []
    for number in range(n):
        language = ("en", "nl")[number % 2]
        features = rng.normal(size=(20, 3))
        scores = features @ np.array(truth[language]) + rng.normal(scale=noise, size=20)
        made.append(Listed(language, f"institution {number % 12}", features, int(scores.argmax())))
    return made


def parts(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights as parts of their sum."""
    share: NDArray[np.float64] = weights / weights.sum()
    return share


def test_it_finds_the_weights_that_made_the_lists() -> None:
    found = learn(lists({"en": [2.0, 1.0, 0.0], "nl": [2.0, 1.0, 0.0]}), PLAIN, 1.0)
    for language in ("en", "nl"):
        np.testing.assert_allclose(parts(found[language]), [2 / 3, 1 / 3, 0.0], atol=0.08)


def test_no_weight_is_below_0() -> None:
    found = learn(lists({"en": [2.0, -1.0, 0.0], "nl": [2.0, -1.0, 0.0]}), PLAIN, 1.0)
    assert all((weights >= 0).all() for weights in found.values())
    assert found["en"][1] == 0.0


def test_languages_that_differ_get_weights_of_their_own() -> None:
    apart = lists({"en": [3.0, 0.0, 0.0], "nl": [0.0, 3.0, 0.0]})
    together = cross_fitted(apart, PLAIN, 100.0)
    chosen, figures = choose_difference(apart, PLAIN)
    assert chosen < 0.1
    assert min(figures[language] - together[language] for language in figures) > 0.05
    found = learn(apart, PLAIN, chosen)
    assert found["en"][0] > 3 * found["en"][1]
    assert found["nl"][1] > 3 * found["nl"][0]


def test_languages_that_agree_share_theirs() -> None:
    assert choose_difference(lists({"en": [2.0, 1.0, 0.0], "nl": [2.0, 1.0, 0.0]}), PLAIN)[0] == 1.0


def test_a_need_whose_answer_was_not_found_counts_as_missed() -> None:
    made = lists({"en": [2.0, 1.0, 0.0], "nl": [2.0, 1.0, 0.0]}, noise=0.0)
    whole = cross_fitted(made, PLAIN, 1.0)
    lost = [
        Listed(item.language, item.group, item.features, None if number < 60 else item.right)
        for number, item in enumerate(made)
    ]
    halved = cross_fitted(lost, PLAIN, 1.0)
    assert all(halved[language] == pytest.approx(whole[language] / 2, abs=0.05) for language in whole)


class TestShown:
    def test_true_chances_have_no_error_and_some_skill(self) -> None:
        rng = np.random.default_rng(0)
        chance = rng.uniform(size=20_000)
        right = (rng.uniform(size=20_000) < chance).astype(float)
        shown = Shown("", chance, right)
        assert shown.error() < 0.02
        assert shown.brier_skill() == pytest.approx(1 - (1 / 6) / (1 / 4), abs=0.02)

    def test_the_error_is_the_mean_gap_of_ten_equal_bins(self) -> None:
        chance = np.linspace(0.0, 0.99, 100)
        right = np.ones(100)
        assert Shown("", chance, right).error() == pytest.approx(float((1 - chance).mean()))

    def test_telling_the_share_alone_has_no_skill(self) -> None:
        right = np.array([1.0, 0.0, 0.0, 0.0] * 10)
        assert Shown("", np.full(40, 0.25), right).brier_skill() == pytest.approx(0.0)
