"""The table of the outbox; `corpora/migrations` makes it."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from corpora.tables import Moment, metadata

message = Table(
    "mail_message",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("unique_key", Text),
    Column("person_id", String(32)),
    Column("recipient", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("subject", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("sealed", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("claimed_at", Moment),
    Column("done_at", Moment),
    Index("uq_mail_message_unique_key", "unique_key", unique=True),
    Index("ix_mail_message_state_due_at", "state", "due_at"),
    Index("ix_mail_message_person_id", "person_id"),
)
