"""The SQL on people and their roles. Portable: no dialect's own words.

A `People` belongs to one session; who opened the session (`corpora.database`) commits.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from api.accounts import tables
from api.accounts.address import address_key
from api.accounts.model import Grant, Person, Role
from corpora.tables import organisation


class People:
    """Reads and writes people through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, address: str, language: str, now: datetime, name: str = "") -> Person:
        """Store a new person without a role; the address must not be taken."""
        person = Person(secrets.token_urlsafe(16), address, name, language, now)
        self._session.execute(
            insert(tables.person).values(
                id=person.id,
                address=address,
                address_key=address_key(address),
                name=name,
                language=language,
                created_at=now,
            )
        )
        return person

    def get(self, person_id: str) -> Person | None:
        """Return a person; None when there is none."""
        return self._one(tables.person.c.id == person_id)

    def by_address(self, address: str) -> Person | None:
        """Return whose address it is, in any spelling of its case; None when nobody's."""
        return self._one(tables.person.c.address_key == address_key(address))

    def page(self, offset: int, limit: int) -> list[Person]:
        """Return a page of all people, by address."""
        rows = self._session.execute(
            select(tables.person)
            .order_by(tables.person.c.address_key, tables.person.c.id)
            .offset(offset)
            .limit(limit)
        ).all()
        return self._with_grants(rows)

    def addresses(self, person_ids: Iterable[str]) -> dict[str, str]:
        """Return the addresses of those among the ids who have an account."""
        column = tables.person.c
        rows = self._session.execute(select(column.id, column.address).where(column.id.in_(set(person_ids))))
        return {row.id: row.address for row in rows}

    def count(self) -> int:
        """Return how many people there are."""
        return self._session.scalar(select(func.count()).select_from(tables.person)) or 0

    def rename(self, person_id: str, name: str, language: str) -> None:
        """Change what a person is called, and in which language they are written to."""
        self._session.execute(
            update(tables.person).where(tables.person.c.id == person_id).values(name=name, language=language)
        )

    def give(self, person_id: str, grant: Grant, now: datetime) -> bool:
        """Give a role; False when they had it."""
        if grant in self._grants([person_id]).get(person_id, ()):
            return False
        self._session.execute(
            insert(tables.grant).values(
                person_id=person_id, role=grant.role.value, organisation=grant.organisation, granted_at=now
            )
        )
        return True

    def take(self, person_id: str, grant: Grant) -> bool:
        """Take a role back; False when they did not have it."""
        column = tables.grant.c
        gone = self._session.execute(
            delete(tables.grant)
            .where(
                column.person_id == person_id,
                column.role == grant.role.value,
                column.organisation == grant.organisation,
            )
            .returning(column.person_id)
        )
        return bool(gone.all())

    def holders(self, role: Role) -> set[str]:
        """Return the ids of those who have a role, anywhere."""
        column = tables.grant.c
        return set(self._session.scalars(select(column.person_id).where(column.role == role.value)))

    def organisations(self) -> dict[str, str]:
        """Return the name of every organisation in the records, by id."""
        return {row.id: row.name for row in self._session.execute(select(organisation))}

    def delete(self, person_id: str, now: datetime) -> None:
        """Delete a person with all that hangs on them; a tombstone keeps a restored backup from bringing them back."""
        key = select(tables.person.c.address_key).where(tables.person.c.id == person_id).scalar_subquery()
        self._session.execute(delete(tables.sign_in_link).where(tables.sign_in_link.c.address_key == key))
        self._session.execute(delete(tables.person).where(tables.person.c.id == person_id))
        self.bury(person_id, now)

    def bury(self, person_id: str, now: datetime) -> None:
        """Set a tombstone for a person, who need not be here."""
        if person_id not in self.tombstones():
            self._session.execute(insert(tables.person_tombstone).values(person_id=person_id, erased_at=now))

    def tombstones(self) -> frozenset[str]:
        """Return the ids of people who were erased."""
        return frozenset(self._session.scalars(select(tables.person_tombstone.c.person_id)))

    def _one(self, condition: Any) -> Person | None:
        return next(
            iter(self._with_grants(self._session.execute(select(tables.person).where(condition)))), None
        )

    def _with_grants(self, rows: Iterable[Row[Any]]) -> list[Person]:
        found = list(rows)
        grants = self._grants([row.id for row in found])
        return [
            Person(row.id, row.address, row.name, row.language, row.created_at, grants.get(row.id, ()))
            for row in found
        ]

    def _grants(self, person_ids: list[str]) -> dict[str, tuple[Grant, ...]]:
        column = tables.grant.c
        found: dict[str, list[Grant]] = {}
        for row in self._session.execute(select(tables.grant).where(column.person_id.in_(person_ids))):
            found.setdefault(row.person_id, []).append(Grant(Role(row.role), row.organisation))
        return {person_id: tuple(sorted(grants)) for person_id, grants in found.items()}
