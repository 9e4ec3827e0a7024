"""Sessions on the server: the browser holds a random id, we hold its keyed hash."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from api.accounts.audit import Action, by_session, record
from api.accounts.model import OpenSession
from api.accounts.sign_in_store import Sessions
from api.secret import Secret, new_token

TOUCH_EVERY = timedelta(minutes=5)
"""How precise "last used" is: not every page that is read has to write."""
CLOCK_SLACK = timedelta(minutes=5)
"""How far the clock may have been set back without consequence; anything later is not trusted."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lives without being used, and at most."""

    idle: timedelta
    whole: timedelta


def is_token(text: str) -> bool:
    """Whether it looks like what `new_token` makes; all else need not be looked up."""
    return _TOKEN.fullmatch(text) is not None


def open_session(
    session: Session, secret: Secret, person_id: str, device: str, life: Lifetime, now: datetime
) -> tuple[str, OpenSession]:
    """Open a session for a person; returns the id for the cookie, which is kept nowhere, and what is kept."""
    token = new_token()
    opened = OpenSession(
        id_hash=secret.hash("session", token),
        name=secrets.token_urlsafe(9),
        person_id=person_id,
        device=device,
        created_at=now,
        seen_at=now,
        expires_at=now + life.whole,
    )
    Sessions(session).add(opened)
    record(session, now, Action.SIGNED_IN, by_session(person_id), device=device)
    return token, opened


def resume(session: Session, secret: Secret, token: str, life: Lifetime, now: datetime) -> OpenSession | None:
    """The session of a cookie; None when there is none or its time is up.

    A session that was used in the future, by a clock since set back, has ended too: otherwise it would live longer
    than it may.
    """
    if not is_token(token):
        return None
    found = Sessions(session).get(secret.hash("session", token))
    return found if found is not None and is_live(found, life, now) else None


def is_live(found: OpenSession, life: Lifetime, now: datetime) -> bool:
    """Whether a session's time is not up."""
    return (
        found.created_at - CLOCK_SLACK <= now < min(found.expires_at, found.created_at + life.whole)
        and found.seen_at - CLOCK_SLACK <= now < found.seen_at + life.idle
    )


def needs_touch(found: OpenSession, now: datetime) -> bool:
    """Whether it is time to write down that it is in use."""
    return now - found.seen_at >= TOUCH_EVERY
