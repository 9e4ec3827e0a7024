"""A mail: what is to be sent, and the message that goes over the line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum


class MailState(StrEnum):
    """How far a mail is."""

    QUEUED = "queued"
    CONNECTING = "connecting"
    """A sender has taken it, and the server has not been given the text."""
    HANDING_OVER = "handing_over"
    """The server is being given the text: from here on, only its answer tells whether it was taken."""
    SENT = "sent"
    REFUSED = "refused"
    """For good: the server said so, or it was tried often enough."""
    UNCLEAR = "unclear"
    """The line was lost after the text: it may have arrived, so it is not sent again by itself."""
    EXPIRED = "expired"
    """Its time was up before it could be sent."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail to be queued.

    `unique_key`: of several drafts with one key only the first is queued, so that a job may run again.
    `sealed`: the text is kept encrypted, and erased once it is sent, because it opens something.
    `expires_at`: when it is of no use any more.
    """

    kind: str
    recipient: str
    language: str
    subject: str
    text: str
    person_id: str | None = None
    unique_key: str | None = None
    sealed: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """A mail in the outbox. `content` is the text, sealed where `sealed` says so, and empty once it has been sent."""

    id: str
    kind: str
    recipient: str
    language: str
    subject: str
    content: str
    sealed: bool
    state: MailState
    attempts: int
    problem: str
    created_at: datetime
    due_at: datetime
    expires_at: datetime | None
    done_at: datetime | None


def compose(mail: QueuedMail, text: str, sender: str) -> EmailMessage:
    """The message; its Message-ID is the same at each attempt, so that a copy can be told from a second mail.

    Raises:
        ValueError: a header holds a line end.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message["Content-Language"] = mail.language
    message.set_content(text.rstrip() + "\n", charset="utf-8", cte="quoted-printable")
    return message
