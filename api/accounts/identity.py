"""Somebody as an identity provider names them, and why signing in there may fail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in there. `address` is None unless the provider says that it is theirs."""

    issuer: str
    subject: str
    address: str | None
    name: str


class OpenIdError(Exception):
    """Signing in there did not work; `code` says why: a key of the locale after `openid.error.`."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
