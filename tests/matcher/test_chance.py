"""Shares of candidates, and what they come to as chances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.chance import Curve, log_shares, luckiest

SCORES = st.lists(st.floats(-50, 50), min_size=1, max_size=30)


@given(SCORES, st.floats(0, 5), st.integers(1, 10_000))
def test_shares_and_nobody_s_add_up_to_one(scores: list[float], nobody: float, n_profiles: int) -> None:
    none = nobody * math.sqrt(2 * math.log(max(3, n_profiles)))
    total = math.fsum(math.exp(score) for score in scores) + math.exp(none)
    found = log_shares(np.array(scores), nobody, n_profiles)
    expected = [score - math.log(total) for score in scores]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert (found <= 1e-9).all()


def test_two_that_fit_alike_share_the_chance() -> None:
    alone = log_shares(np.array([12.0, 2.0]), 1.0, 100)
    beside = log_shares(np.array([12.0, 12.0, 2.0]), 1.0, 100)
    assert math.exp(alone[0]) > 0.99
    assert math.exp(beside[0]) == pytest.approx(0.5, abs=0.01)


def test_the_best_of_a_few_poor_ones_is_not_sure() -> None:
    assert math.exp(log_shares(np.array([3.0, 1.0]), 3.0, 667)[0]) < 0.01


def test_a_larger_corpus_asks_for_more() -> None:
    assert luckiest(667) > luckiest(65) > luckiest(3) == luckiest(1)
    scores = np.array([9.0])
    assert log_shares(scores, 3.0, 65)[0] > log_shares(scores, 3.0, 667)[0]


def test_extreme_scores_do_not_overflow() -> None:
    found = log_shares(np.array([1e6, -1e6]), 1.0, 100)
    assert found[0] == pytest.approx(0.0)
    assert np.isfinite(found).all()


def test_no_candidates_have_no_shares() -> None:
    assert log_shares(np.empty(0), 1.0, 10).shape == (0,)


def test_a_curve_is_flat_beyond_its_ends() -> None:
    curve = Curve((-4.0, -1.0), (0.1, 0.7))
    np.testing.assert_allclose(curve(np.array([-9.0, -4.0, -2.5, -1.0, 0.0])), [0.1, 0.1, 0.4, 0.7, 0.7])
