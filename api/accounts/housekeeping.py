"""What is not kept for ever: links, sessions, attempts and mail whose time is up."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from api.accounts.key_store import Keys
from api.accounts.sessions import Lifetime
from api.accounts.sign_in_store import Attempts, Links, Sessions
from api.mail.store import Outbox

LINKS_KEPT = timedelta(days=1)
"""How long a link that is used or expired is still told from a forged one."""
KEYS_KEPT = timedelta(days=30)
"""How long one still sees on the account page that a key is too old."""
ATTEMPTS_KEPT = timedelta(days=1)
MAIL_KEPT = timedelta(days=30)
"""How long it can be looked up that a mail was sent, and whether it was refused."""


def forget_old(session: Session, life: Lifetime, now: datetime) -> None:
    """Delete all of that."""
    Links(session).delete_older(now - LINKS_KEPT)
    Sessions(session).delete_ended(now, now - life.idle)
    Keys(session).delete_ended(now - KEYS_KEPT)
    Attempts(session).delete_outside(now - ATTEMPTS_KEPT, now + ATTEMPTS_KEPT)
    Outbox(session).delete_older(now - MAIL_KEPT)
