"""The store of needs gives back what it was given until its time is up, and under ids that nobody guesses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, text

from corpora.database import reading, unit_of_work
from corpora.errors import StoreError
from corpora.model import Confidentiality, Need
from corpora.need_store import Needs, new_need_id

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


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
            Needs(session).add(self.need)
        with reading(engine) as session:
            assert Needs(session).get("n", NOW) == self.need
            assert Needs(session).get("m", NOW) is None

    def test_moments_come_back_in_utc(self, engine: Engine) -> None:
        local = NOW.astimezone(timezone(timedelta(hours=2)))
        with unit_of_work(engine) as session:
            Needs(session).add(replace(self.need, created_at=local))
        with reading(engine) as session:
            found = Needs(session).get("n", NOW)
        assert found is not None
        assert found.created_at == NOW
        assert found.created_at.tzinfo == UTC

    def test_a_moment_without_a_zone_is_refused(self, engine: Engine) -> None:
        naive = replace(self.need, created_at=NOW.replace(tzinfo=None))
        with (
            pytest.raises(Exception, match="expected a moment with a time zone"),
            unit_of_work(engine) as session,
        ):
            Needs(session).add(naive)

    def test_an_expired_need_is_gone_at_its_moment_and_then_deleted(self, engine: Engine) -> None:
        with unit_of_work(engine) as session:
            needs = Needs(session)
            needs.add(self.need)
            needs.add(replace(self.need, id="later", expires_at=NOW + timedelta(days=31)))
            day30 = NOW + timedelta(days=30)
            assert needs.get("n", day30 - timedelta(seconds=1)) is not None
            assert needs.get("n", day30) is None
            assert needs.delete_expired(day30 - timedelta(seconds=1)) == 0
            assert needs.delete_expired(day30) == 1
        with reading(engine) as session:
            assert session.scalars(text("SELECT id FROM need")).all() == ["later"]

    def test_a_need_with_nul_is_refused(self, engine: Engine) -> None:
        with pytest.raises(StoreError, match="NUL or a lone surrogate"), unit_of_work(engine) as session:
            Needs(session).add(replace(self.need, text="a\x00b"))

    def test_ids_are_opaque_and_fit_a_url(self) -> None:
        ids = {new_need_id() for _ in range(100)}
        assert len(ids) == 100
        assert all(len(item) == 22 and item.replace("-", "").replace("_", "").isalnum() for item in ids)
