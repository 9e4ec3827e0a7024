"""Whose account belongs to an identity at the identity provider."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from api.accounts.audit import Action, by_session, record
from api.accounts.identity import Identity, OpenIdError
from api.accounts.identity_store import Identities
from api.accounts.model import Grant, Person, Role
from api.accounts.roles import clean_name, give
from api.accounts.store import People


def person_of(session: Session, found: Identity, language: str, now: datetime, *, sign_up: bool) -> Person:
    """The person with this identity, the first time found by their address; a new one where that is allowed.

    Raises:
        OpenIdError: the provider vouches for no address, or nobody may come in by it.
    """
    people, identities = People(session), Identities(session)
    known = identities.person_id(found.issuer, found.subject)
    person = people.get(known) if known is not None else None
    if person is not None:
        return person
    if found.address is None:
        raise OpenIdError("no_address", "the provider vouches for no address")
    person = people.by_address(found.address)
    if person is not None and any(issuer == found.issuer for issuer, _ in identities.of_person(person.id)):
        # An organisation gave the address of somebody who left to somebody else: that is not the same person.
        raise OpenIdError("address_taken", "the address belongs to another identity of this provider")
    if person is None and not sign_up:
        raise OpenIdError("not_invited", "nobody was invited at the address")
    if person is None:
        person = people.add(found.address, language, now, clean_name(found.name))
        record(session, now, Action.ACCOUNT_MADE, by_session(person.id), address=person.address)
        give(session, person.id, Grant(Role.ASKER), now, by_session(person.id))
    identities.add(found.issuer, found.subject, person.id, now)
    record(session, now, Action.IDENTITY_LINKED, by_session(person.id), issuer=found.issuer)
    return people.get(person.id) or person
