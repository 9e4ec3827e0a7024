"""The SQL on the outbox. Portable: no dialect's own words.

An `Outbox` belongs to one session; who opened the session (`corpora.database`) commits. So a mail is queued with
the decision to send it, or not at all.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from api.mail.message import Draft, MailState, QueuedMail
from api.mail.tables import message
from api.secret import Secret

CLAIM_LIFE = timedelta(minutes=15)
"""A sender that has not told how it went for so long is dead: every step of it has a shorter time limit."""
FINAL = (MailState.SENT, MailState.REFUSED, MailState.UNCLEAR, MailState.EXPIRED)


class Outbox:
    """Reads and writes the mails through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def queue(self, draft: Draft, secret: Secret, now: datetime) -> str | None:
        """Queue a mail; returns its id, or None when one with its key has been queued before."""
        if draft.unique_key is not None and self._session.scalar(
            select(message.c.id).where(message.c.unique_key == draft.unique_key)
        ):
            return None
        id_ = secrets.token_hex(16)
        self._session.execute(
            insert(message).values(
                id=id_,
                kind=draft.kind,
                unique_key=draft.unique_key,
                person_id=draft.person_id,
                recipient=draft.recipient,
                language=draft.language,
                subject=draft.subject,
                content=secret.seal(draft.text) if draft.sealed else draft.text,
                sealed=draft.sealed,
                state=MailState.QUEUED.value,
                attempts=0,
                problem="",
                created_at=now,
                due_at=now,
                expires_at=draft.expires_at,
            )
        )
        return id_

    def recover(self, now: datetime) -> None:
        """Settle what dead senders left: what they had not handed over is queued again, the rest is unclear."""
        dead = or_(message.c.claimed_at <= now - CLAIM_LIFE, message.c.claimed_at >= now + CLAIM_LIFE)
        self._session.execute(
            update(message)
            .where(message.c.state == MailState.CONNECTING.value, dead)
            .values(state=MailState.QUEUED.value, claimed_at=None)
        )
        self._session.execute(
            update(message)
            .where(message.c.state == MailState.HANDING_OVER.value, dead)
            .values(
                state=MailState.UNCLEAR.value,
                claimed_at=None,
                done_at=now,
                problem="the sender ended while it handed the mail over",
            )
        )

    def settle_restored(self, now: datetime) -> None:
        """What waited when a backup was made may have been sent since: it is unclear, and only a person sends it."""
        waiting = (MailState.QUEUED, MailState.CONNECTING, MailState.HANDING_OVER)
        self._session.execute(
            update(message)
            .where(message.c.state.in_([state.value for state in waiting]))
            .values(
                state=MailState.UNCLEAR.value,
                claimed_at=None,
                done_at=now,
                problem="it waited in a backup that was restored, and may have been sent since",
            )
        )

    def expire(self, now: datetime) -> None:
        """Give up what is of no use any more, and erase its text."""
        self._session.execute(
            update(message)
            .where(message.c.state == MailState.QUEUED.value, message.c.expires_at <= now)
            .values(state=MailState.EXPIRED.value, done_at=now, content="")
        )

    def claim(self, now: datetime) -> QueuedMail | None:
        """Take the mail that has been due longest, for this sender alone; None when none is due."""
        column = message.c
        row = self._session.execute(
            select(message)
            .where(column.state == MailState.QUEUED.value, column.due_at <= now)
            .order_by(column.due_at, column.created_at, column.id)
            .limit(1)
        ).one_or_none()
        if row is None:
            return None
        self._set(row.id, state=MailState.CONNECTING.value, claimed_at=now)
        return _mail_of(row)

    def hand_over(self, id_: str, now: datetime) -> None:
        """Keep that the text goes over the line now."""
        self._set(id_, state=MailState.HANDING_OVER.value, claimed_at=now)

    def give_back(self, id_: str, problem: str) -> None:
        """Queue a claimed mail again as it was: it was not the mail that failed."""
        self._set(id_, state=MailState.QUEUED.value, claimed_at=None, problem=problem)

    def put_off(self, id_: str, attempts: int, due_at: datetime, problem: str) -> None:
        """Queue a mail for another attempt."""
        self._set(
            id_,
            state=MailState.QUEUED.value,
            claimed_at=None,
            attempts=attempts,
            due_at=due_at,
            problem=problem,
        )

    def finish(self, id_: str, state: MailState, attempts: int, problem: str, now: datetime) -> None:
        """Keep how it ended. The text stays only where the operator may want to send it again."""
        changes: dict[str, Any] = {"content": ""} if state is MailState.SENT else {}
        self._set(
            id_,
            state=state.value,
            claimed_at=None,
            attempts=attempts,
            done_at=now,
            problem=problem,
            **changes,
        )

    def retry(self, id_: str, now: datetime) -> bool:
        """Queue an unclear or refused mail once more, as the operator decided; False when it is neither."""
        changed = self._session.execute(
            update(message)
            .where(
                message.c.id == id_,
                message.c.state.in_((MailState.UNCLEAR.value, MailState.REFUSED.value)),
            )
            .values(state=MailState.QUEUED.value, attempts=0, due_at=now, done_at=None)
            .returning(message.c.id)
        )
        return bool(changed.all())

    def counts(self) -> dict[MailState, int]:
        """Return how many mails there are in each state."""
        rows = self._session.execute(select(message.c.state, func.count()).group_by(message.c.state))
        return {MailState(state): n for state, n in rows.all()}

    def next_due(self) -> datetime | None:
        """Return when the next attempt is due; None when nothing is queued."""
        return self._session.scalar(
            select(message.c.due_at)
            .where(message.c.state == MailState.QUEUED.value)
            .order_by(message.c.due_at)
            .limit(1)
        )

    def troubled(self, limit: int) -> list[QueuedMail]:
        """Return mails that a person should look at, the latest first."""
        wanted = (MailState.UNCLEAR.value, MailState.REFUSED.value)
        rows = self._session.execute(
            select(message)
            .where(or_(message.c.state.in_(wanted), message.c.problem != ""))
            .where(message.c.state != MailState.SENT.value)
            .order_by(message.c.created_at.desc(), message.c.id)
            .limit(limit)
        )
        return [_mail_of(row) for row in rows]

    def of_recipient(self, person_id: str, address: str) -> list[QueuedMail]:
        """Return the mails to a person, earliest first."""
        rows = self._session.execute(
            select(message)
            .where(or_(message.c.person_id == person_id, func.lower(message.c.recipient) == address.lower()))
            .order_by(message.c.created_at, message.c.id)
        )
        return [_mail_of(row) for row in rows]

    def forget(self, person_id: str, address: str) -> None:
        """Delete every mail to a person."""
        self._session.execute(
            delete(message).where(
                or_(message.c.person_id == person_id, func.lower(message.c.recipient) == address.lower())
            )
        )

    def delete_older(self, before: datetime) -> None:
        """Delete the mails that ended before that moment."""
        self._session.execute(
            delete(message).where(
                message.c.state.in_([state.value for state in FINAL]), message.c.done_at < before
            )
        )

    def _set(self, id_: str, **values: Any) -> None:
        self._session.execute(update(message).where(message.c.id == id_).values(**values))


def _mail_of(row: Row[Any]) -> QueuedMail:
    return QueuedMail(
        row.id,
        row.kind,
        row.recipient,
        row.language,
        row.subject,
        row.content,
        row.sealed,
        MailState(row.state),
        row.attempts,
        row.problem,
        row.created_at,
        row.due_at,
        row.expires_at,
        row.done_at,
    )
