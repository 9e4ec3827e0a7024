"""Alembic's environment: runs inside the program, on the connection that `corpora.database` hands over."""

from __future__ import annotations

from alembic import context

from corpora.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError(
        "expected a connection; migrations run through corpora.database.upgrade, not through the alembic command"
    )
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
