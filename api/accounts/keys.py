"""Keys with which a program comes in for a person: made once, shown once, kept as a hash.

A key is 256 random bits, so that a plain hash of it cannot be guessed back, and keys outlive the installation's
secret. A key opens the JSON API only, and of that only what its scopes name; pages do not look at it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from api.secret import new_token

DAYS = (30, 90, 365)
"""How long a key may live, to choose from: none is for ever, since nobody remembers where it was put."""
MAX_KEYS = 20
"""Of one person at a time."""
MAX_NAME_CHARS = 60
ID_CHARS = 10

_ID = re.compile(f"[a-z0-9]{{{ID_CHARS}}}")
_KEY = re.compile(f"km_([a-z0-9]{{{ID_CHARS}}})_([A-Za-z0-9_-]{{43}})")


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    """Look up profiles, and whose key it is."""
    MATCH = "match"
    """Match needs."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `id` is public: it stands at the start of the key, and on the account page."""

    id: str
    person_id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    @property
    def prefix(self) -> str:
        """How the key begins."""
        return f"km_{self.id}_"

    def is_live(self, now: datetime) -> bool:
        """Whether its time is not up; a clock that was set back past its making does not bring it to life."""
        return self.created_at - timedelta(minutes=5) <= now < self.expires_at


def new_key_id() -> str:
    """An id for a key to be made; the form carries it, so that one that is sent twice makes one key."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(ID_CHARS))


def is_key_id(text: str) -> bool:
    """Whether it looks like what `new_key_id` makes."""
    return _ID.fullmatch(text) is not None


def new_key(id_: str) -> tuple[str, str]:
    """The whole key, which is kept nowhere, and the hash of it that is."""
    key = f"km_{id_}_{new_token()}"
    return key, hash_of(key)


def read_key(text: str) -> str | None:
    """The id in a key; None for what is none, which need not be looked up."""
    found = _KEY.fullmatch(text)
    return found.group(1) if found is not None else None


def hash_of(key: str) -> str:
    """SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()
