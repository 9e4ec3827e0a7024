"""The tables of accounts; `corpora/migrations` makes them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from corpora.tables import Moment, metadata


def _person(*, primary_key: bool = False) -> Column[str]:
    return Column(
        "person_id",
        String(32),
        ForeignKey("person.id", ondelete="CASCADE"),
        nullable=False,
        primary_key=primary_key,
    )


person = Table(
    "person",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("uq_person_address_key", "address_key", unique=True),
)

grant = Table(
    "role_grant",
    metadata,
    _person(primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("organisation", Text, primary_key=True),  # "" for all
    Column("granted_at", Moment, nullable=False),
    Index("ix_role_grant_role", "role"),
)

person_tombstone = Table(
    "person_tombstone",
    metadata,
    Column("person_id", String(32), primary_key=True),  # opaque: it tells nothing of the person
    Column("erased_at", Moment, nullable=False),
)

identity = Table(
    "identity",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    _person(),
    Column("linked_at", Moment, nullable=False),
    Index("ix_identity_person_id", "person_id"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", String(16), primary_key=True),
    _person(),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # with a space between
    Column("key_hash", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index("ix_api_key_person_id", "person_id"),
)

sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("goes_to", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index("ix_sign_in_link_address_key", "address_key"),
    Index("ix_sign_in_link_expires_at", "expires_at"),
)

open_session = Table(
    "open_session",
    metadata,
    Column("id_hash", String(64), primary_key=True),
    Column("name", String(32), nullable=False),
    _person(),
    Column("device", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index("ix_open_session_person_id", "person_id"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject_hash", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_attempt_subject_hash_at", "subject_hash", "at"),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),  # as text: it is hashed as it stands
    Column("action", String(40), nullable=False),
    Column("parts", Text, nullable=False),  # JSON: name of a part -> its salted hash
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_part = Table(
    "audit_part",
    metadata,
    Column("seq", Integer, ForeignKey("audit_entry.seq"), primary_key=True),
    Column("name", String(16), primary_key=True),
    Column("person_id", String(32)),  # whose data it is: erased with them
    Column("salt", String(64), nullable=False),
    Column("content", Text, nullable=False),  # JSON
    Index("ix_audit_part_person_id", "person_id"),
)
