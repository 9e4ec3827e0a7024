"""The audit log: a chain of hashes that is never changed, and beside it what was hashed, which can be erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Against faults and hasty hands; against who owns the file, the chain itself has to speak.
TRIGGERS = (
    (
        "audit_entry_stays",
        "BEFORE UPDATE ON audit_entry BEGIN SELECT RAISE(ABORT, 'rows of the audit log are never changed'); END",
    ),
    (
        "audit_entry_remains",
        "BEFORE DELETE ON audit_entry BEGIN SELECT RAISE(ABORT, 'rows of the audit log are never deleted'); END",
    ),
    (
        # INSERT OR REPLACE deletes without asking the trigger above.
        "audit_entry_is_new",
        "BEFORE INSERT ON audit_entry WHEN EXISTS (SELECT 1 FROM audit_entry WHERE seq = NEW.seq) "
        "BEGIN SELECT RAISE(ABORT, 'rows of the audit log are never replaced'); END",
    ),
    (
        "audit_part_stays",
        "BEFORE UPDATE ON audit_part BEGIN SELECT RAISE(ABORT, 'parts of the audit log are never changed'); END",
    ),
)


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_entry"),
    )
    op.create_table(
        "audit_part",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(32)),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", "name", name="pk_audit_part"),
        sa.ForeignKeyConstraint(["seq"], ["audit_entry.seq"], name="fk_audit_part_seq"),
    )
    op.create_index("ix_audit_part_person_id", "audit_part", ["person_id"])
    if op.get_bind().dialect.name == "sqlite":
        for name, body in TRIGGERS:
            op.execute(f"CREATE TRIGGER {name} {body}")


def downgrade() -> None:
    op.drop_table("audit_part")
    op.drop_table("audit_entry")
