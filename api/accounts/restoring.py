"""What a restored backup must not bring back: people who were erased, sessions, links, revoked keys, and sent mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from api.accounts.erasure import keep_erased
from api.accounts.key_store import Keys
from api.accounts.sign_in_store import Links, Sessions
from api.accounts.store import People
from api.mail.store import Outbox


@dataclass(frozen=True, slots=True)
class SinceThen:
    """What has happened since a backup was made: who was erased, and which keys are still in use."""

    erased: frozenset[str]
    keys: frozenset[str]


def since_then(now_there: Session) -> SinceThen:
    """What the records that are about to be replaced say of it."""
    return SinceThen(People(now_there).tombstones(), Keys(now_there).ids())


def settle_restored(restored: Session, since: SinceThen | None, now: datetime) -> None:
    """Take back what must not come back; `since` is None where nothing was there before, or it was damaged."""
    Sessions(restored).delete_all()
    Links(restored).delete_all()
    Outbox(restored).settle_restored(now)
    if since is not None:
        Keys(restored).keep_only(since.keys)
        keep_erased(restored, since.erased, now)
