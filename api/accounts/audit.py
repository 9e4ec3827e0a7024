"""The audit log: who did what, in a chain in which every row vouches for those before it.

The chain itself holds no personal data: of what a row says of a person it holds a salted hash, and the words stand
beside it, so that they can be erased with the person and the chain still holds. What was erased is itself a row:
words that are missing without one were taken away by somebody else.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from api.accounts.audit_store import AuditRows, Entry, Part

FIRST = "0" * 64
"""What stands for the hash of the row before the first."""

ERASED = "erased"
"""The part that says which parts were erased; it belongs to nobody and stays."""


class Action(StrEnum):
    """What can be done that is written down."""

    ACCOUNT_MADE = "account_made"
    ACCOUNT_CHANGED = "account_changed"
    ACCOUNT_EXPORTED = "account_exported"
    ACCOUNT_ERASED = "account_erased"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SESSION_ENDED = "session_ended"
    SESSIONS_ENDED = "sessions_ended"
    LINK_PRINTED = "link_printed"
    IDENTITY_LINKED = "identity_linked"
    ROLE_GRANTED = "role_granted"
    ROLE_REVOKED = "role_revoked"
    KEY_MADE = "key_made"
    KEY_REVOKED = "key_revoked"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person, or for None whoever sits at the machine; `via` is how they come in."""

    person_id: str | None
    via: str


COMMAND_LINE = Actor(None, "command line")


def by_session(person_id: str) -> Actor:
    """A person in a browser."""
    return Actor(person_id, "session")


@dataclass(frozen=True, slots=True)
class Bad:
    """The first row that is not as it was written, and why."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: rows, erased parts, the hash of the last row, and the first bad row (None: all is well)."""

    n_entries: int
    n_erased: int
    head: str
    bad: Bad | None


def record(
    session: Session,
    now: datetime,
    action: Action,
    actor: Actor,
    subject: str | None = None,
    **facts: str,
) -> int:
    """Append a row; `subject` is the id of the person it is about, if that is another than the actor.

    Call it in the unit of work of what it records. That holds the write lock, so that no two rows get one number.
    """
    about = subject if subject is not None else actor.person_id
    acting = {"via": actor.via, **({"person": actor.person_id} if actor.person_id is not None else {})}
    # What is told of somebody is theirs: it goes when they go.
    if about == actor.person_id:
        parts = [_part("actor", actor.person_id, {**acting, **facts})]
    else:
        parts = [
            _part("actor", actor.person_id, acting),
            _part("subject", about, {"person": about or "", **facts}),
        ]
    return _append(session, now, action, parts)


def erase(session: Session, now: datetime, person_id: str, via: str) -> int:
    """Erase what the log says of a person, and write down which parts that were; returns how many."""
    gone = AuditRows(session).erase(person_id)
    content = {"parts": [list(item) for item in gone]}
    _append(
        session,
        now,
        Action.ACCOUNT_ERASED,
        [_part("actor", None, {"via": via}), Part(ERASED, None, secrets.token_hex(16), _json(content))],
    )
    return len(gone)


def verify(entries: Iterable[Entry], head: str | None = None) -> Verdict:
    """Check every row against its hash, the row before it, and the words beside it.

    Args:
        entries: all rows, in order.
        head: the hash of a row that must be there, noted earlier: without it, rows that were cut off at the end, or
            a chain that was made anew from some row on, do not show.
    """
    previous, n_entries, n_erased, first_bad = FIRST, 0, 0, None
    missing: dict[tuple[int, str], None] = {}
    erased: set[tuple[int, str]] = set()
    seen_head = head is None
    for expected, entry in enumerate(entries, 1):
        reason = _fault(entry, expected, previous)
        if reason is not None:
            first_bad = Bad(expected, reason)
            break
        hashes = json.loads(entry.parts_text)
        there = {part.name for part in entry.parts}
        missing.update({(entry.seq, name): None for name in hashes if name not in there})
        for part in entry.parts:
            if part.name == ERASED:
                erased |= {(int(seq), str(name)) for seq, name in json.loads(part.content)["parts"]}
        previous, n_entries = entry.hash, n_entries + 1
        seen_head = seen_head or entry.hash == head
    unexplained = [place for place in missing if place not in erased]
    n_erased = len(missing) - len(unexplained)
    # Only rows that were read can tell what was erased: without the end, a gap may yet be explained.
    if unexplained and first_bad is None:
        seq, name = unexplained[0]
        first_bad = Bad(seq, f"its part {name!r} is missing, and no row says that it was erased")
    if not seen_head and first_bad is None:
        first_bad = Bad(
            n_entries + 1, f"the row with the hash {head} is missing, so rows were cut off or made anew"
        )
    return Verdict(n_entries, n_erased, previous, first_bad)


def verify_all(session: Session, head: str | None = None) -> Verdict:
    """Check the whole log."""
    return verify(AuditRows(session).all(), head)


def _fault(entry: Entry, expected: int, previous: str) -> str | None:
    """What is wrong with a row; None where it is as it was written."""
    if entry.seq != expected:
        return f"it is missing: the next row is {entry.seq}"
    if entry.previous != previous:
        return "it does not follow from the row before it"
    if entry.hash != _chain_hash(entry.seq, entry.at, entry.action, entry.parts_text, entry.previous):
        return "it has been changed since it was written"
    hashes = json.loads(entry.parts_text)
    for part in entry.parts:
        if hashes.get(part.name) != _part_hash(part.salt, part.content):
            return f"its part {part.name!r} has been changed since it was written"
    return None


def _append(session: Session, now: datetime, action: Action, parts: list[Part]) -> int:
    rows = AuditRows(session)
    last = rows.last()
    seq, previous = (last[0] + 1, last[1]) if last is not None else (1, FIRST)
    at = now.astimezone(UTC).isoformat(timespec="microseconds")
    parts_text = _json({part.name: _part_hash(part.salt, part.content) for part in parts})
    own = _chain_hash(seq, at, action.value, parts_text, previous)
    rows.append(Entry(seq, at, action.value, parts_text, previous, own, tuple(parts)))
    return seq


def _part(name: str, person_id: str | None, content: dict[str, str]) -> Part:
    return Part(name, person_id, secrets.token_hex(32), _json(content))


def _part_hash(salt: object, content: object) -> str:
    return _hash([salt, content])


def _chain_hash(*fields: object) -> str:
    return _hash(list(fields))


def _hash(fields: list[object]) -> str:
    # A list in JSON, so that no two different rows are one text; what is no text or number there is not ours.
    return hashlib.sha256(json.dumps(fields, default=repr).encode()).hexdigest()


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
