"""The sign that nobody here fits."""

from __future__ import annotations

import math

from matcher.answerable import SIGNS, signs
from matcher.ranker import load_fit


def test_the_sign_is_the_best_score_in_units_of_luck() -> None:
    assert signs(6.0, 100).tolist() == [6.0 / math.sqrt(2.0 * math.log(100))]
    assert signs(6.0, 100) > signs(6.0, 10_000)


def test_a_better_best_score_makes_a_fit_likelier() -> None:
    fit = load_fit("general", len(SIGNS))
    chances = [fit.somebody_fits(signs(score, 65)) for score in (0.0, 4.0, 8.0, 16.0)]
    assert chances == sorted(chances)
    assert chances[0] < fit.fit_threshold < chances[-1]
