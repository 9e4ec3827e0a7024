"""The SQL on sign-in links, open sessions and attempts. Portable: no dialect's own words.

A class here belongs to one session of the database; who opened that session (`corpora.database`) commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from api.accounts import tables
from api.accounts.address import address_key
from api.accounts.model import OpenSession, SignInLink


class Links:
    """Sign-in links, by the keyed hash of their token."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, token_hash: str, link: SignInLink) -> None:
        """Store a link."""
        self._session.execute(
            insert(tables.sign_in_link).values(
                token_hash=token_hash,
                address=link.address,
                address_key=address_key(link.address),
                language=link.language,
                goes_to=link.goes_to,
                created_at=link.created_at,
                expires_at=link.expires_at,
                used_at=link.used_at,
            )
        )

    def get(self, token_hash: str) -> SignInLink | None:
        """Return a link; None when there is none."""
        row = self._session.execute(
            select(tables.sign_in_link).where(tables.sign_in_link.c.token_hash == token_hash)
        ).one_or_none()
        if row is None:
            return None
        return _link_of(row)

    def of_address(self, address: str) -> list[SignInLink]:
        """Return the links of an address, earliest first."""
        column = tables.sign_in_link.c
        rows = self._session.execute(
            select(tables.sign_in_link)
            .where(column.address_key == address_key(address))
            .order_by(column.created_at, column.token_hash)
        )
        return [_link_of(row) for row in rows]

    def delete_all(self) -> None:
        """Delete every link."""
        self._session.execute(delete(tables.sign_in_link))

    def use_all_of(self, address: str, now: datetime) -> None:
        """Mark every link of an address as used: who came in by one needs no other."""
        column = tables.sign_in_link.c
        self._session.execute(
            update(tables.sign_in_link)
            .where(column.address_key == address_key(address), column.used_at.is_(None))
            .values(used_at=now)
        )

    def delete_older(self, before: datetime) -> None:
        """Delete the links that ended before that moment."""
        self._session.execute(delete(tables.sign_in_link).where(tables.sign_in_link.c.expires_at < before))


class Sessions:
    """Browsers in which somebody is signed in, by the keyed hash of their cookie."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, opened: OpenSession) -> None:
        """Store a session."""
        self._session.execute(
            insert(tables.open_session).values(
                id_hash=opened.id_hash,
                name=opened.name,
                person_id=opened.person_id,
                device=opened.device,
                created_at=opened.created_at,
                seen_at=opened.seen_at,
                expires_at=opened.expires_at,
            )
        )

    def get(self, id_hash: str) -> OpenSession | None:
        """Return a session; None when there is none."""
        row = self._session.execute(
            select(tables.open_session).where(tables.open_session.c.id_hash == id_hash)
        ).one_or_none()
        return None if row is None else _session_of(row)

    def of_person(self, person_id: str) -> list[OpenSession]:
        """Return a person's sessions, the latest used first."""
        column = tables.open_session.c
        rows = self._session.execute(
            select(tables.open_session)
            .where(column.person_id == person_id)
            .order_by(column.seen_at.desc(), column.name)
        )
        return [_session_of(row) for row in rows]

    def touch(self, id_hash: str, now: datetime) -> None:
        """Keep that it was used now."""
        self._session.execute(
            update(tables.open_session).where(tables.open_session.c.id_hash == id_hash).values(seen_at=now)
        )

    def end(self, id_hash: str) -> bool:
        """End a session; False when there was none."""
        return self._end(tables.open_session.c.id_hash == id_hash)

    def end_named(self, person_id: str, name: str) -> bool:
        """End the session of that name if it is that person's; False when there was none."""
        column = tables.open_session.c
        return self._end(column.person_id == person_id, column.name == name)

    def end_all(self, person_id: str) -> None:
        """End all sessions of a person."""
        self._end(tables.open_session.c.person_id == person_id)

    def delete_all(self) -> None:
        """End every session of everybody."""
        self._session.execute(delete(tables.open_session))

    def delete_ended(self, now: datetime, unseen_since: datetime) -> None:
        """Delete those whose time is up, or that nobody has used since then."""
        column = tables.open_session.c
        self._end(or_(column.expires_at <= now, column.seen_at <= unseen_since))

    def _end(self, *conditions: Any) -> bool:
        gone = self._session.execute(
            delete(tables.open_session).where(*conditions).returning(tables.open_session.c.id_hash)
        )
        return bool(gone.all())


class Attempts:
    """When somebody tried something, by a keyed hash of who."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def moments(self, subject_hash: str, start: datetime, end: datetime) -> Sequence[datetime]:
        """Return the moments of a subject's attempts in a span of time, earliest first."""
        column = tables.attempt.c
        return self._session.scalars(
            select(column.at)
            .where(column.subject_hash == subject_hash, column.at > start, column.at < end)
            .order_by(column.at)
        ).all()

    def add(self, subject_hash: str, now: datetime) -> None:
        """Keep an attempt."""
        self._session.execute(insert(tables.attempt).values(subject_hash=subject_hash, at=now))

    def delete_outside(self, start: datetime, end: datetime) -> None:
        """Delete the attempts before and after a span of time."""
        column = tables.attempt.c
        self._session.execute(delete(tables.attempt).where(or_(column.at < start, column.at > end)))


def _link_of(row: Row[Any]) -> SignInLink:
    return SignInLink(row.address, row.language, row.goes_to, row.created_at, row.expires_at, row.used_at)


def _session_of(row: Row[Any]) -> OpenSession:
    return OpenSession(
        row.id_hash, row.name, row.person_id, row.device, row.created_at, row.seen_at, row.expires_at
    )
