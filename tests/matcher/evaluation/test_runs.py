"""TREC runs, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from matcher.evaluation.runs import read_run, write_run


def test_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "run.txt"
    write_run(path, {"n1": [("a", 2.5), ("b", 1.0)], "n2": []}, "tag")
    assert path.read_text() == "n1 Q0 a 1 2.500000 tag\nn1 Q0 b 2 1.000000 tag\n"
    assert read_run(path) == {"n1": ["a", "b"]}
    assert list(tmp_path.iterdir()) == [path]


def test_an_id_with_a_space_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without white space"):
        write_run(tmp_path / "run.txt", {"n 1": [("a", 1.0)]}, "tag")
    assert not list(tmp_path.iterdir())


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text("n1 Q0 a first 1.0 tag\n")
    with pytest.raises(ValueError, match=r"run\.txt:1: expected 'need Q0 profile rank score tag'"):
        read_run(tmp_path / "run.txt")
