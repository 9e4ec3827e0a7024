"""Giving and taking roles, with the rules that hold wherever it is done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from api.accounts.audit import Action, Actor, record
from api.accounts.model import EVERYWHERE, Grant, Person, Role
from api.accounts.store import People
from corpora.characters import storable

MAX_NAME_CHARS = 200


class RoleError(ValueError):
    """A role cannot be given or taken; `code` says why: a key of the locale after `role_error.`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def grant_of(role: str, organisation: str, organisations: Mapping[str, str]) -> Grant:
    """The role that was asked for. `organisations` are the names of those in the records, by id.

    Raises:
        RoleError: there is no such role, or it cannot be had at that organisation.
    """
    if role not in set(Role):
        raise RoleError("unknown_role", f"expected one of {', '.join(Role)} as the role, found {role[:40]!r}")
    wanted, place = Role(role), " ".join(storable(organisation).split())[:MAX_NAME_CHARS]
    if wanted is Role.ADMINISTRATOR:
        return Grant(wanted)
    if not place:
        if wanted is Role.MEMBER:
            raise RoleError(
                "organisation_needed", "expected the organisation of a group member, found none; name it"
            )
        return Grant(wanted, EVERYWHERE)
    by_name = {name.casefold(): id_ for id_, name in organisations.items()}
    id_ = place if place in organisations else by_name.get(place.casefold())
    if id_ is None and wanted is not Role.ASKER:
        raise RoleError(
            "unknown_organisation",
            f"expected the id or name of an organisation in the records, found {place!r}; see GET /api/v1/profiles",
        )
    return Grant(wanted, id_ or place)


def invite(
    session: Session, address: str, name: str, language: str, grant: Grant, now: datetime, actor: Actor
) -> tuple[Person, bool]:
    """Give a role to whoever has the address, with an account if they have none; says whether it is new to them."""
    people = People(session)
    person = people.by_address(address)
    if person is None:
        person = people.add(address, language, now, clean_name(name))
        record(session, now, Action.ACCOUNT_MADE, actor, person.id, address=address)
    is_new = give(session, person.id, grant, now, actor)
    return people.get(person.id) or person, is_new


def give(session: Session, person_id: str, grant: Grant, now: datetime, actor: Actor) -> bool:
    """Give a role; False when they had it."""
    is_new = People(session).give(person_id, grant, now)
    if is_new:
        record(
            session,
            now,
            Action.ROLE_GRANTED,
            actor,
            person_id,
            role=grant.role.value,
            organisation=grant.organisation,
        )
    return is_new


def revoke(session: Session, person_id: str, grant: Grant, now: datetime, actor: Actor) -> bool:
    """Take a role back; False when they did not have it.

    Raises:
        RoleError: nobody would be left who can manage people.
    """
    people = People(session)
    if grant.role is Role.ADMINISTRATOR and is_last_administrator(session, person_id):
        raise RoleError(
            "last_administrator",
            "expected another administrator beside this one, found none; appoint one first",
        )
    gone = people.take(person_id, grant)
    if gone:
        record(
            session,
            now,
            Action.ROLE_REVOKED,
            actor,
            person_id,
            role=grant.role.value,
            organisation=grant.organisation,
        )
    return gone


def is_last_administrator(session: Session, person_id: str) -> bool:
    """Whether this person is the only administrator."""
    return People(session).holders(Role.ADMINISTRATOR) == {person_id}


def clean_name(name: str) -> str:
    """A name as it is kept: on one line, and not longer than a name is."""
    return " ".join(storable(name).split())[:MAX_NAME_CHARS]
