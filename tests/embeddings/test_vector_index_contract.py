"""What every `VectorIndex` does, against brute force in numpy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.vectors import VectorIndex, VectorIndexError
from embeddings.vectors.flat import FlatIndex

DIM = 8

Loader = Callable[[Path], VectorIndex]
IMPLEMENTATIONS: dict[str, tuple[Callable[[int], VectorIndex], Loader]] = {
    "flat": (FlatIndex, FlatIndex.load)
}


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest) -> tuple[Callable[[int], VectorIndex], Loader]:
    return IMPLEMENTATIONS[request.param]


@pytest.fixture
def empty(implementation) -> VectorIndex:
    return implementation[0](DIM)


def unit(rng: np.random.Generator, n: int, dim: int = DIM) -> np.ndarray:
    vectors = rng.standard_normal((n, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute_force(
    held: dict[int, np.ndarray], query: np.ndarray, k: int, allowed: list[int] | None
) -> list[int]:
    """Ids by score, ties by id: in plain Python, from double precision."""
    ids = [i for i in held if allowed is None or i in allowed]
    scores = {i: float(np.dot(held[i].astype(np.float64), query.astype(np.float64))) for i in ids}
    return sorted(ids, key=lambda i: (-scores[i], i))[:k]


def test_it_keeps_the_protocol(empty):
    assert isinstance(empty, VectorIndex)
    assert empty.dim == DIM
    assert len(empty) == 0
    assert empty.ids().tolist() == []
    ids, scores = empty.search(unit(np.random.default_rng(1), 1), 5)[0]
    assert (ids.dtype, scores.dtype, len(ids), len(scores)) == (np.int64, np.float32, 0, 0)


def test_scores_are_inner_products_best_first(empty):
    vectors = unit(np.random.default_rng(2), 50)
    empty.add(np.arange(100, 150), vectors)
    queries = unit(np.random.default_rng(3), 40)  # more than one batch of FAISS's
    for query, (ids, scores) in zip(queries, empty.search(queries, 10), strict=True):
        expected = vectors.astype(np.float64) @ query.astype(np.float64)
        assert ids.tolist() == (100 + np.argsort(-expected)[:10]).tolist()
        np.testing.assert_allclose(scores, np.sort(expected)[::-1][:10], atol=1e-6)


def test_known_answer(empty):
    axes = np.eye(DIM, dtype=np.float32)
    empty.add(np.array([7, 3, 5]), axes[:3])
    query = np.array([[0.6, 0.8, 0, 0, 0, 0, 0, 0]], dtype=np.float32)
    ids, scores = empty.search(query, 3)[0]
    assert ids.tolist() == [3, 7, 5]
    np.testing.assert_allclose(scores, [0.8, 0.6, 0.0], atol=1e-7)


@pytest.mark.parametrize("k", [1, 3, 49, 50, 51, 1000])
@pytest.mark.parametrize("queries", [1, 15, 33])
def test_ties_go_by_id_also_where_the_last_place_is_tied(empty, k, queries):
    """Fifty equal vectors, added in no order: the k smallest ids come back."""
    ids = np.random.default_rng(4).permutation(50).astype(np.int64)
    one = unit(np.random.default_rng(5), 1)
    empty.add(ids, np.repeat(one, 50, axis=0))
    for found, scores in empty.search(np.repeat(one, queries, axis=0), k):
        assert found.tolist() == list(range(min(k, 50)))
        assert len(set(scores.tolist())) == 1


def test_ties_at_real_size():
    """384 numbers, 3,000 vectors, each three times: equal vectors get equal scores wherever they stand."""
    vectors = unit(np.random.default_rng(6), 1000, 384)
    index = FlatIndex(384)
    index.add(np.arange(3000), np.concatenate([vectors, vectors, vectors]))
    for row, (ids, _) in enumerate(index.search(vectors[:40], 2)):
        assert ids.tolist() == [row, row + 1000]


def test_more_asked_than_held(empty):
    empty.add(np.arange(3), unit(np.random.default_rng(7), 3))
    ids, scores = empty.search(unit(np.random.default_rng(8), 1), 1000)[0]
    assert sorted(ids.tolist()) == [0, 1, 2]
    assert np.isfinite(scores).all()


def test_allowed_is_exact_and_may_name_unknown_ids(empty):
    rng = np.random.default_rng(9)
    vectors = unit(rng, 300)
    empty.add(np.arange(300), vectors)
    held = dict(enumerate(vectors))
    query = unit(rng, 1)
    for allowed in ([], [999], [5], [5, 5, 999], list(range(0, 300, 7)), list(range(300))):
        found = empty.search(query, 20, np.array(allowed, dtype=np.int64))[0][0]
        assert found.tolist() == brute_force(held, query[0], 20, allowed)


def test_allowed_does_not_change_scores(empty):
    vectors = unit(np.random.default_rng(10), 100)
    empty.add(np.arange(100), vectors)
    free, some = (empty.search(vectors[:1], 100, allowed)[0] for allowed in (None, np.arange(100)))
    assert free[0].tolist() == some[0].tolist()
    assert free[1].tolist() == some[1].tolist()


def test_an_id_that_is_held_is_refused_and_nothing_is_added(empty):
    vectors = unit(np.random.default_rng(11), 3)
    empty.add(np.array([1, 2]), vectors[:2])
    with pytest.raises(ValueError, match="expected new ids, found already held: 2; remove them first"):
        empty.add(np.array([3, 2]), vectors[1:])
    assert empty.ids().tolist() == [1, 2]


def test_an_id_given_twice_is_refused(empty):
    with pytest.raises(ValueError, match="expected each id once, found more than once: 4"):
        empty.add(np.array([4, 4]), unit(np.random.default_rng(12), 2))
    assert len(empty) == 0


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.full((1, DIM), np.nan), "found NaN or infinity"),
        (np.array([[np.inf] + [0] * (DIM - 1)]), "found NaN or infinity"),
        (np.zeros((1, DIM)), "expected vectors of length 1, found 0.0000 for id 1"),
        (np.ones((1, DIM)), "expected vectors of length 1, found 2.8284 for id 1"),
        (np.ones((1, DIM + 1)), r"expected vectors of shape \(n, 8\), found \(1, 9\)"),
        (np.ones(DIM), r"expected vectors of shape \(n, 8\), found \(8,\)"),
        (np.ones((2, DIM)), "found 1 ids and 2 vectors"),
    ],
)
def test_vectors_that_are_none_are_refused(empty, vectors, message):
    with pytest.raises(ValueError, match=message):
        empty.add(np.array([1]), vectors.astype(np.float32))
    assert len(empty) == 0


def test_questions_that_are_none_are_refused(empty):
    empty.add(np.array([1]), unit(np.random.default_rng(13), 1))
    with pytest.raises(ValueError, match="NaN or infinity"):
        empty.search(np.full((1, DIM), np.nan, dtype=np.float32), 1)
    with pytest.raises(ValueError, match=r"shape \(n, 8\), found \(1, 3\)"):
        empty.search(np.ones((1, 3), dtype=np.float32), 1)
    with pytest.raises(ValueError, match="at least 1 neighbour, found 0"):
        empty.search(unit(np.random.default_rng(14), 1), 0)
    assert empty.search(np.empty((0, DIM), dtype=np.float32), 1) == []


def test_removed_vectors_are_gone_and_their_ids_free(empty):
    vectors = unit(np.random.default_rng(15), 4)
    empty.add(np.arange(4), vectors)
    assert empty.remove(np.array([1, 77, 1])) == 1
    assert empty.remove(np.array([1])) == 0
    assert empty.remove(np.array([], dtype=np.int64)) == 0
    assert empty.ids().tolist() == [0, 2, 3]
    assert 1 not in empty.search(vectors[1:2], 4)[0][0]
    empty.add(np.array([1]), vectors[3:])
    assert empty.search(vectors[3:], 2)[0][0].tolist() == [1, 3]


def test_saved_and_loaded_it_answers_the_same(empty, implementation, tmp_path):
    vectors = unit(np.random.default_rng(16), 20)
    empty.add(np.array(range(40, 0, -2)), vectors)
    empty.remove(np.array([10]))
    empty.save(tmp_path / "a.index")
    again = implementation[1](tmp_path / "a.index")
    assert again.ids().tolist() == empty.ids().tolist()
    for old, new in zip(empty.search(vectors, 20), again.search(vectors, 20), strict=True):
        assert old[0].tolist() == new[0].tolist()
        assert old[1].tolist() == new[1].tolist()
    again.add(np.array([10]), vectors[:1])
    assert len(again) == 20


def test_an_empty_index_can_be_saved(empty, implementation, tmp_path):
    empty.save(tmp_path / "a.index")
    again = implementation[1](tmp_path / "a.index")
    assert (len(again), again.dim) == (0, DIM)


def test_saving_replaces_the_old_file_and_leaves_nothing_else(empty, implementation, tmp_path):
    empty.save(tmp_path / "a.index")
    empty.add(np.array([1]), unit(np.random.default_rng(17), 1))
    empty.save(tmp_path / "a.index")
    assert len(implementation[1](tmp_path / "a.index")) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.index"]


def test_a_folder_that_is_not_there(empty, implementation, tmp_path):
    with pytest.raises(VectorIndexError, match=r"expected to write the vector index .* found: .*; make room"):
        empty.save(tmp_path / "none" / "a.index")
    with pytest.raises(
        VectorIndexError, match=r"expected a vector index in .* found: .*; build the index again"
    ):
        implementation[1](tmp_path / "a.index")


def test_many_threads_read_at_once(empty):
    vectors = unit(np.random.default_rng(18), 500)
    empty.add(np.arange(500), vectors)
    expected = [ids.tolist() for ids, _ in empty.search(vectors[:40], 10)]
    wrong: list[int] = []

    def read(row: int) -> None:
        for _ in range(20):
            if empty.search(vectors[row : row + 1], 10, np.arange(500))[0][0].tolist() != expected[row]:
                wrong.append(row)

    threads = [threading.Thread(target=read, args=(row,)) for row in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


IDS = st.integers(-5, 25)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("add"), st.lists(st.tuples(IDS, st.integers(0, 9)), max_size=6, unique_by=lambda x: x[0])
        ),
        st.tuples(st.just("remove"), st.lists(IDS, max_size=4)),
        st.tuples(
            st.just("search"), st.integers(0, 9), st.integers(1, 30), st.none() | st.lists(IDS, max_size=8)
        ),
    ),
    max_size=25,
)
POOL = np.concatenate([np.eye(DIM), -np.eye(DIM)[:1], unit(np.random.default_rng(19), 1)]).astype(np.float32)
"""Ten vectors, so that ties are the rule. All but the last have exact inner products."""


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_any_sequence_of_steps_answers_as_brute_force_does(name, steps):
    index = IMPLEMENTATIONS[name][0](DIM)
    held: dict[int, np.ndarray] = {}
    for step in steps:
        if step[0] == "add":
            ids = np.array([i for i, _ in step[1]], dtype=np.int64)
            vectors = POOL[[v for _, v in step[1]]]
            if held.keys() & set(ids.tolist()):
                with pytest.raises(ValueError, match="already held"):
                    index.add(ids, vectors)
            else:
                index.add(ids, vectors)
                held.update(zip(ids.tolist(), vectors, strict=True))
        elif step[0] == "remove":
            gone = held.keys() & set(step[1])
            assert index.remove(np.array(step[1], dtype=np.int64)) == len(gone)
            held = {i: vector for i, vector in held.items() if i not in gone}
        else:
            _, query, k, allowed = step
            mask = None if allowed is None else np.array(allowed, dtype=np.int64)
            found = index.search(POOL[query : query + 1], k, mask)[0][0]
            assert found.tolist() == brute_force(held, POOL[query], k, allowed)
        assert index.ids().tolist() == sorted(held)
        assert len(index) == len(held)
