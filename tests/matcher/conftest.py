"""A data folder with its records, and a small encoder, for tests of the index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from corpora.database import open_engine, unit_of_work, upgrade
from corpora.model import Profile
from corpora.store import Records
from tests.fakes import BucketEncoder
from tests.matcher.zygote import Zygote


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def engine(data: Path) -> Iterator[Engine]:
    opened = open_engine(data / "kennismatch.sqlite")
    upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def encoder() -> BucketEncoder:
    return BucketEncoder()


def store(engine: Engine, profiles: Iterable[Profile]) -> None:
    """Put profiles into the records."""
    with unit_of_work(engine) as session:
        for profile in profiles:
            Records(session).put_profile(profile)


def erase(engine: Engine, profile_id: str) -> None:
    """Erase a profile from the records; its id stays as a tombstone."""
    with unit_of_work(engine) as session:
        Records(session).delete_profile(profile_id)


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    warm = Zygote()
    yield warm
    warm.close()
