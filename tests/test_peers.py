"""The comparison with peers: its pure parts, and what it says where something is missing. Without txtai."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peer_systems import (
    DEPTH,
    MARKS,
    SYSTEMS,
    Task,
    best_per_profile,
    best_profiles,
    external_vectors,
)
from benchmarks.peers import Failure, Outcome, paired_tests, parsed, table
from embeddings.encoders import Vectors

LANGUAGES = {"n1": "en", "n2": "nl"}


def outcome(system: str) -> Outcome:
    return Outcome(system, {}, [10.0, 30.0], index_s=1.25, peak_mb=512.4, n_passages=3, vectors="none")


class TestBestPassagePerProfile:
    def test_a_profile_stands_where_its_best_passage_does(self) -> None:
        owners = ["a", "a", "b", "c", "c"]
        assert best_per_profile([3, 1, 4, 0, 2], owners, 10) == ["c", "a", "b"]
        assert best_per_profile([3, 1, 4, 0, 2], owners, 2) == ["c", "a"]

    def test_the_search_goes_deeper_until_there_are_enough_profiles(self) -> None:
        owners = ["a"] * DEPTH + ["b", "c"] + ["a"] * DEPTH
        asked: list[int] = []

        def search(depth: int) -> list[int]:
            asked.append(depth)
            return list(range(len(owners)))[:depth]

        assert best_profiles(search, owners) == (["a", "b", "c"], 2 * DEPTH)
        assert asked == [DEPTH, 2 * DEPTH]

    def test_a_search_that_has_no_more_is_not_asked_again(self) -> None:
        owners = [str(row) for row in range(5 * DEPTH)]
        assert best_profiles(lambda depth: [7, 3], owners) == (["7", "3"], DEPTH)

    def test_nor_is_one_that_was_asked_for_all_passages(self) -> None:
        assert best_profiles(lambda depth: [0] * depth, ["a", "b"]) == (["a"], DEPTH)


class TestTable:
    def test_a_row_has_quality_by_language_then_speed_memory_and_index(self) -> None:
        lines = table([outcome("x")], {"x": {"n1": 1.0, "n2": 0.5}}, LANGUAGES)
        assert lines == [
            "| system | nDCG@10 en | nDCG@10 nl | needs/s | p50 ms | p95 ms | peak MB | index s "
            "| vectors of passages |",
            "|---|---|---|---|---|---|---|---|---|",
            "| x | 1.000 [1.000, 1.000] | 0.500 [0.500, 0.500] | 50.0 | 20.0 | 29.0 | 512 | 1.2 | none |",
        ]

    def test_a_system_that_failed_has_its_error_in_one_cell(self) -> None:
        line = table([Failure("x", "expected a | b,\nfound c")], {}, LANGUAGES)[-1]
        assert line == "| x | failed: expected a \\| b, found c | – | – | – | – | – | – | – |"


class TestPairedTests:
    def test_ours_against_every_other_by_language(self) -> None:
        values = {"kennismatch": {"n1": 1.0, "n2": 0.5}, "x": {"n1": 0.25, "n2": 0.75}}
        assert paired_tests(values, LANGUAGES) == [
            "- kennismatch minus x, en: +0.750 (p = 1.0000, 1 needs)",
            "- kennismatch minus x, nl: -0.250 (p = 1.0000, 1 needs)",
        ]

    def test_without_ours_there_are_none(self) -> None:
        assert paired_tests({"x": {"n1": 1.0}}, LANGUAGES) == [
            "- none: they are of kennismatch against the others, and there are no figures of it"
        ]


class Forms:
    """Tells by the vector in which form a text was encoded, and by its length that the mark was gone."""

    name, dim, fingerprint = "forms", 2, "forms"

    def encode_queries(self, texts: list[str]) -> Vectors:
        return np.array([[1, len(text)] for text in texts], dtype=np.float32)

    def encode_passages(self, texts: list[str]) -> Vectors:
        return np.array([[2, len(text)] for text in texts], dtype=np.float32)


class TestExternalVectors:
    def test_marked_texts_get_their_form_without_the_mark(self) -> None:
        transform = external_vectors(Forms())
        assert transform([MARKS["query"] + "abc"]).tolist() == [[1, 3]]
        assert transform([MARKS["data"] + "query", MARKS["data"]]).tolist() == [[2, 5], [2, 0]]

    def test_unmarked_texts_are_refused(self) -> None:
        with pytest.raises(ValueError, match="expected texts that txtai has marked"):
            external_vectors(Forms())(["abc"])


class TestWhatIsMissing:
    @pytest.mark.parametrize(
        ("system", "module"),
        [
            ("txtai-hybrid", "txtai"),
            ("txtai-bm25", "txtai"),
            ("sentence-transformers", "sentence_transformers"),
        ],
    )
    def test_the_error_names_the_extra(
        self, system: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, module, None)
        passages = tmp_path / "passages.jsonl"
        passages.write_text('["a", "text"]\n', encoding="utf-8")
        with pytest.raises(SystemExit, match=r'run: pip install "kennismatch\[peers\]"'):
            SYSTEMS[system](Task(tmp_path, passages, tmp_path, tmp_path))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "expected one of --collection and --reference"),
            (["--collection", "x", "--reference", "report"], "expected one of --collection and --reference"),
            (["--collection", "x", "--needs", "y"], "expected --needs and --qrels together"),
            (["--collection", "x", "--systems", "bing"], "expected systems of kennismatch, "),
            (["--collection", "x", "--threads", "0"], "expected --threads of 1 to "),
        ],
    )
    def test_options_that_do_not_fit_are_told(
        self, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            parsed(arguments)
        assert message in capsys.readouterr().err
