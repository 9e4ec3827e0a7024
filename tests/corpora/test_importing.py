"""Importing: added, replaced, left alone; what breaks off can be run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from corpora.connectors.collection import CollectionError, Progress, import_collection, read_collection
from corpora.connectors.importing import BATCH_PROFILES
from corpora.database import reading, unit_of_work
from corpora.model import Profile
from corpora.store import Counts, Records
from tests.corpora.conftest import document, group, write_groups


def stored(engine: Engine) -> list[Profile]:
    with reading(engine) as session:
        return list(Records(session).profiles())


def counts(engine: Engine) -> Counts:
    with reading(engine) as session:
        return Records(session).counts()


def test_what_is_stored_equals_what_was_read(engine: Engine, tmp_path: Path) -> None:
    folder = write_groups(tmp_path / "c", *(group(number) for number in range(3)))
    report = import_collection(engine, folder)
    assert (report.added, report.changed, report.unchanged, report.organisations) == (3, 0, 0, 1)
    assert stored(engine) == list(read_collection(folder))


def test_a_second_import_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    folder = write_groups(tmp_path / "c", *(group(number) for number in range(250)))
    import_collection(engine, folder)
    before = stored(engine)
    report = import_collection(engine, folder)
    assert (report.added, report.changed, report.unchanged, report.broken) == (0, 0, 250, [])
    assert stored(engine) == before


def test_a_changed_profile_is_replaced_whole(engine: Engine, tmp_path: Path) -> None:
    import_collection(engine, write_groups(tmp_path / "c", group(1, roadmaps=["ict", "solar"]), group(2)))
    changed = group(1, roadmaps=["solar"], documents=[document("g1-d2", text="New.")])
    report = import_collection(engine, write_groups(tmp_path / "c", changed, group(2)))
    assert (report.added, report.changed, report.unchanged) == (0, 1, 1)
    assert [item.id for item in stored(engine)[0].documents] == ["g1-d2"]
    assert stored(engine)[0].roadmaps == ("solar",)


def test_profiles_that_the_folder_does_not_name_stay(engine: Engine, tmp_path: Path) -> None:
    import_collection(engine, write_groups(tmp_path / "c", group(1), group(2)))
    import_collection(engine, write_groups(tmp_path / "c", group(3)))
    assert [profile.id for profile in stored(engine)] == ["g1", "g2", "g3"]


def test_broken_lines_are_reported_and_the_rest_is_imported(engine: Engine, tmp_path: Path) -> None:
    report = import_collection(engine, write_groups(tmp_path / "c", group(1), "{", group(2), group(1)))
    assert report.added == 2
    assert [(item.line, item.reason.split(",")[0]) for item in report.broken] == [
        (2, "expected one JSON object"),
        (4, "expected each group to have its own id"),
    ]


def test_an_erased_profile_does_not_come_back(engine: Engine, tmp_path: Path) -> None:
    folder = write_groups(tmp_path / "c", group(1), group(2))
    import_collection(engine, folder)
    with unit_of_work(engine) as session:
        Records(session).delete_profile("g1")
    report = import_collection(engine, folder)
    assert (report.added, report.unchanged, report.erased) == (0, 1, 1)
    assert str(report.broken[0]) == (
        "groups.jsonl, line 1: profile 'g1' was erased on request and is not stored again; take it out of the source"
    )
    assert [profile.id for profile in stored(engine)] == ["g2"]


def test_a_document_may_move_to_a_profile_that_comes_earlier(engine: Engine, tmp_path: Path) -> None:
    import_collection(engine, write_groups(tmp_path / "c", group(1), group(2)))
    moved = [group(1, documents=[document("g1-d1"), document("g2-d1")]), group(2, documents=[])]
    report = import_collection(engine, write_groups(tmp_path / "c", *moved))
    assert (report.changed, report.broken) == (2, [])
    assert [len(profile.documents) for profile in stored(engine)] == [2, 0]


def test_a_document_of_a_profile_elsewhere_is_not_taken_from_it(engine: Engine, tmp_path: Path) -> None:
    import_collection(engine, write_groups(tmp_path / "c", group(1)))
    report = import_collection(engine, write_groups(tmp_path / "d", group(2, documents=[document("g1-d1")])))
    assert report.added == 0
    assert report.broken[0].reason == (
        "expected document ids that no other profile uses, found 'g1-d1' of profile 'g1' in profile 'g2'; "
        "give each document its own id"
    )


def test_names_with_one_slug_stay_two_organisations_over_imports(engine: Engine, tmp_path: Path) -> None:
    import_collection(engine, write_groups(tmp_path / "c", group(1, organisation="Fontys")))
    import_collection(engine, write_groups(tmp_path / "d", group(2, organisation="FONTYS!")))
    import_collection(engine, write_groups(tmp_path / "e", group(3, organisation="Fontys")))
    first, second, third = (profile.organisation for profile in stored(engine))
    assert first == third
    assert first.id != second.id
    assert (first.name, second.name) == ("Fontys", "FONTYS!")


def test_progress_is_told_after_each_unit_and_ends_at_all(engine: Engine, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    progress: Progress = lambda stage, done, total: told.append((stage, done, total))  # noqa: E731
    folder = write_groups(tmp_path / "c", *(group(number) for number in range(2 * BATCH_PROFILES + 5)))
    import_collection(engine, folder, progress)
    assert [(stage, done) for stage, done, _ in told] == [("import", 100), ("import", 200), ("import", 205)]
    assert told[-1][2] == 205
    assert all(195 <= total <= 220 for _, _, total in told)


def test_an_import_that_breaks_off_goes_on_where_it_was(engine: Engine, tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        raise StoppedError

    folder = write_groups(tmp_path / "c", *(group(number) for number in range(150)))
    with pytest.raises(StoppedError):
        import_collection(engine, folder, stop)
    assert counts(engine).profiles == BATCH_PROFILES
    report = import_collection(engine, folder)
    assert (report.added, report.unchanged) == (50, 100)


def test_an_unreadable_collection_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(CollectionError):
        import_collection(engine, tmp_path / "nowhere")
    assert counts(engine) == Counts(0, 0, 0, 0, 0)


def test_a_profile_with_every_part_changed_is_seen_as_changed(engine: Engine, tmp_path: Path) -> None:
    (profile,) = read_collection(write_groups(tmp_path / "c", group(1)))
    assert isinstance(profile, Profile)
    with unit_of_work(engine) as session:
        records = Records(session)
        assert records.put_profile(profile) == "added"
        for change in (
            {"name": "x"}, {"language": "nl"}, {"description": "x"}, {"roadmaps": ("ict",)}, {"region": "x"},
            {"members": ("x",)}, {"source": "x"}, {"licence": "x"}, {"documents": ()},
        ):  # fmt: skip
            changed = replace(profile, **change)  # type: ignore[arg-type]
            assert records.put_profile(changed) == "changed"
            assert records.get_profile("g1") == changed
