"""Erasing somebody: all that is kept of a person goes, and a tombstone keeps a restored backup from bringing it back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from api.accounts import audit
from api.accounts.model import Person
from api.accounts.roles import RoleError, is_last_administrator
from api.accounts.store import People
from api.mail.store import Outbox


def erase_person(session: Session, person: Person, now: datetime, via: str) -> None:
    """Erase an account: roles, sessions, keys, identities, links, mail, and what the log says of the person.

    Raises:
        RoleError: nobody would be left who can manage people.
    """
    if is_last_administrator(session, person.id):
        raise RoleError(
            "last_administrator",
            "expected another administrator beside this one, found none; appoint one first",
        )
    _erase(session, person, now, via)


def keep_erased(restored: Session, erased: frozenset[str], now: datetime) -> int:
    """Erase from restored records those who have been erased since the backup; returns how many were there."""
    people = People(restored)
    found = [
        person for id_ in sorted(erased - people.tombstones()) if (person := people.get(id_)) is not None
    ]
    for person in found:
        _erase(restored, person, now, "restore")
    # Also of those who are not in the backup: a still older one may be restored after it.
    for id_ in erased:
        people.bury(id_, now)
    return len(found)


def _erase(session: Session, person: Person, now: datetime, via: str) -> None:
    Outbox(session).forget(person.id, person.address)
    People(session).delete(person.id, now)
    audit.erase(session, now, person.id, via)
