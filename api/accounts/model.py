"""People and what they may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

EVERYWHERE = ""
"""The organisation of a role that holds for all of them."""


class Role(StrEnum):
    """What somebody is here. No role includes another: an administrator manages people, and reads no needs."""

    ASKER = "asker"
    MEMBER = "member"
    OFFICER = "officer"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role at an organisation: its id, or the name of a company that is not in the records (askers only)."""

    role: Role
    organisation: str = EVERYWHERE


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. `id` is opaque; `name` may be empty."""

    id: str
    address: str
    name: str
    language: str
    created_at: datetime
    grants: tuple[Grant, ...] = ()

    @property
    def called(self) -> str:
        """What to show for them."""
        return self.name or self.address

    def holds(self, role: Role, organisation: str | None = None) -> bool:
        """Whether they have the role: anywhere for None, else at that organisation (or everywhere)."""
        return any(
            grant.role == role and (organisation is None or grant.organisation in (organisation, EVERYWHERE))
            for grant in self.grants
        )


@dataclass(frozen=True, slots=True)
class SignInLink:
    """A link that was asked for, without its token."""

    address: str
    language: str
    goes_to: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A browser in which somebody is signed in. `name` stands for it on pages; the cookie's id is never kept."""

    id_hash: str
    name: str
    person_id: str
    device: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
