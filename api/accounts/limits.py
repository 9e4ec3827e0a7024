"""How often somebody may ask for a link: per address and per client, whether the address is known or not."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from api.accounts.address import address_key
from api.accounts.sign_in_store import Attempts
from api.problems import ProblemError
from api.secret import Secret


@dataclass(frozen=True, slots=True)
class Limit:
    """So many attempts in a span of time."""

    what: str
    most: int
    span: timedelta


PER_ADDRESS = Limit("address", 5, timedelta(minutes=15))
"""Somebody whose mail is slow asks three times; more would let anybody fill a stranger's mailbox."""
PER_CLIENT = Limit("client", 30, timedelta(minutes=15))
"""An office behind one address signs in on a Monday morning; a list of addresses takes hours to try."""


def count_attempt(session: Session, secret: Secret, limit: Limit, subject: str, now: datetime) -> None:
    """Count an attempt, or refuse it. A clock that was set back neither lifts a limit nor makes it last longer.

    Raises:
        ProblemError: 429, with `Retry-After`.
    """
    attempts = Attempts(session)
    subject_hash = secret.hash(f"attempt:{limit.what}", subject)
    # Attempts from the future were made before the clock was set back: they count, as long as others do.
    made = attempts.moments(subject_hash, now - limit.span, now + limit.span)
    if len(made) >= limit.most:
        # The earliest of the last `most` has to fall out of the span.
        wait = made[-limit.most] + limit.span - now
        seconds = max(1, min(math.ceil(wait.total_seconds()), int(limit.span.total_seconds())))
        raise ProblemError(
            429,
            "too_many_attempts",
            f"expected at most {limit.most} attempts in {int(limit.span.total_seconds() // 60)} minutes, found more; "
            f"try again in {seconds} seconds",
            headers={"Retry-After": str(seconds)},
        )
    attempts.add(subject_hash, now)


def client_of(host: str | None) -> str:
    """Who counts as one client: an IPv4 address, or the network of an IPv6 address (one customer has a /64)."""
    try:
        found = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def count_request_for_link(
    session: Session, secret: Secret, address: str, client: str | None, now: datetime
) -> None:
    """Count a request for a sign-in link against both limits.

    Raises:
        ProblemError: 429, with `Retry-After`.
    """
    count_attempt(session, secret, PER_CLIENT, client_of(client), now)
    count_attempt(session, secret, PER_ADDRESS, address_key(address), now)
