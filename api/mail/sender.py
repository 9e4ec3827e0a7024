"""Works the outbox off: claim a mail, hand it over, keep what the server said; each step is committed by itself.

Killed at any point, the next sender goes on: what had not been handed over is sent, what had been is not sent again.
"""

from __future__ import annotations

import smtplib
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from api.errors import expected_errors, message_of
from api.logs import places
from api.mail import smtp
from api.mail.message import MailState, QueuedMail, compose
from api.mail.store import Outbox
from api.secret import SealError, Secret
from api.settings import Settings

log = structlog.get_logger(__name__)

BACK_OFF_S = (30, 120, 600, 1800, 7200, 21600, 43200)
"""Waits after the first, second … attempt that was put off; after the last, a day in all, it is given up."""
POLL_S = 10.0
"""How long a mail that another process queued waits at most; this process wakes the sender itself."""
TROUBLE_S = 30.0
"""How long to leave a mail server alone that could not be reached."""
STOP_S = 10.0
"""How long a server that stops waits for the mail under way; the outbox then says that its outcome is unclear."""

UnitOfWork = Callable[[], AbstractContextManager[Session]]


class Outgoing:
    """Sends what is due, once around. `writing` gives a unit of work on the records."""

    def __init__(
        self, settings: Settings, secret: Secret, writing: UnitOfWork, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._writing = writing
        self._now = now

    def send_due(self, ending: threading.Event | None = None) -> Counter[str]:
        """Send all that is due; returns how many were sent, put off, refused or left unclear.

        Raises:
            LineError: the mail server cannot be used; everything is left as it was.
        """
        done: Counter[str] = Counter()
        with self._writing() as session:
            Outbox(session).recover(self._now())
            Outbox(session).expire(self._now())
        mail = self._claim()
        while mail is not None:
            try:
                with smtp.line(self._settings) as opened:
                    while mail is not None:
                        current, mail = mail, None
                        outcome = self._send(opened, current)
                        done[outcome.result] += 1
                        if outcome.line_lost or (ending is not None and ending.is_set()):
                            break
                        mail = self._claim()
            except smtp.LineError as error:
                if mail is not None:
                    with self._writing() as session:
                        Outbox(session).give_back(mail.id, str(error))
                raise
            if ending is not None and ending.is_set():
                break
            mail = mail or self._claim()
        return done

    def _claim(self) -> QueuedMail | None:
        with self._writing() as session:
            return Outbox(session).claim(self._now())

    def _send(self, opened: smtplib.SMTP, mail: QueuedMail) -> smtp.Outcome:
        try:
            text = self._secret.unseal(mail.content) if mail.sealed else mail.content
            message = compose(mail, text, self._settings.mail_from or "")
        except SealError:
            outcome = smtp.Outcome("refused", "it was sealed with a key that is gone")
        except ValueError:
            outcome = smtp.Outcome("refused", "a header of it cannot be sent")
        else:
            outcome = smtp.send(opened, message, lambda: self._hand_over(mail.id))
        self._keep(mail, outcome)
        log.info("mail_" + outcome.result, mail=mail.id, kind=mail.kind, problem=outcome.problem or None)
        return outcome

    def _hand_over(self, id_: str) -> None:
        with self._writing() as session:
            Outbox(session).hand_over(id_, self._now())

    def _keep(self, mail: QueuedMail, outcome: smtp.Outcome) -> None:
        now, attempts = self._now(), mail.attempts + 1
        with self._writing() as session:
            outbox = Outbox(session)
            if outcome.result == "put_off" and attempts <= len(BACK_OFF_S):
                due_at = now + timedelta(seconds=BACK_OFF_S[attempts - 1])
                outbox.put_off(mail.id, attempts, due_at, outcome.problem)
            elif outcome.result == "put_off":
                outbox.finish(mail.id, MailState.REFUSED, attempts, f"given up after {outcome.problem}", now)
            else:
                outbox.finish(mail.id, MailState(outcome.result), attempts, outcome.problem, now)


class Sender:
    """The thread of a server that sends mail as it is queued. `start` and `stop` are called once each."""

    def __init__(self, outgoing: Callable[[], Outgoing | None]) -> None:
        """Take what gives the outgoing mail, or None as long as the records are not open."""
        self._outgoing = outgoing
        self._ending = threading.Event()
        self._awake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mail", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def wake(self) -> None:
        """Look into the outbox now."""
        self._awake.set()

    def stop(self) -> None:
        """End after the mail that is under way."""
        self._ending.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._awake.clear()
            self._awake.wait(self._round())

    def _round(self) -> float:
        """Send what is due; returns how long to wait before the next look."""
        outgoing = self._outgoing()
        if outgoing is None:
            return 1.0
        try:
            outgoing.send_due(self._ending)
        except smtp.LineError as error:
            log.warning("mail_server_not_usable", problem=str(error), retry_s=TROUBLE_S)
            return TROUBLE_S
        except expected_errors() as error:
            log.error("mail_not_sent", problem=message_of(error), retry_s=TROUBLE_S)
            return TROUBLE_S
        except Exception as error:  # noqa: BLE001 - the thread must outlive any fault, and tell of it
            log.error("mail_not_sent", error=type(error).__name__, at=places(error), retry_s=TROUBLE_S)
            return TROUBLE_S
        return POLL_S
