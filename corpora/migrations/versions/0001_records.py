"""Organisations, profiles, documents, tombstones and needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def identifier() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_organisation"),
    )
    op.create_table(
        "profile",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organisation_id", identifier(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("region", sa.Text()),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("source", sa.Text()),
        sa.Column("licence", sa.Text()),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("sort_key", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_profile"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name="fk_profile_organisation_id"),
    )
    op.create_index("ix_profile_organisation_id", "profile", ["organisation_id"])
    op.create_index("ix_profile_sort_key_id", "profile", ["sort_key", "id"])
    op.create_index("ix_profile_changed_at", "profile", ["changed_at"])
    op.create_table(
        "profile_roadmap",
        sa.Column("profile_id", identifier(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", identifier(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "position", name="pk_profile_roadmap"),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name="fk_profile_roadmap_profile_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_profile_roadmap_code", "profile_roadmap", ["code"])
    op.create_table(
        "document",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("profile_id", identifier(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("date", sa.Date()),
        sa.Column("url", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name="fk_document_profile_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_document_profile_id_position", "document", ["profile_id", "position"])
    op.create_table(
        "tombstone",
        sa.Column("profile_id", identifier(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", name="pk_tombstone"),
    )
    op.create_table(
        "need",
        sa.Column("id", identifier(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confidentiality", sa.String(16), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_need"),
    )
    op.create_index("ix_need_expires_at", "need", ["expires_at"])


def downgrade() -> None:
    for table in ("need", "tombstone", "document", "profile_roadmap", "profile", "organisation"):
        op.drop_table(table)
