"""Fusion and pooling, recomputed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.fusion import RRF_CONSTANT, fuse
from matcher.model import ScoredPassage
from matcher.pooling import best_mean, pool


def ranked(*rows: int) -> list[ScoredPassage]:
    return [ScoredPassage(row, f"p{row % 2}", 1.0 / rank, rank) for rank, row in enumerate(rows, start=1)]


def test_fusion_adds_reciprocal_ranks() -> None:
    fused = fuse(ranked(1, 2, 3), ranked(3, 4), lexical_weight=0.5)
    scores = {passage.row: passage.score for passage in fused}
    first, second, third = (1 / (RRF_CONSTANT + rank) for rank in (1, 2, 3))
    assert scores == pytest.approx({1: first, 2: second, 3: third + 0.5 * first, 4: 0.5 * second})
    assert [passage.rank for passage in fused] == [1, 2, 3, 4]
    assert [passage.row for passage in fused] == [3, 1, 2, 4]


def test_fusion_breaks_ties_on_the_row() -> None:
    assert [passage.row for passage in fuse(ranked(9), ranked(4))] == [4, 9]


def test_pooling_sums_the_best_of_each_profile() -> None:
    passages = ranked(2, 4, 6, 8, 1)
    assert pool(passages, n_best=3) == pytest.approx({"p0": 1 + 1 / 2 + 1 / 3, "p1": 1 / 5})


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.integers(1, 4), st.integers(0, 2**31))
def test_best_mean_equals_a_plain_loop(sizes: list[int], n_best: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(sum(sizes), 2)).astype(np.float32)
    starts = np.cumsum([0, *sizes[:-1]]).astype(np.int64)
    expected = [
        [np.sort(values[start : start + size, column])[::-1][:n_best].mean() for column in range(2)]
        for start, size in zip(starts, sizes, strict=True)
    ]
    np.testing.assert_allclose(best_mean(values, starts, n_best), expected, rtol=1e-5, atol=1e-6)
