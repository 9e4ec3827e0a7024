"""A generation is read whole or not at all, and the nearest whole one answers."""

from __future__ import annotations

import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from corpora.model import Profile
from matcher.generations import (
    DamagedGenerationError,
    Generation,
    GenerationError,
    GenerationWatcher,
    NoGenerationError,
    OtherGenerationError,
    rollback,
)
from matcher.indexing import build_index
from matcher.live import index_folder, live_name, rolled_back_from
from matcher.locks import LockError, hold
from matcher.words import analyse
from tests.fakes import BucketEncoder, sample_profile
from tests.matcher.conftest import store
from tests.matcher.zygote import Job, Zygote


@pytest.fixture
def profiles() -> list[Profile]:
    return [sample_profile(number) for number in range(12)]


@pytest.fixture
def indexed(engine: Engine, data: Path, encoder: BucketEncoder, profiles: list[Profile]) -> Path:
    """A data folder with one generation, g000001."""
    store(engine, profiles)
    build_index(engine, data, encoder)
    return data


@pytest.fixture
def changed(engine: Engine, indexed: Path, encoder: BucketEncoder) -> Path:
    """The same with a second generation, g000002, in which p003 has another description."""
    store(engine, [replace(sample_profile(3), description="The group now works on turbines.")])
    build_index(engine, indexed, encoder)
    return indexed


class TestReading:
    def test_every_passage_stands_in_its_source_at_its_offsets(
        self, indexed: Path, profiles: list[Profile]
    ) -> None:
        generation = Generation.open_current(indexed)
        by_id = {profile.id: profile for profile in profiles}
        assert set(generation.profiles) == set(by_id) == set(generation.profile_rows)
        for row in generation.rows:
            passage = generation.passage(int(row))
            profile = by_id[passage.profile_id]
            sources = {item.id: {"text": item.text, "title": item.title} for item in profile.documents}
            source = (
                sources[passage.document_id][passage.field] if passage.document_id else profile.description
            )
            assert source[passage.start : passage.end] == passage.text
            assert generation.profile_of_row(int(row)) == passage.profile_id

    def test_sentence_vectors_are_those_of_the_sentences(self, indexed: Path, encoder: BucketEncoder) -> None:
        generation = Generation.open_current(indexed)
        for profile_id in generation.profiles:
            found = generation.sentences_of(profile_id)
            assert len(found.spans) == len(found.texts) == len(found.vectors) >= 2
            expected = encoder.encode_queries(found.texts)
            assert np.allclose(found.vectors, expected, atol=1e-3)
            for (row, start, end), text in zip(found.spans, found.texts, strict=True):
                passage = generation.passage(row)
                assert passage.text[start - passage.start : end - passage.start] == text

    def test_offsets_and_positions_agree_with_a_count_by_hand(self, changed: Path) -> None:
        generation = Generation.open_current(changed)
        assert list(generation.rows) != list(range(len(generation.rows)))
        total = 0
        for position, row in enumerate(generation.rows):
            assert generation.position(int(row)) == position
            assert generation.sentence_offsets[position] == total
            total += len(generation.passage(int(row)).sentences)
        assert generation.sentence_offsets[-1] == total == len(generation.sentence_matrix)
        assert list(generation.positions(generation.rows)) == list(range(len(generation.rows)))

    def test_unknown_row_and_document_are_key_errors(self, indexed: Path) -> None:
        generation = Generation.open_current(indexed)
        for row in (-1, int(generation.rows[-1]) + 1):
            with pytest.raises(KeyError, match=f"no passage row {row}"):
                generation.passage(row)
        with pytest.raises(KeyError, match="no document p999-d1"):
            generation.document("p999-d1")

    def test_a_profile_comes_back_as_it_was_indexed(self, indexed: Path, profiles: list[Profile]) -> None:
        generation = Generation.open_current(indexed)
        assert [generation.profile(profile.id) for profile in profiles] == profiles
        assert generation.document("p004-d2") == profiles[4].documents[1]
        assert generation.profile("p999") is None

    def test_a_profile_without_text_is_shown_but_not_retrieved(
        self, engine: Engine, data: Path, encoder: BucketEncoder
    ) -> None:
        silent = replace(sample_profile(1), description="", documents=())
        store(engine, [sample_profile(0), silent])
        build_index(engine, data, encoder)
        generation = Generation.open_current(data)
        assert set(generation.profiles) == {"p000", "p001"}
        assert set(generation.profile_rows) == {"p000"}
        assert generation.profile("p001") == silent
        assert generation.sentences_of("p001").spans == ()

    def test_erased_profiles_are_not_given_out(self, indexed: Path) -> None:
        erased: set[str] = set()
        generation = Generation.open_current(indexed, erased=lambda: frozenset(erased))
        assert generation.hidden() == frozenset()
        erased |= {"p002", "p999"}
        assert generation.profile("p002") is None
        assert generation.hidden() == {"p002"}

    def test_threads_read_at_the_same_time(self, indexed: Path, profiles: list[Profile]) -> None:
        generation = Generation.open_current(indexed)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda k: generation.profile(profiles[k % 12].id), range(400)))
        assert found == [profiles[k % 12] for k in range(400)]

    def test_an_open_generation_outlives_its_files(self, indexed: Path, profiles: list[Profile]) -> None:
        generation = Generation.open_current(indexed)
        shutil.rmtree(index_folder(indexed))
        assert generation.profile("p005") == profiles[5]
        row = int(generation.profile_rows["p005"][0])
        assert (
            generation.vectors.search(generation.passage_matrix[[generation.position(row)]], 1)[0][0][0]
            == row
        )
        assert generation.lexical.search(analyse("number5", "en"), 3)


class TestChecks:
    def test_no_index_says_what_to_run(self, data: Path) -> None:
        with pytest.raises(NoGenerationError, match="found none; run `kennismatch index`"):
            Generation.open_current(data)

    def test_another_encoder_is_refused_with_both_names(self, indexed: Path) -> None:
        with pytest.raises(OtherGenerationError) as refused:
            Generation.open_current(indexed, expected_fingerprint="buckets-16")
        assert "expected an index of the encoder buckets-16, found one of buckets (buckets-8)" in str(
            refused.value
        )
        assert "kennismatch index --rebuild" in str(refused.value)

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("analyser_version", "0", "found version 0 in g000001; run `kennismatch index --rebuild`"),
            ("format_version", 99, "expected an index of format 1, found format 99"),
        ],
    )
    def test_another_version_is_refused(self, indexed: Path, key: str, value: object, message: str) -> None:
        path = index_folder(indexed) / "g000001" / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
        with pytest.raises(OtherGenerationError, match=message):
            Generation.open_current(indexed)

    def test_counts_that_disagree_are_found(self, indexed: Path) -> None:
        path = index_folder(indexed) / "g000001" / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["counts"]["passages"] += 1
        path.write_text(json.dumps(manifest))
        with pytest.raises(DamagedGenerationError, match="expected counts as in the manifest"):
            Generation.open_current(indexed)

    def test_parts_of_two_generations_do_not_pass_for_one(self, changed: Path) -> None:
        """Even where the manifest agrees with the files, rows must be the same in all parts."""
        folder = index_folder(changed)
        for name, message in (("passages.faiss", "as many vectors"), ("lexical", "as many lexical entries")):
            mixed = folder.parent / f"mixed-{name}"
            shutil.copytree(folder / "g000002", mixed)
            target, source = mixed / name, folder / "g000001" / name
            if target.is_dir():
                shutil.rmtree(target)
                shutil.copytree(source, target)
            else:
                shutil.copyfile(source, target)
            manifest = json.loads((mixed / "manifest.json").read_text())
            old = json.loads((folder / "g000001" / "manifest.json").read_text())
            kept = {path: item for path, item in manifest["files"].items() if not path.startswith(name)}
            manifest["files"] = kept | {
                path: item for path, item in old["files"].items() if path.startswith(name)
            }
            (mixed / "manifest.json").write_text(json.dumps(manifest))
            with pytest.raises(DamagedGenerationError, match=message):
                Generation.open(mixed)

    def test_a_flipped_bit_is_found_by_the_checksum(self, indexed: Path) -> None:
        path = index_folder(indexed) / "g000001" / "sentences.npy"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        Generation.open_current(indexed, verify="size")
        with pytest.raises(
            DamagedGenerationError, match=r"sentences\.npy .* found other content of that size"
        ):
            Generation.open_current(indexed)


def files_of(folder: Path) -> list[str]:
    """The kinds of file in a generation, each by one example."""
    lexical = sorted((folder / "lexical").glob("*.term"))[0]
    names = ["manifest.json", "snapshot.sqlite", "passages.faiss", "sentences.npy", "lexical/meta.json"]
    return [*names, str(lexical.relative_to(folder))]


@pytest.mark.parametrize("kind", range(6))
@pytest.mark.parametrize("harm", ["truncated", "missing", "empty"])
class TestDamage:
    def harm(self, data: Path, generation: str, kind: int, harm: str) -> str:
        folder = index_folder(data) / generation
        name = files_of(folder)[kind]
        if harm == "missing":
            (folder / name).unlink()
        else:
            content = (folder / name).read_bytes()
            (folder / name).write_bytes(content[: len(content) // 2] if harm == "truncated" else b"")
        return name

    def test_a_damaged_file_alone_is_a_clear_error(self, indexed: Path, kind: int, harm: str) -> None:
        name = self.harm(indexed, "g000001", kind, harm)
        with pytest.raises(DamagedGenerationError) as refused:
            Generation.open_current(indexed)
        assert name in str(refused.value)
        assert "g000001" in str(refused.value)
        assert "kennismatch index --rebuild" in str(refused.value)

    def test_the_previous_generation_answers_with_a_warning(
        self, changed: Path, kind: int, harm: str
    ) -> None:
        name = self.harm(changed, "g000002", kind, harm)
        with capture_logs() as logs:
            generation = Generation.open_current(changed)
        assert generation.name == "g000001"
        assert generation.lexical.search(analyse("robotics", "en"), 5)
        [warning] = [entry for entry in logs if entry["log_level"] == "warning"]
        assert warning["live"] == "g000002"
        assert warning["used"] == "g000001"
        assert name in warning["problem"]


class TestCurrent:
    def test_a_deleted_generation_gives_way_to_the_one_before(self, changed: Path) -> None:
        shutil.rmtree(index_folder(changed) / "g000002")
        assert Generation.open_current(changed).name == "g000001"

    def test_a_deleted_generation_alone_is_a_clear_error(self, indexed: Path) -> None:
        shutil.rmtree(index_folder(indexed) / "g000001")
        with pytest.raises(
            DamagedGenerationError, match=r"expected manifest\.json in index generation g000001"
        ):
            Generation.open_current(indexed)

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"g000009", b"../../etc", b"g000002\ng000001"])
    def test_rubbish_in_current_gives_way_to_the_newest_whole_one(
        self, changed: Path, content: bytes
    ) -> None:
        (index_folder(changed) / "CURRENT").write_bytes(content)
        assert Generation.open_current(changed).name == "g000002"

    def test_an_index_run_repairs_current(
        self, engine: Engine, changed: Path, encoder: BucketEncoder
    ) -> None:
        (index_folder(changed) / "CURRENT").write_bytes(b"rubbish")
        report = build_index(engine, changed, encoder)
        assert (report.mode, live_name(changed)) == ("none", "g000002")

    def test_an_index_run_replaces_a_damaged_generation(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        (index_folder(indexed) / "g000001" / "passages.faiss").write_bytes(b"")
        report = build_index(engine, indexed, encoder)
        assert (report.mode, report.generation, report.embedded) == ("full", "g000002", 0)
        assert Generation.open_current(indexed).name == "g000002"


class TestRollback:
    def test_goes_back_and_says_where_to(self, changed: Path) -> None:
        assert rollback(changed) == "g000001"
        generation = Generation.open_current(changed)
        assert generation.name == "g000001"
        assert generation.profile("p003") == sample_profile(3)

    def test_without_an_earlier_one_nothing_changes(self, indexed: Path) -> None:
        with pytest.raises(
            NoGenerationError, match=r"expected a generation before g000001 .* nothing was changed"
        ):
            rollback(indexed)
        assert live_name(indexed) == "g000001"

    def test_a_damaged_earlier_one_is_not_gone_back_to(self, changed: Path) -> None:
        (index_folder(changed) / "g000001" / "snapshot.sqlite").unlink()
        with pytest.raises(DamagedGenerationError):
            rollback(changed)
        assert live_name(changed) == "g000002"

    def test_waits_for_no_builder(self, changed: Path) -> None:
        with hold(changed, "write"), pytest.raises(LockError, match=r"write\.lock"):
            rollback(changed)

    def test_after_a_rollback_the_next_run_keeps_the_good_one(
        self, engine: Engine, changed: Path, encoder: BucketEncoder
    ) -> None:
        rollback(changed)
        report = build_index(engine, changed, encoder)
        assert (report.mode, report.generation) == ("delta", "g000003")
        assert sorted(path.name for path in index_folder(changed).glob("g*")) == ["g000001", "g000003"]

    def test_is_on_record_until_the_next_run(
        self, engine: Engine, changed: Path, encoder: BucketEncoder
    ) -> None:
        assert rolled_back_from(changed) is None
        rollback(changed)
        assert (live_name(changed), rolled_back_from(changed)) == ("g000001", "g000002")
        build_index(engine, changed, encoder)
        assert (live_name(changed), rolled_back_from(changed)) == ("g000003", None)

    def test_is_off_the_record_after_a_run_that_finds_nothing_to_do(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        build_index(engine, indexed, encoder, rebuild=True)
        rollback(indexed)
        assert build_index(engine, indexed, encoder).mode == "none"
        assert (live_name(indexed), rolled_back_from(indexed)) == ("g000001", None)


class TestWatcher:
    def test_serves_another_process_s_generation_within_two_seconds(
        self, engine: Engine, indexed: Path, zygote: Zygote
    ) -> None:
        store(engine, [sample_profile(40)])
        watcher = GenerationWatcher(indexed, Generation.open)
        watcher.start()
        try:
            assert watcher.name == "g000001"
            assert zygote.run(Job(str(indexed))).said == "g000002"
            built_at = time.monotonic()
            while watcher.name != "g000002" and time.monotonic() - built_at < 5:
                time.sleep(0.01)
            assert time.monotonic() - built_at < 2
            generation = watcher.current()
            assert generation is not None
            assert "p040" in generation.profiles
        finally:
            watcher.stop()

    def test_looks_by_itself_where_no_thread_runs(self, changed: Path) -> None:
        watcher = GenerationWatcher(changed, Generation.open, poll_s=0)
        assert watcher.current() is not None
        assert watcher.name == "g000002"
        rollback(changed)
        watcher.current()
        assert watcher.name == "g000001"

    def test_looks_no_more_often_than_it_should(self, changed: Path) -> None:
        watcher = GenerationWatcher(changed, Generation.open, poll_s=60)
        assert watcher.current() is not None
        rollback(changed)
        watcher.current()
        assert watcher.name == "g000002"

    def test_starts_before_there_is_an_index(
        self, engine: Engine, data: Path, encoder: BucketEncoder
    ) -> None:
        watcher = GenerationWatcher(data, Generation.open, poll_s=0)
        assert watcher.current() is None
        assert isinstance(watcher.problem, NoGenerationError)
        store(engine, [sample_profile(0)])
        build_index(engine, data, encoder)
        assert watcher.current() is not None
        assert watcher.problem is None

    def test_keeps_the_old_one_when_the_new_one_is_of_another_encoder(
        self, indexed: Path, zygote: Zygote
    ) -> None:
        watcher = GenerationWatcher(
            indexed, lambda folder: Generation.open(folder, expected_fingerprint="buckets-8"), poll_s=0
        )
        assert watcher.current() is not None
        assert zygote.run(Job(str(indexed), dim=16)).said == "g000002"
        generation = watcher.current()
        assert generation is not None
        assert generation.name == "g000001"
        assert "expected an index of the encoder buckets-8" in str(watcher.problem)
        assert generation.lexical.search(analyse("robotics", "en"), 5)

    def test_readers_get_one_whole_generation_while_it_is_swapped(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        watcher = GenerationWatcher(indexed, Generation.open, poll_s=0.01)
        watcher.start()
        wrong: list[str] = []
        ending = threading.Event()

        def read() -> None:
            while not ending.is_set():
                generation = watcher.current()
                assert generation is not None
                row = int(generation.profile_rows["p003"][0])
                profile = generation.profile("p003")
                if profile is None or generation.passage(row).text[:20] not in profile.description:
                    wrong.append(generation.name)

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for turn in range(4):
            store(engine, [replace(sample_profile(3), description=f"Turn {turn} of the work on turbines.")])
            build_index(engine, indexed, encoder)
        ending.set()
        for reader in readers:
            reader.join()
        watcher.stop()
        assert wrong == []

    def test_a_failing_folder_is_told_and_leaves_the_old_one(self, changed: Path) -> None:
        broken = False

        def open_folder(folder: Path) -> Generation:
            if broken:
                raise OSError("too many open files")
            return Generation.open(folder)

        watcher = GenerationWatcher(changed, open_folder, poll_s=0)
        assert watcher.current() is not None
        broken = True
        rollback(changed)
        assert watcher.current() is not None
        assert isinstance(watcher.problem, GenerationError)
        assert watcher.name == "g000002"
