"""The line to the mail server, and what its answers mean (RFC 5321)."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

from api.settings import Settings, secret_of

TIMEOUT_S = 60.0
"""How long the server may take for each step; RFC 5321 asks for minutes, but a person waits for this mail."""

Result = Literal["sent", "put_off", "refused", "unclear"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail; `problem` says why not, without any address. `line_lost`: nothing more can be sent."""

    result: Result
    problem: str = ""
    line_lost: bool = False


class LineError(Exception):
    """The mail server cannot be used now: not reachable, not private, or it does not let us in."""


@contextmanager
def line(settings: Settings) -> Iterator[smtplib.SMTP]:
    """An open line to the mail server.

    Raises:
        LineError: none can be had.
        SettingsError: the password file cannot be used.
    """
    host, port = settings.smtp_host or "", settings.smtp_port
    where = f"the mail server {host}:{port}"
    try:
        if settings.smtp_security == "tls":
            opened: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
        else:
            opened = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    except (OSError, smtplib.SMTPException) as error:
        raise LineError(f"cannot reach {where} ({_reason(error)})") from error
    try:
        try:
            if settings.smtp_security == "starttls":
                opened.starttls(context=ssl.create_default_context())
            if settings.smtp_user is not None:
                opened.login(settings.smtp_user, _password(settings))
            opened.ehlo_or_helo_if_needed()
        except smtplib.SMTPNotSupportedError as error:
            raise LineError(
                f"{where} does not offer what the settings ask for ({error}); see KENNISMATCH_SMTP_SECURITY "
                "and KENNISMATCH_SMTP_USER"
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            raise LineError(f"{where} does not let us in ({_reason(error)})") from error
        yield opened
    finally:
        _hang_up(opened)


def send(opened: smtplib.SMTP, message: EmailMessage, before_text: Callable[[], None]) -> Outcome:
    """Send one message; `before_text` is called when the server has said that it will take the text.

    A 4xx answer puts it off and a 5xx answer refuses it, wherever it comes; a line that is lost before the text
    has been sent puts it off, and one that is lost after it leaves unclear whether the mail was taken.
    """
    steps: tuple[tuple[str, Callable[[], tuple[int, bytes]]], ...] = (
        ("MAIL", lambda: opened.mail(_address(message, "From"))),
        ("RCPT", lambda: opened.rcpt(_address(message, "To"))),
        ("DATA", lambda: opened.docmd("DATA")),
    )
    try:
        for name, step in steps:
            code, _ = step()
            if code >= 400:
                opened.rset()
                return _judge(code, name)
    except (OSError, smtplib.SMTPException) as error:
        return Outcome("put_off", f"the line was lost before the text ({_reason(error)})", line_lost=True)
    before_text()
    try:
        opened.send(_on_the_line(message.as_bytes()))
        code, _ = opened.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return Outcome("unclear", f"the line was lost after the text ({_reason(error)})", line_lost=True)
    return Outcome("sent") if code == 250 else _judge(code, "the text")


def _judge(code: int, step: str) -> Outcome:
    # The server's own words may repeat the address, so that only its number is kept.
    if 400 <= code < 500:
        return Outcome("put_off", f"answer {code} to {step}", line_lost=code == 421)
    return Outcome("refused", f"answer {code} to {step}")


def _on_the_line(text: bytes) -> bytes:
    """Dots at the start of a line are doubled, and a dot alone ends it (RFC 5321, 4.5.2)."""
    lines = text.split(b"\r\n")
    if lines[-1] == b"":
        lines.pop()
    return b"".join((b"." + item if item.startswith(b".") else item) + b"\r\n" for item in lines) + b".\r\n"


def _address(message: EmailMessage, header: str) -> str:
    return str(message[header].addresses[0].addr_spec)


def _password(settings: Settings) -> str:
    given = secret_of(
        settings.smtp_password_file,
        settings.smtp_password,
        "the password of the mail server",
        "KENNISMATCH_SMTP_PASSWORD_FILE",
    )
    return given or ""


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answer {error.smtp_code}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _hang_up(opened: smtplib.SMTP) -> None:
    try:
        opened.quit()
    except (OSError, smtplib.SMTPException):
        opened.close()
