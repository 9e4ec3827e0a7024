"""Signing in with a link that is mailed: asking for one, looking at it, using it once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from api.accounts.audit import Action, by_session, record
from api.accounts.model import Grant, Person, Role, SignInLink
from api.accounts.roles import give
from api.accounts.sessions import CLOCK_SLACK, is_token
from api.accounts.sign_in_store import Links
from api.accounts.store import People
from api.secret import Secret, new_token

LINK_LIFE = timedelta(minutes=10)

AFTER_SIGN_IN = "/account"
MAX_PATH_CHARS = 200


class LinkState(StrEnum):
    """What a link is worth."""

    GOOD = "good"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Looked:
    """A link that somebody came with; `link` is None when we do not know it."""

    state: LinkState
    link: SignInLink | None = None


def new_link(
    session: Session, secret: Secret, address: str, language: str, goes_to: str, now: datetime
) -> tuple[str, SignInLink]:
    """Make a link for an address; returns its token, which is kept nowhere, and what is kept."""
    token = new_token()
    link = SignInLink(address, language, local_path(goes_to), now, now + LINK_LIFE, None)
    Links(session).add(secret.hash("sign-in", token), link)
    return token, link


def look(session: Session, secret: Secret, token: str, now: datetime) -> Looked:
    """What a link is worth; looking at it does not use it, since scanners of mail look at every link."""
    link = Links(session).get(secret.hash("sign-in", token)) if is_token(token) else None
    if link is None:
        return Looked(LinkState.UNKNOWN)
    if link.used_at is not None:
        return Looked(LinkState.USED, link)
    # A clock that was set back must not give a link more time than it has.
    if not link.created_at - CLOCK_SLACK <= now < link.expires_at:
        return Looked(LinkState.EXPIRED, link)
    return Looked(LinkState.GOOD, link)


def use(
    session: Session, secret: Secret, token: str, now: datetime, *, sign_up: bool
) -> tuple[Looked, Person | None]:
    """Use a link; returns what it was worth, and who comes in by it (None unless it was good).

    Call it in a unit of work: that holds the write lock, so that of two who come at once only one gets in.
    """
    looked = look(session, secret, token, now)
    if looked.link is None or looked.state is not LinkState.GOOD:
        return looked, None
    people = People(session)
    person = people.by_address(looked.link.address)
    if person is None and sign_up:
        person = people.add(looked.link.address, looked.link.language, now)
        record(session, now, Action.ACCOUNT_MADE, by_session(person.id), address=person.address)
        give(session, person.id, Grant(Role.ASKER), now, by_session(person.id))
        person = people.get(person.id)
    if person is None:  # they were removed since they asked
        return Looked(LinkState.UNKNOWN), None
    Links(session).use_all_of(looked.link.address, now)
    return looked, person


def local_path(text: str) -> str:
    r"""Where to go after signing in: a path of ours as it was given, else the account page.

    What a browser could take for another site's address (`//host`, `/\\host`, with control characters) is no path.
    """
    usable = (
        len(text) <= MAX_PATH_CHARS
        and text.startswith("/")
        and not text.startswith("//")
        and "\\" not in text
        and text.isascii()
        and text.isprintable()
        and " " not in text
        and not text.startswith("/sign-")
    )
    return text if usable else AFTER_SIGN_IN
