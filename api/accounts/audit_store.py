"""The SQL on the audit log. Portable: no dialect's own words.

An `AuditRows` belongs to one session; who opened the session (`corpora.database`) commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, select
from sqlalchemy.orm import Session

from api.accounts.tables import audit_entry, audit_part

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Part:
    """What was hashed: a JSON object with its salt; `person_id` is whose data it is."""

    name: str
    person_id: str | None
    salt: str
    content: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the chain as it stands, with the parts that have not been erased."""

    seq: int
    at: str
    action: str
    parts_text: str
    previous: str
    hash: str
    parts: tuple[Part, ...] = ()


class AuditRows:
    """Reads and appends rows through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def last(self) -> tuple[int, str] | None:
        """Return number and hash of the last row; None when there is none."""
        row = self._session.execute(
            select(audit_entry.c.seq, audit_entry.c.hash).order_by(audit_entry.c.seq.desc()).limit(1)
        ).one_or_none()
        return None if row is None else (row.seq, row.hash)

    def append(self, entry: Entry) -> None:
        """Store a row with its parts."""
        self._session.execute(
            insert(audit_entry).values(
                seq=entry.seq,
                at=entry.at,
                action=entry.action,
                parts=entry.parts_text,
                previous=entry.previous,
                hash=entry.hash,
            )
        )
        for part in entry.parts:
            self._session.execute(
                insert(audit_part).values(
                    seq=entry.seq,
                    name=part.name,
                    person_id=part.person_id,
                    salt=part.salt,
                    content=part.content,
                )
            )

    def all(self) -> Iterator[Entry]:
        """Give every row, in order; few are in memory at a time."""
        after: int | None = None
        while page := self._page(after):
            yield from page
            after = page[-1].seq

    def latest(self, before: int | None, limit: int) -> list[Entry]:
        """Return the latest rows, the last first; those before a number, if one is given."""
        query = select(audit_entry).order_by(audit_entry.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(audit_entry.c.seq < before)
        return self._with_parts(list(self._session.execute(query)))

    def of_person(self, person_id: str) -> list[Entry]:
        """Return the rows that hold a part of a person, with those parts only."""
        numbers = select(audit_part.c.seq).where(audit_part.c.person_id == person_id)
        rows = self._session.execute(
            select(audit_entry).where(audit_entry.c.seq.in_(numbers)).order_by(audit_entry.c.seq)
        )
        return self._with_parts(list(rows), person_id)

    def erase(self, person_id: str) -> list[tuple[int, str]]:
        """Erase the parts of a person; return which they were."""
        gone = self._session.execute(
            delete(audit_part)
            .where(audit_part.c.person_id == person_id)
            .returning(audit_part.c.seq, audit_part.c.name)
        )
        return sorted((row.seq, row.name) for row in gone)

    def count(self) -> int:
        """Return how many rows there are."""
        return self._session.scalar(select(func.count()).select_from(audit_entry)) or 0

    def _page(self, after: int | None) -> list[Entry]:
        query = select(audit_entry).order_by(audit_entry.c.seq).limit(_PAGE)
        if after is not None:
            query = query.where(audit_entry.c.seq > after)
        return self._with_parts(list(self._session.execute(query)))

    def _with_parts(self, rows: list[Row[Any]], person_id: str | None = None) -> list[Entry]:
        if not rows:
            return []
        numbers = [row.seq for row in rows]
        wanted = and_(audit_part.c.seq >= min(numbers), audit_part.c.seq <= max(numbers))
        if person_id is not None:
            wanted = and_(wanted, audit_part.c.person_id == person_id)
        found: dict[int, list[Part]] = {}
        for row in self._session.execute(select(audit_part).where(wanted).order_by(audit_part.c.name)):
            found.setdefault(row.seq, []).append(Part(row.name, row.person_id, row.salt, row.content))
        return [
            Entry(
                row.seq,
                row.at,
                row.action,
                row.parts,
                row.previous,
                row.hash,
                tuple(found.get(row.seq, ())),
            )
            for row in rows
        ]
