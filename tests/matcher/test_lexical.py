"""The lexical index: BM25 recomputed by hand, filters, removal."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from corpora.model import Document, Organisation, Passage, Profile, ProfileKind
from matcher.lexical import LexicalError, LexicalIndex, LexicalWriter, weigh

HERE = Organisation("here", "Here")
TEXTS = {
    "alpha": "laser laser weld",
    "beta": "laser polymer",
    "gamma": "membrane water",
}


def profile(name: str, text: str) -> tuple[Profile, Passage]:
    document = Document(f"{name}-d", name, "publication", "", text, "en")
    whole = Profile(name, ProfileKind.RESEARCH_GROUP, "", HERE, "en", "", (document,))
    return whole, Passage(f"{name}#", name, document.id, "text", 0, len(text), text, "en", ((0, len(text)),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    writer = LexicalWriter(tmp_path / "lexical")
    for row, (name, text) in enumerate(TEXTS.items()):
        whole, passage = profile(name, text)
        writer.add(whole, [(10 + row, passage)])
    writer.commit()
    return tmp_path / "lexical"


def bm25(word: str, text: str, texts: list[str], n_documents: int) -> float:
    """Robertson & Zaragoza (2009) with k1 = 1.2, b = 0.75 and Lucene's idf."""
    words = text.split()
    holding = sum(word in other.split() for other in texts)
    idf = math.log(1 + (n_documents - holding + 0.5) / (holding + 0.5))
    # Entries of profiles as wholes count as documents too, with no words in this field.
    mean_length = sum(len(other.split()) for other in texts) / n_documents
    count = words.count(word)
    return idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * len(words) / mean_length))


def test_scores_are_bm25(folder: Path) -> None:
    found = dict(LexicalIndex.open(folder).search(["laser"], 5))
    texts = list(TEXTS.values())
    assert found == pytest.approx(
        {10: bm25("laser", TEXTS["alpha"], texts, 6), 11: bm25("laser", TEXTS["beta"], texts, 6)}, rel=1e-4
    )


def test_the_best_comes_first_and_depth_cuts(folder: Path) -> None:
    index = LexicalIndex.open(folder)
    assert [row for row, _ in index.search(["laser", "weld"], 5)] == [10, 11]
    assert [row for row, _ in index.search(["laser", "weld"], 1)] == [10]
    assert [name for name, _ in index.search_profiles(["water"], 5)] == ["gamma"]


def test_scores_are_the_weighted_sum_over_words(folder: Path) -> None:
    found = dict(LexicalIndex.open(folder).search({"laser": 0.5, "weld": 2.0}, 5))
    texts = list(TEXTS.values())
    alpha = 0.5 * bm25("laser", TEXTS["alpha"], texts, 6) + 2.0 * bm25("weld", TEXTS["alpha"], texts, 6)
    assert found == pytest.approx({10: alpha, 11: 0.5 * bm25("laser", TEXTS["beta"], texts, 6)}, rel=1e-4)


def test_a_word_said_twice_weighs_less_than_two(folder: Path) -> None:
    assert weigh(["laser", "weld", "laser"]) == pytest.approx({"laser": 2**0.5, "weld": 1.0})
    index = LexicalIndex.open(folder)
    said = ["laser", "weld", "laser"]
    assert index.search(said, 5) == index.search(weigh(said), 5)
    assert index.search_profiles(said, 5) == index.search_profiles(weigh(said), 5)


def test_of_too_many_words_the_heaviest_are_searched(folder: Path) -> None:
    index = LexicalIndex.open(folder)
    many = {f"filler{number}": 0.5 for number in range(1000)}
    assert [row for row, _ in index.search(many | {"laser": 0.6}, 5)] == [10, 11]
    assert index.search(many | {"laser": 0.4}, 5) == []
    assert index.search([*many, "laser"], 5) == []


def test_only_allowed_profiles_come_back(folder: Path) -> None:
    index = LexicalIndex.open(folder)
    free = dict(index.search(["laser"], 5))
    assert dict(index.search(["laser"], 5, ["beta"])) == pytest.approx({11: free[11]})
    assert index.search(["laser"], 5, []) == []
    assert index.search_profiles(["laser"], 5, ["gamma"]) == []


def test_unknown_words_and_no_words_find_nothing(folder: Path) -> None:
    index = LexicalIndex.open(folder)
    assert index.search(["zeppelin"], 5) == []
    assert index.search([], 5) == []
    assert index.search({}, 5) == []


def test_a_removed_profile_is_gone_and_the_rest_stays(folder: Path) -> None:
    writer = LexicalWriter(folder)
    writer.remove_profile("alpha")
    writer.remove_profile("nobody")
    writer.commit()
    index = LexicalIndex.open(folder)
    assert index.row_ids().tolist() == [11, 12]
    assert [row for row, _ in index.search(["laser"], 5)] == [11]


def test_ties_break_on_the_row(tmp_path: Path) -> None:
    writer = LexicalWriter(tmp_path)
    for row, name in ((7, "b"), (3, "a"), (5, "c")):
        whole, passage = profile(name, "laser weld")
        writer.add(whole, [(row, passage)])
    writer.commit()
    assert [row for row, _ in LexicalIndex.open(tmp_path).search(["laser"], 5)] == [3, 5, 7]


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LexicalError, match=r"expected a lexical index in .*kennismatch index --rebuild"):
        LexicalIndex.open(tmp_path)
