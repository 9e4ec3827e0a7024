"""People, roles, sign-in links, sessions, attempts, and the outbox of mail."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def moment(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def text(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def short(name: str, length: int, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def of_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person_id"], ["person.id"], name=f"fk_{table}_person_id", ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "person",
        short("id", 32),
        text("address"),
        text("address_key"),
        text("name"),
        short("language", 8),
        moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
    )
    op.create_index("uq_person_address_key", "person", ["address_key"], unique=True)
    op.create_table(
        "role_grant",
        short("person_id", 32),
        short("role", 16),
        text("organisation"),
        moment("granted_at"),
        sa.PrimaryKeyConstraint("person_id", "role", "organisation", name="pk_role_grant"),
        of_person("role_grant"),
    )
    op.create_index("ix_role_grant_role", "role_grant", ["role"])
    op.create_table(
        "person_tombstone",
        short("person_id", 32),
        moment("erased_at"),
        sa.PrimaryKeyConstraint("person_id", name="pk_person_tombstone"),
    )
    op.create_table(
        "sign_in_link",
        short("token_hash", 64),
        text("address"),
        text("address_key"),
        short("language", 8),
        text("goes_to"),
        moment("created_at"),
        moment("expires_at"),
        moment("used_at", nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sign_in_link"),
    )
    op.create_index("ix_sign_in_link_address_key", "sign_in_link", ["address_key"])
    op.create_index("ix_sign_in_link_expires_at", "sign_in_link", ["expires_at"])
    op.create_table(
        "open_session",
        short("id_hash", 64),
        short("name", 32),
        short("person_id", 32),
        text("device"),
        moment("created_at"),
        moment("seen_at"),
        moment("expires_at"),
        sa.PrimaryKeyConstraint("id_hash", name="pk_open_session"),
        of_person("open_session"),
    )
    op.create_index("ix_open_session_person_id", "open_session", ["person_id"])
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        short("subject_hash", 64),
        moment("at"),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
    )
    op.create_index("ix_attempt_subject_hash_at", "attempt", ["subject_hash", "at"])
    op.create_table(
        "mail_message",
        short("id", 32),
        short("kind", 32),
        text("unique_key", nullable=True),
        short("person_id", 32, nullable=True),
        text("recipient"),
        short("language", 8),
        text("subject"),
        text("content"),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        short("state", 16),
        sa.Column("attempts", sa.Integer(), nullable=False),
        text("problem"),
        moment("created_at"),
        moment("due_at"),
        moment("expires_at", nullable=True),
        moment("claimed_at", nullable=True),
        moment("done_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_mail_message"),
    )
    op.create_index("uq_mail_message_unique_key", "mail_message", ["unique_key"], unique=True)
    op.create_index("ix_mail_message_state_due_at", "mail_message", ["state", "due_at"])
    op.create_index("ix_mail_message_person_id", "mail_message", ["person_id"])


def downgrade() -> None:
    for table in (
        "mail_message",
        "attempt",
        "open_session",
        "sign_in_link",
        "person_tombstone",
        "role_grant",
        "person",
    ):
        op.drop_table(table)
