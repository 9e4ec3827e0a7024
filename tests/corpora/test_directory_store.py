"""The directory lists profiles by name, narrows them, and finds them again by what people remember."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from corpora.database import open_engine, reading, unit_of_work, upgrade
from corpora.directory_store import Directory
from corpora.model import Organisation, ProfileKind
from corpora.store import Records
from tests.corpora.conftest import profile, put


class TestDirectory:
    @pytest.fixture(autouse=True)
    def some(self, engine: Engine) -> None:
        put(
            engine,
            profile("Élan", roadmaps=("ict",), region="Twente"),
            profile("Delta", "Hanze", roadmaps=("ict", "solar"), language="nl"),
            profile("alpha", kind=ProfileKind.FACILITY, region="Twente"),
        )

    def names(self, engine: Engine, **wanted: object) -> list[str]:
        with reading(engine) as session:
            listing = Directory(session).list_profiles(**wanted)  # type: ignore[arg-type]
        assert listing.total >= len(listing.entries)
        return [entry.name for entry in listing.entries]

    def test_it_goes_by_folded_name(self, engine: Engine) -> None:
        assert self.names(engine) == ["alpha", "Delta", "Élan"]

    @pytest.mark.parametrize(
        ("wanted", "names"),
        [
            ({"kind": ProfileKind.FACILITY}, ["alpha"]),
            ({"organisation": "hanze"}, ["Delta"]),
            ({"roadmap": "ict"}, ["Delta", "Élan"]),
            ({"roadmap": "solar"}, ["Delta"]),
            ({"language": "nl"}, ["Delta"]),
            ({"region": "Twente"}, ["alpha", "Élan"]),
            ({"region": "Twente", "roadmap": "ict"}, ["Élan"]),
            ({"organisation": "nobody"}, []),
        ],
    )
    def test_filters(self, engine: Engine, wanted: dict[str, object], names: list[str]) -> None:
        assert self.names(engine, **wanted) == names

    def test_a_page_and_the_total(self, engine: Engine) -> None:
        with reading(engine) as session:
            listing = Directory(session).list_profiles(offset=1, limit=1)
        assert [entry.name for entry in listing.entries] == ["Delta"]
        assert listing.total == 3
        assert listing.entries[0].roadmaps == ("ict", "solar")
        assert listing.entries[0].organisation == Organisation("hanze", "Hanze")

    def test_organisations_and_regions(self, engine: Engine) -> None:
        with unit_of_work(engine) as session:
            directory = Directory(session)
            assert [item.name for item in directory.organisations()] == ["Hanze", "University of Kent"]
            assert directory.regions() == ["Twente"]
            Records(session).delete_profile("delta")
            assert [item.name for item in directory.organisations()] == ["University of Kent"]
            assert directory.organisation_ids()["Hanze"] == "hanze"

    def test_look_up_sees_what_changed_since_the_last(self, engine: Engine) -> None:
        def found(wanted: str) -> list[str]:
            with reading(engine) as session:
                return [entry.name for entry in Directory(session).search_profiles(wanted, 5)]

        assert found("elan") == ["Élan"]
        assert found("gamma") == []
        put(engine, profile("Gamma"))
        assert found("gamma") == ["Gamma"]
        put(engine, replace(profile("Gamma"), name="Epsilon"))
        assert found("gamma") == []
        assert found("epsilon") == ["Epsilon"]
        with unit_of_work(engine) as session:
            Records(session).delete_profile("gamma")
        assert found("epsilon") == []

    def test_look_up_of_two_databases_is_not_mixed_up(self, engine: Engine, tmp_path: Path) -> None:
        other = open_engine(tmp_path / "other.sqlite")
        upgrade(other)
        for each, wanted in ((engine, ["Élan"]), (other, [])):
            with reading(each) as session:
                assert [entry.name for entry in Directory(session).search_profiles("elan")] == wanted
        other.dispose()
