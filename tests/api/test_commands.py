"""The command line: what each command does, and what it says when it cannot."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli import app
from matcher.explain import MAX_EVIDENCE
from tests.api.conftest import WELDING
from tests.api.servers import kennismatch


def run(*arguments: str | Path, expect: int = 0) -> Result:
    """Run a command in this process; its standard error is `result.stderr`."""
    result = CliRunner().invoke(app, [str(item) for item in arguments])
    assert result.exit_code == expect, result.output + repr(result.exception)
    return result


def complaint(*arguments: str | Path) -> str:
    """What a command says on standard error that cannot do what it was asked: one message, no traceback."""
    result = run(*arguments, expect=1)
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("kennismatch: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


class TestImportAndIndex:
    def test_from_a_collection_to_an_answer(self, collection: Path, tmp_path: Path) -> None:
        data = tmp_path / "data"
        assert "5 profiles added, 0 changed, 0 unchanged" in run("import", collection, "--data", data).stdout
        assert "0 profiles added, 0 changed, 5 unchanged" in run("--data", data, "import", collection).stdout
        assert "Generation g000001 is live: 5 profiles" in run("index", "--data", data).stdout
        assert "Nothing has changed: generation g000001" in run("index", "--data", data).stdout

    def test_broken_lines_are_told_and_the_rest_is_imported(self, collection: Path, tmp_path: Path) -> None:
        folder = tmp_path / "collection"
        shutil.copytree(collection, folder)
        groups = folder / "groups.jsonl"
        groups.write_bytes(b'{"id": "x", \n' + groups.read_bytes())
        result = run("import", folder, "--data", tmp_path / "data")
        assert "5 profiles added" in result.stdout
        assert "left out: groups.jsonl, line 1" in result.stderr

    def test_no_collection(self, tmp_path: Path) -> None:
        message = complaint("import", tmp_path / "none", "--data", tmp_path / "data")
        assert "expected a collection folder at" in message

    def test_roll_back(self, data: Path) -> None:
        assert "expected a generation before g000001 to go back to" in complaint("rollback", "--data", data)
        run("index", "--rebuild", "--data", data)
        assert "Generation g000001 is live again" in run("rollback", "--data", data).stdout


class TestMatch:
    def test_a_need_in_words(self, prepared: Path) -> None:
        result = run("match", WELDING, "--data", prepared)
        assert "1. Lasprocessen en Verbindingstechniek (LVT)" in result.stdout
        assert "Technische Universiteit Salverland" in result.stdout

    def test_as_json(self, prepared: Path) -> None:
        answer = json.loads(run("match", WELDING, "--json", "--limit", "1", "--data", prepared).stdout)
        assert [match["profile"]["id"] for match in answer["matches"]] == ["lasprocessen"]

    @pytest.mark.parametrize(("separator", "start", "ends"), [(",", "", "\n"), (";", "\ufeff", "\r\n")])
    def test_a_file_of_needs(
        self, prepared: Path, tmp_path: Path, separator: str, start: str, ends: str
    ) -> None:
        needs, out = tmp_path / "needs.csv", tmp_path / "matches.csv"
        rows = [
            ["id", "text", "language"],
            ["a", WELDING, "nl"],
            ["b", "🙂", ""],
            ["c", "Who makes optical chips?", "en"],
        ]
        text = ends.join(separator.join(f'"{cell}"' for cell in row) for row in rows)
        needs.write_text(start + text + ends, encoding="utf-8", newline="")
        result = run("match", "--file", needs, "--out", out, "--limit", "2", "--data", prepared)
        assert "2 needs matched, 1 could not be" in result.stdout
        with out.open(encoding="utf-8-sig", newline="") as stream:
            found = list(csv.DictReader(stream, delimiter=separator))
        assert [(row["need_id"], row["rank"]) for row in found] == [
            ("a", "1"), ("a", "2"), ("b", ""), ("c", "1"), ("c", "2"),
        ]  # fmt: skip
        assert found[0]["profile_id"] == "lasprocessen"
        assert found[0]["quote_1"]
        assert f"quote_{MAX_EVIDENCE}" in found[0]
        assert "only symbols" in found[2]["problem"]
        assert found[3]["profile_id"] == "geintegreerde-fotonica"
        assert [path.name for path in sorted(tmp_path.iterdir())] == ["matches.csv", "needs.csv"]

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "expected columns id, text and perhaps language"),
            (b"nr,vraag\n1,lassen\n", "found nr, vraag"),
            (b"id,text\n1,las\xe9n\n", "to be in UTF-8, found another byte at place 13"),
            (b"id,text\n1,lassen\n1,frezen\n", "found '1' once more at line 3"),
            (b"id,text\n,lassen\n", "found none at line 2"),
        ],
    )
    def test_a_file_that_is_wrong(self, prepared: Path, tmp_path: Path, content: bytes, says: str) -> None:
        needs, out = tmp_path / "needs.csv", tmp_path / "matches.csv"
        needs.write_bytes(content)
        assert says in complaint("match", "--file", needs, "--out", out, "--data", prepared)
        assert not out.exists()

    def test_a_formula_stays_text_in_a_spreadsheet(self, prepared: Path, tmp_path: Path) -> None:
        needs, out = tmp_path / "needs.csv", tmp_path / "matches.csv"
        needs.write_text(f'id,text\n=1+1,"{WELDING}"\n', encoding="utf-8")
        run("match", "--file", needs, "--out", out, "--limit", "1", "--data", prepared)
        assert "'=1+1" in out.read_text(encoding="utf-8-sig")

    def test_an_answer_that_cannot_be_written(self, prepared: Path, tmp_path: Path) -> None:
        needs = tmp_path / "needs.csv"
        needs.write_text("id,text\n1,lassen van aluminium\n", encoding="utf-8")
        message = complaint(
            "match", "--file", needs, "--out", tmp_path / "none" / "out.csv", "--data", prepared
        )
        assert "no such file or folder" in message

    def test_neither_or_both(self, prepared: Path, tmp_path: Path) -> None:
        assert "give one of the two" in complaint("match", "--data", prepared)
        assert "name both" in complaint("match", "--file", tmp_path / "x.csv", "--data", prepared)

    @pytest.mark.parametrize(
        ("need", "says"), [("", "found nothing"), ("x", "at least a word"), ("!?", "only symbols")]
    )
    def test_a_need_that_cannot_be_matched(self, prepared: Path, need: str, says: str) -> None:
        assert says in complaint("match", need, "--data", prepared)

    def test_nothing_is_indexed(self, tmp_path: Path) -> None:
        message = complaint("match", WELDING, "--data", tmp_path / "none")
        assert "found none; run `kennismatch index`" in message
        assert not (tmp_path / "none").exists()

    def test_an_unknown_encoder(self, prepared: Path) -> None:
        assert "nothing-of-that-name" in complaint(
            "match", WELDING, "--data", prepared, "--encoder", "nothing-of-that-name"
        )

    def test_a_deleted_generation(self, data: Path) -> None:
        shutil.rmtree(data / "index" / "g000001")
        assert "g000001" in complaint("match", WELDING, "--data", data)
        run("index", "--data", data)
        assert "Lasprocessen" in run("match", WELDING, "--data", data).stdout

    def test_a_truncated_index_file(self, data: Path) -> None:
        file = data / "index" / "g000001" / "passages.faiss"
        file.write_bytes(file.read_bytes()[:-100])
        assert "passages.faiss" in complaint("match", WELDING, "--data", data)


class TestEmbed:
    @pytest.mark.parametrize("kind", ["query", "passage"])
    def test_one_vector_a_line(self, tmp_path: Path, kind: str) -> None:
        texts, out = tmp_path / "texts.txt", tmp_path / "vectors.npy"
        texts.write_bytes("\ufefflassen\r\nwelding\x0bof plates\r\n\r\noptics".encode())
        run("embed", texts, "--kind", kind, "--out", out, "--data", tmp_path / "data")
        vectors = np.load(out)
        assert (vectors.shape, vectors.dtype) == ((4, 384), np.float32)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)
        assert not (tmp_path / "data").exists()

    def test_queries_and_passages_differ(self, tmp_path: Path) -> None:
        texts = tmp_path / "texts.txt"
        texts.write_text("lassen\n", encoding="utf-8")
        for kind in ("query", "passage"):
            run("embed", texts, "--kind", kind, "--out", tmp_path / f"{kind}.npy")
        assert not np.allclose(np.load(tmp_path / "query.npy"), np.load(tmp_path / "passage.npy"))

    def test_no_text_gives_no_vectors(self, tmp_path: Path) -> None:
        (tmp_path / "texts.txt").touch()
        run("embed", tmp_path / "texts.txt", "--kind", "query", "--out", tmp_path / "vectors.npy")
        assert np.load(tmp_path / "vectors.npy").shape == (0, 384)

    def test_no_file_and_another_encoding(self, tmp_path: Path) -> None:
        out = tmp_path / "vectors.npy"
        assert "no such file or folder" in complaint("embed", tmp_path / "x", "--kind", "query", "--out", out)
        (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
        message = complaint("embed", tmp_path / "latin.txt", "--kind", "query", "--out", out)
        assert "to be in UTF-8, found another byte at place 3" in message
        assert not out.exists()


class TestStatus:
    def test_all_agree(self, prepared: Path) -> None:
        found = json.loads(run("status", "--json", "--data", prepared).stdout)
        assert found["agree"] is True
        assert found["profiles"] == found["profiles_indexed"] == 5
        assert found["passages"] == found["vectors"] == found["lexical_entries"] > 0
        assert (found["generation"], found["index_encoder"], found["server_pid"]) == (
            "g000001",
            "kennismatch-e5-nl-en",
            None,
        )

    def test_records_that_changed_are_told(self, data: Path, collection: Path, tmp_path: Path) -> None:
        folder = tmp_path / "collection"
        shutil.copytree(collection, folder)
        text = (folder / "groups.jsonl").read_text(encoding="utf-8")
        (folder / "groups.jsonl").write_text(
            text.replace("Acoustics and Vibration", "Acoustics"), encoding="utf-8"
        )
        run("import", folder, "--data", data)
        found = json.loads(run("status", "--json", "--data", data, expect=1).stdout)
        assert (found["agree"], found["to_index"]) == (False, 1)
        assert "1 profiles differ between records and index; run `kennismatch index`" in found["problems"]

    def test_no_data(self, tmp_path: Path) -> None:
        result = run("status", "--data", tmp_path / "none", expect=1)
        assert "expected a data folder, found none" in result.stderr

    def test_damage_is_told(self, data: Path) -> None:
        (data / "index" / "g000001" / "sentences.npy").unlink()
        (data / "kennismatch.sqlite").write_bytes(b"rubbish" * 1000)
        result = run("status", "--data", data, expect=1)
        assert "sentences.npy" in result.stderr
        assert "no SQLite database" in result.stderr


class TestFromOutside:
    """As a process, where the environment and the working folder matter."""

    def test_help_is_quick_and_loads_nothing_heavy(self, tmp_path: Path) -> None:
        result = kennismatch("--help", folder=tmp_path)
        assert result.returncode == 0
        for command in (
            "serve",
            "import",
            "index",
            "match",
            "evaluate",
            "embed",
            "status",
            "backup",
            "restore",
            "rollback",
        ):
            assert command in result.stdout

    def test_settings_come_from_the_environment_in_any_folder(self, prepared: Path, tmp_path: Path) -> None:
        result = kennismatch("status", "--json", folder=tmp_path, KENNISMATCH_DATA=str(prepared))
        assert json.loads(result.stdout)["profiles"] == 5

    def test_a_setting_that_cannot_be(self, tmp_path: Path) -> None:
        result = kennismatch("serve", folder=tmp_path, KENNISMATCH_PORT="http")
        assert result.returncode == 1
        assert result.stderr.startswith("kennismatch: expected ")
        assert "in KENNISMATCH_PORT, found 'http'" in result.stderr
        assert list(tmp_path.iterdir()) == []

    def test_a_data_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        for command in (["serve"], ["index"], ["import", str(tmp_path)]):
            result = kennismatch("--data", "/proc/kennismatch", *command)
            assert result.returncode == 1
            assert "expected a data folder that can be written, but /proc/kennismatch/" in result.stderr
            assert "Traceback" not in result.stderr
