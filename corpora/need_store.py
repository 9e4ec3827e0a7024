"""The SQL on needs. Portable: no dialect's own words.

A `Needs` belongs to one session; who opened the session (`corpora.database`) commits.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from corpora import tables
from corpora.characters import is_storable
from corpora.errors import StoreError
from corpora.model import Confidentiality, Need


def new_need_id() -> str:
    """Return an opaque id that cannot be guessed: 128 random bits, safe in a URL."""
    return secrets.token_urlsafe(16)


class Needs:
    """Reads and writes the needs through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, need: Need) -> None:
        """Store a need. Raises `StoreError` for text that cannot be stored (see `corpora.characters`)."""
        if not is_storable(need.text):
            raise StoreError("a need's text holds NUL or a lone surrogate; pass it through storable() first")
        self._session.execute(
            insert(tables.need).values(
                id=need.id,
                text=need.text,
                language=need.language,
                created_at=need.created_at,
                expires_at=need.expires_at,
                confidentiality=need.confidentiality.value,
                filters=need.filters,
            )
        )

    def get(self, need_id: str, now: datetime | None = None) -> Need | None:
        """Return a need; None when there is none, or when it has expired at `now` (default: this moment)."""
        row = self._session.execute(select(tables.need).where(tables.need.c.id == need_id)).one_or_none()
        if row is None or row.expires_at <= (now or datetime.now(UTC)):
            return None
        return Need(
            row.id,
            row.text,
            row.language,
            row.created_at,
            row.expires_at,
            Confidentiality(row.confidentiality),
            row.filters,
        )

    def delete(self, need_id: str) -> bool:
        """Delete a need; False when there was none."""
        gone = self._session.execute(
            delete(tables.need).where(tables.need.c.id == need_id).returning(tables.need.c.id)
        )
        return bool(gone.all())

    def delete_expired(self, now: datetime) -> int:
        """Delete the needs whose time has passed at `now`; return how many."""
        gone = self._session.execute(
            delete(tables.need).where(tables.need.c.expires_at <= now).returning(tables.need.c.id)
        )
        return len(gone.all())
