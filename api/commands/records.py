"""The records of a data folder, for a command that works beside a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from api.settings import Settings


@contextmanager
def records(settings: Settings) -> Iterator[Engine]:
    """The records, brought to this program's version; made where there are none."""
    from corpora.database import open_engine, upgrade

    engine = open_engine(settings.database)
    try:
        upgrade(engine)
        yield engine
    finally:
        engine.dispose()
