"""The SQL on keys of the API. Portable: no dialect's own words.

A `Keys` belongs to one session; who opened the session (`corpora.database`) commits.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from api.accounts.keys import ApiKey, Scope
from api.accounts.tables import api_key


class Keys:
    """Reads and writes keys through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, key: ApiKey, key_hash: str) -> bool:
        """Store a key; False when one with its id is there already."""
        if self._session.scalar(select(api_key.c.id).where(api_key.c.id == key.id)) is not None:
            return False
        self._session.execute(
            insert(api_key).values(
                id=key.id,
                person_id=key.person_id,
                name=key.name,
                scopes=" ".join(sorted(key.scopes)),
                key_hash=key_hash,
                created_at=key.created_at,
                expires_at=key.expires_at,
                used_at=key.used_at,
            )
        )
        return True

    def find(self, id_: str, key_hash: str) -> ApiKey | None:
        """Return the key with that id, if it is this very key."""
        row = self._session.execute(select(api_key).where(api_key.c.id == id_)).one_or_none()
        if row is None or not hmac.compare_digest(row.key_hash, key_hash):
            return None
        return _key_of(row)

    def of_person(self, person_id: str) -> list[ApiKey]:
        """Return a person's keys, the latest made first."""
        column = api_key.c
        rows = self._session.execute(
            select(api_key).where(column.person_id == person_id).order_by(column.created_at.desc(), column.id)
        )
        return [_key_of(row) for row in rows]

    def touch(self, id_: str, now: datetime) -> None:
        """Keep that it was used now."""
        self._session.execute(update(api_key).where(api_key.c.id == id_).values(used_at=now))

    def revoke(self, person_id: str, id_: str) -> bool:
        """Delete a key if it is that person's; False when there was none."""
        column = api_key.c
        gone = self._session.execute(
            delete(api_key).where(column.person_id == person_id, column.id == id_).returning(column.id)
        )
        return bool(gone.all())

    def ids(self) -> frozenset[str]:
        """Return the ids of all keys."""
        return frozenset(self._session.scalars(select(api_key.c.id)))

    def keep_only(self, ids: frozenset[str]) -> None:
        """Delete every key but these."""
        for id_ in sorted(self.ids() - ids):
            self._session.execute(delete(api_key).where(api_key.c.id == id_))

    def delete_ended(self, before: datetime) -> None:
        """Delete the keys whose time was up before that moment."""
        self._session.execute(delete(api_key).where(api_key.c.expires_at < before))


def _key_of(row: Row[Any]) -> ApiKey:
    # A scope that a later program knows is none here.
    scopes = frozenset(Scope(name) for name in row.scopes.split() if name in set(Scope))
    return ApiKey(row.id, row.person_id, row.name, scopes, row.created_at, row.expires_at, row.used_at)
