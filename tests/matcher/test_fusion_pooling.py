"""Fusion and pooling, recomputed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.fusion import RRF_CONSTANT, fuse
from matcher.model import ScoredPassage
from matcher.pooling import plain_mean, pool, soft_mean


def ranked(*rows: int) -> list[ScoredPassage]:
    return [ScoredPassage(row, f"p{row % 2}", 1.0 / rank, rank) for rank, row in enumerate(rows, start=1)]


def test_fusion_adds_reciprocal_ranks() -> None:
    fused = fuse(ranked(1, 2, 3), ranked(3, 4))
    scores = {passage.row: passage.score for passage in fused}
    first, second, third = (1 / (RRF_CONSTANT + rank) for rank in (1, 2, 3))
    assert scores == pytest.approx({1: first, 2: second, 3: third + first, 4: second})
    assert [passage.rank for passage in fused] == [1, 2, 3, 4]
    assert [passage.row for passage in fused] == [3, 1, 2, 4]  # rows 2 and 4 tie


def test_fusion_breaks_ties_on_the_row() -> None:
    assert [passage.row for passage in fuse(ranked(9), ranked(4))] == [4, 9]


def test_pooling_sums_the_best_of_each_profile() -> None:
    passages = ranked(2, 4, 6, 8, 1)
    assert pool(passages, n_best=3) == pytest.approx({"p0": 1 + 1 / 2 + 1 / 3, "p1": 1 / 5})


GROUPS = st.lists(st.integers(1, 6), min_size=1, max_size=8)


@given(GROUPS, st.floats(0.01, 5.0), st.integers(0, 2**31))
def test_means_equal_a_plain_loop(sizes: list[int], temperature: float, seed: int) -> None:
    values = np.random.default_rng(seed).uniform(-1, 1, size=(sum(sizes), 2)).astype(np.float32)
    starts = np.cumsum([0, *sizes[:-1]]).astype(np.int64)
    soft = np.empty((len(sizes), 2))
    plain = np.empty((len(sizes), 2))
    for group, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        for column in range(2):
            rows = [float(value) for value in values[start : start + size, column]]
            plain[group, column] = sum(rows) / size
            lifted = [math.exp(value / temperature) for value in rows]
            soft[group, column] = temperature * math.log(sum(lifted) / size)
    np.testing.assert_allclose(soft_mean(values, starts, temperature), soft, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(plain_mean(values, starts), plain, rtol=1e-4, atol=1e-5)


@given(GROUPS, st.integers(0, 2**31))
def test_the_soft_mean_lies_between_the_mean_and_the_best(sizes: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).uniform(-1, 1, size=(sum(sizes), 1)).astype(np.float32)
    starts = np.cumsum([0, *sizes[:-1]]).astype(np.int64)
    found = soft_mean(values, starts, 0.05)
    assert (found <= np.maximum.reduceat(values, starts, axis=0) + 1e-5).all()
    assert (found >= plain_mean(values, starts) - 1e-5).all()


def test_many_passages_are_no_merit() -> None:
    once = soft_mean(np.array([[0.8], [0.2]], dtype=np.float32), np.array([0]), 0.03)
    often = soft_mean(np.array([[0.8], [0.2]] * 9, dtype=np.float32), np.array([0]), 0.03)
    np.testing.assert_allclose(once, often, atol=1e-6)
