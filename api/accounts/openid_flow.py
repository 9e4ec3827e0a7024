"""What a browser keeps while somebody is at the identity provider, so that only that browser can come back.

It is sealed: the browser cannot read it, and nobody can make one.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from api.accounts.sessions import CLOCK_SLACK
from api.secret import SealError, Secret, new_token

FLOW_LIFE = timedelta(minutes=10)
"""How long somebody may take at the provider."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One attempt. `state` ties the answer to the browser, `nonce` the ID token, `verifier` the code (RFC 7636)."""

    state: str
    nonce: str
    verifier: str
    goes_to: str
    started_at: float


def new_flow(goes_to: str, now: datetime) -> Flow:
    """A flow with secrets of its own."""
    return Flow(new_token(), new_token(), secrets.token_urlsafe(48), goes_to, now.timestamp())


def sealed(flow: Flow, secret: Secret) -> str:
    """The flow for the browser to keep."""
    return secret.seal(json.dumps({"openid": asdict(flow)}))


def unsealed(text: str, secret: Secret) -> Flow | None:
    """The flow that a browser kept; None for anything else, also for another text that we sealed."""
    try:
        found = json.loads(secret.unseal(text))
        return Flow(**found["openid"])
    except (SealError, ValueError, TypeError, KeyError):
        return None


def is_answered_by(flow: Flow, state: str, now: datetime) -> bool:
    """Whether an answer belongs to this flow, and in time; a clock that was set back gives it no more time."""
    age_s = now.timestamp() - flow.started_at
    in_time = -CLOCK_SLACK.total_seconds() <= age_s < FLOW_LIFE.total_seconds()
    return in_time and hmac.compare_digest(flow.state.encode(), state.encode())
