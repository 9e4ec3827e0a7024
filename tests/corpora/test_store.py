"""The store gives back what it was given, lists and counts it, and forgets what must be forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from corpora.database import open_engine, reading, unit_of_work, upgrade
from corpora.model import Confidentiality, Document, Need, Organisation, Profile, ProfileKind
from corpora.store import DocumentTakenError, ErasedError, Records, StoreError, new_need_id

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def profile(name: str, organisation: str = "University of Kent", **changes: object) -> Profile:
    plain = Profile(
        id=name.lower().replace(" ", "-"),
        kind=ProfileKind.RESEARCH_GROUP,
        name=name,
        organisation=Organisation(organisation.lower().replace(" ", "-"), organisation),
        language="en",
        description="We measure.",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def with_documents(owner: str, *names: str) -> tuple[Document, ...]:
    return tuple(
        Document(
            name, owner, "publication", f"Title {name}", f"Text of {name}.", "nl", date(2020, 1, 2), None
        )
        for name in names
    )


def put(engine: Engine, *profiles: Profile) -> None:
    with unit_of_work(engine) as session:
        for item in profiles:
            Records(session).put_profile(item)


class TestProfiles:
    def test_a_profile_comes_back_as_it_was(self, engine: Engine) -> None:
        given = profile(
            "Optics", kind=ProfileKind.FACILITY, documents=with_documents("optics", "d2", "d1"),
            roadmaps=("photonics", "ict"), region="Twente", members=("a", "b"), source="s", licence="CC0",
        )  # fmt: skip
        put(engine, given)
        with reading(engine) as session:
            assert Records(session).get_profile("optics") == given

    def test_none_for_an_unknown_id(self, engine: Engine) -> None:
        with reading(engine) as session:
            assert Records(session).get_profile("nobody") is None

    def test_putting_says_what_became_of_it(self, engine: Engine) -> None:
        with unit_of_work(engine) as session:
            records = Records(session)
            assert records.put_profile(profile("Optics")) == "added"
            assert records.put_profile(profile("Optics")) == "unchanged"
            assert records.put_profile(profile("Optics", description="New.")) == "changed"

    def test_all_come_streamed_by_id(self, engine: Engine) -> None:
        given = [
            profile(f"P{number}", documents=with_documents(f"p{number}", f"d{number}"))
            for number in range(450)
        ]
        put(engine, *given)
        with reading(engine) as session:
            assert list(Records(session).profiles()) == sorted(given, key=lambda item: item.id)

    def test_hashes_are_those_of_the_profiles(self, engine: Engine) -> None:
        given = profile("Optics")
        put(engine, given)
        with reading(engine) as session:
            assert Records(session).profile_hashes() == {"optics": given.content_hash()}

    def test_a_document_cannot_be_taken_from_another_profile(self, engine: Engine) -> None:
        put(engine, profile("A", documents=with_documents("a", "d")))
        with (
            pytest.raises(DocumentTakenError, match="found 'd' of profile 'a' in profile 'b'"),
            unit_of_work(engine) as session,
        ):
            Records(session).put_profile(profile("B", documents=with_documents("b", "d")))

    @pytest.mark.parametrize("mark", ["\x00", "\ud800"])
    def test_text_that_cannot_be_kept_is_refused(self, engine: Engine, mark: str) -> None:
        with pytest.raises(StoreError, match="pass it through storable"), unit_of_work(engine) as session:
            Records(session).put_profile(profile("A", description=f"a{mark}b"))


class TestErasure:
    def test_nothing_of_an_erased_profile_stays_but_its_id(self, engine: Engine, tmp_path: Path) -> None:
        secret = "unmistakable-text-of-the-erased"
        given = profile("A", description=secret, documents=with_documents("a", "d"), roadmaps=("ict",))
        put(engine, given, profile("B"))
        with unit_of_work(engine) as session:
            assert Records(session).delete_profile("a") is True
        with reading(engine) as session:
            records = Records(session)
            assert records.get_profile("a") is None
            assert records.tombstones() == {"a"}
            assert [item.id for item in records.profiles()] == ["b"]
            assert (records.counts().documents, records.count()) == (0, 1)
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
        engine.dispose()
        assert secret.encode() not in (tmp_path / "data" / "kennismatch.sqlite").read_bytes()

    def test_it_does_not_come_back(self, engine: Engine) -> None:
        put(engine, profile("A"))
        with unit_of_work(engine) as session:
            Records(session).delete_profile("a")
        with (
            pytest.raises(ErasedError, match="profile 'a' was erased on request"),
            unit_of_work(engine) as session,
        ):
            Records(session).put_profile(profile("A"))

    def test_an_id_can_be_barred_before_it_ever_came(self, engine: Engine) -> None:
        with unit_of_work(engine) as session:
            assert Records(session).delete_profile("a") is False
            assert Records(session).delete_profile("a") is False
        with reading(engine) as session:
            assert Records(session).tombstones() == {"a"}


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
            listing = Records(session).list_profiles(**wanted)  # type: ignore[arg-type]
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
            listing = Records(session).list_profiles(offset=1, limit=1)
        assert [entry.name for entry in listing.entries] == ["Delta"]
        assert listing.total == 3
        assert listing.entries[0].roadmaps == ("ict", "solar")
        assert listing.entries[0].organisation == Organisation("hanze", "Hanze")

    def test_organisations_and_regions(self, engine: Engine) -> None:
        with unit_of_work(engine) as session:
            records = Records(session)
            assert [item.name for item in records.organisations()] == ["Hanze", "University of Kent"]
            assert records.regions() == ["Twente"]
            records.delete_profile("delta")
            assert [item.name for item in records.organisations()] == ["University of Kent"]
            assert records.organisation_ids()["Hanze"] == "hanze"

    def test_look_up_sees_what_changed_since_the_last(self, engine: Engine) -> None:
        def found(wanted: str) -> list[str]:
            with reading(engine) as session:
                return [entry.name for entry in Records(session).search_profiles(wanted, 5)]

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
                assert [entry.name for entry in Records(session).search_profiles("elan")] == wanted
        other.dispose()


class TestNeeds:
    need = Need(
        "n",
        "Wie last dun\naluminium?",
        "nl",
        NOW,
        NOW + timedelta(days=30),
        Confidentiality.SEALED,
        '{"kinds": []}',
    )

    def test_a_need_comes_back_as_it_was(self, engine: Engine) -> None:
        with unit_of_work(engine) as session:
            Records(session).add_need(self.need)
        with reading(engine) as session:
            assert Records(session).get_need("n", NOW) == self.need
            assert Records(session).get_need("m", NOW) is None

    def test_moments_come_back_in_utc(self, engine: Engine) -> None:
        local = NOW.astimezone(timezone(timedelta(hours=2)))
        with unit_of_work(engine) as session:
            Records(session).add_need(replace(self.need, created_at=local))
        with reading(engine) as session:
            found = Records(session).get_need("n", NOW)
        assert found is not None
        assert found.created_at == NOW
        assert found.created_at.tzinfo == UTC

    def test_a_moment_without_a_zone_is_refused(self, engine: Engine) -> None:
        naive = replace(self.need, created_at=NOW.replace(tzinfo=None))
        with (
            pytest.raises(Exception, match="expected a moment with a time zone"),
            unit_of_work(engine) as session,
        ):
            Records(session).add_need(naive)

    def test_an_expired_need_is_gone_at_its_moment_and_then_deleted(self, engine: Engine) -> None:
        with unit_of_work(engine) as session:
            records = Records(session)
            records.add_need(self.need)
            records.add_need(replace(self.need, id="later", expires_at=NOW + timedelta(days=31)))
            day30 = NOW + timedelta(days=30)
            assert records.get_need("n", day30 - timedelta(seconds=1)) is not None
            assert records.get_need("n", day30) is None
            assert records.delete_expired_needs(day30 - timedelta(seconds=1)) == 0
            assert records.delete_expired_needs(day30) == 1
        with reading(engine) as session:
            assert session.scalars(text("SELECT id FROM need")).all() == ["later"]

    def test_a_need_with_nul_is_refused(self, engine: Engine) -> None:
        with pytest.raises(StoreError, match="NUL or a lone surrogate"), unit_of_work(engine) as session:
            Records(session).add_need(replace(self.need, text="a\x00b"))

    def test_ids_are_opaque_and_fit_a_url(self) -> None:
        ids = {new_need_id() for _ in range(100)}
        assert len(ids) == 100
        assert all(len(item) == 22 and item.replace("-", "").replace("_", "").isalnum() for item in ids)
