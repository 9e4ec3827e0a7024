"""The SQL on identities: who people are at identity providers. Portable: no dialect's own words.

An `Identities` belongs to one session; who opened the session (`corpora.database`) commits.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from api.accounts.tables import identity


class Identities:
    """Reads and writes identities through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def person_id(self, issuer: str, subject: str) -> str | None:
        """Return whose identity it is; None when nobody's."""
        column = identity.c
        return self._session.scalar(
            select(column.person_id).where(column.issuer == issuer, column.subject == subject)
        )

    def add(self, issuer: str, subject: str, person_id: str, now: datetime) -> None:
        """Keep that this identity is that person."""
        self._session.execute(
            insert(identity).values(issuer=issuer, subject=subject, person_id=person_id, linked_at=now)
        )

    def of_person(self, person_id: str) -> list[tuple[str, str]]:
        """Return issuer and subject of a person's identities, in order."""
        column = identity.c
        rows = self._session.execute(
            select(column.issuer, column.subject)
            .where(column.person_id == person_id)
            .order_by(column.issuer, column.subject)
        )
        return [(row.issuer, row.subject) for row in rows]
