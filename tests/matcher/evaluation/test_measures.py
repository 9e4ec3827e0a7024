"""Measures against numbers worked out by hand, and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from matcher.evaluation.measures import estimate, ndcg, paired_difference, per_need, recall, reciprocal_rank


def test_by_hand() -> None:
    grades = {"a": 2, "b": 1, "c": 0}
    assert ndcg(["c", "a", "b"], grades, 10) == pytest.approx(
        (2 / math.log2(3) + 1 / math.log2(4)) / (2 / math.log2(2) + 1 / math.log2(3))
    )
    assert reciprocal_rank(["c", "a"], grades, 10) == 0.5
    assert reciprocal_rank(["c", "a"], grades, 1) == 0.0
    assert recall(["x", "b"], grades, 50) == 0.5


@given(st.lists(st.integers(0, 3), min_size=2, max_size=12), st.integers(0, 2**31))
def test_ndcg_equals_scikit_learn(grades: list[int], seed: int) -> None:
    if not any(grades):
        return
    names = [f"p{i}" for i in range(len(grades))]
    order = np.random.default_rng(seed).permutation(len(grades))
    scores = np.empty(len(grades))
    scores[order] = np.arange(len(grades), 0, -1)
    expected = ndcg_score([grades], [scores], k=10)
    assert ndcg([names[i] for i in order], dict(zip(names, grades, strict=True)), 10) == pytest.approx(
        expected
    )


def test_a_need_that_was_not_answered_scores_nothing_and_one_without_answers_is_left_out() -> None:
    qrels = {"n1": {"a": 1}, "n2": {"a": 1}, "n3": {"a": 0}}
    assert per_need({"n1": ["a"]}, qrels, "MRR@10") == {"n1": 1.0, "n2": 0.0}


def test_the_interval_holds_the_mean_and_repeats() -> None:
    values = np.random.default_rng(1).random(80).tolist()
    first = estimate(values)
    assert first == estimate(values)
    assert first.low < first.mean < first.high
    # Normal theory as the independent check.
    half = 1.96 * np.std(values, ddof=1) / math.sqrt(80)
    assert first.high - first.mean == pytest.approx(half, rel=0.15)


def test_the_paired_test_sees_a_steady_difference_and_no_other() -> None:
    rng = np.random.default_rng(2)
    base = {f"n{i}": float(value) for i, value in enumerate(rng.random(60))}
    better = {need: value + 0.05 + 0.02 * float(rng.normal()) for need, value in base.items()}
    shuffled = {need: value + 0.05 * float(rng.choice([-1, 1])) for need, value in base.items()}
    assert paired_difference(better, base).p_value < 0.001
    assert paired_difference(shuffled, base).p_value > 0.05


def test_the_paired_test_wants_the_same_needs() -> None:
    with pytest.raises(ValueError, match="expected the same needs in both systems, found 1 and 2"):
        paired_difference({"a": 1.0}, {"a": 1.0, "b": 0.0})
