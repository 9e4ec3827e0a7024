"""The tables of the records. `store` reads and writes them; `migrations` makes them.

Identifiers sort by code point in every database, so that an order does not depend on the server's locale.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A moment in time, stored in UTC and given back with its zone, which SQLite would drop."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC. Raises `ValueError` for a moment without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"expected a moment with a time zone, found {value.isoformat()}; add tzinfo=UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC its name back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _identifier() -> String:
    return String().with_variant(String(collation="C"), "postgresql")


organisation = Table(
    "organisation",
    metadata,
    Column("id", _identifier(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("region", Text),
)

profile = Table(
    "profile",
    metadata,
    Column("id", _identifier(), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("organisation_id", _identifier(), ForeignKey("organisation.id"), nullable=False),
    Column("language", String(8), nullable=False),
    Column("description", Text, nullable=False),
    Column("region", Text),
    Column("members", Text, nullable=False),  # a JSON list
    Column("source", Text),
    Column("licence", Text),
    Column("content_hash", String(64), nullable=False),
    Column("sort_key", Text, nullable=False),  # the folded name: for order and look-up
    Column("changed_at", Moment, nullable=False),
    Index(None, "organisation_id"),
    Index(None, "sort_key", "id"),
    Index(None, "changed_at"),
)

profile_roadmap = Table(
    "profile_roadmap",
    metadata,
    Column("profile_id", _identifier(), ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("code", _identifier(), nullable=False),
    Index(None, "code"),
)

document = Table(
    "document",
    metadata,
    Column("id", _identifier(), primary_key=True),
    Column("profile_id", _identifier(), ForeignKey("profile.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("date", Date),
    Column("url", Text),
    Index(None, "profile_id", "position"),
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("profile_id", _identifier(), primary_key=True),
    Column("erased_at", Moment, nullable=False),
)

need = Table(
    "need",
    metadata,
    Column("id", _identifier(), primary_key=True),
    Column("text", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("confidentiality", String(16), nullable=False),
    Column("filters", Text, nullable=False),  # JSON
    Index(None, "expires_at"),
)
