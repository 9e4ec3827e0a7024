"""The store gives back the profiles that it was given, counts them, and forgets what must be forgotten."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from corpora.database import reading, unit_of_work
from corpora.errors import DocumentTakenError, ErasedError, StoreError
from corpora.model import Document, ProfileKind
from corpora.store import Records
from tests.corpora.conftest import profile, put


def with_documents(owner: str, *names: str) -> tuple[Document, ...]:
    return tuple(
        Document(
            name, owner, "publication", f"Title {name}", f"Text of {name}.", "nl", date(2020, 1, 2), None
        )
        for name in names
    )


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
