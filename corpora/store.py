"""The SQL on organisations, profiles and documents. Portable: no dialect's own words.

A `Records` belongs to one session; who opened the session (`corpora.database`) commits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from corpora import tables
from corpora.characters import is_storable
from corpora.errors import DocumentTakenError, ErasedError, StoreError
from corpora.lookup import fold
from corpora.model import Document, Organisation, Profile, ProfileKind

_PAGE = 200
"""Profiles read in one go while streaming: a few MB of text at most."""

_MAX_PARAMETERS = 500
"""Values in one IN (...): SQLite's limit is far higher, PostgreSQL plans shorter lists better."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records there are of each sort."""

    organisations: int
    profiles: int
    documents: int
    needs: int
    tombstones: int


class Records:
    """Reads and writes the records through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put_profile(self, profile: Profile) -> Literal["added", "changed", "unchanged"]:
        """Store a profile with its documents and organisation, replacing what was there under its id.

        Raises `ErasedError` for an erased id, `DocumentTakenError` when a document belongs to another
        profile, `StoreError` for text that cannot be stored (see `corpora.characters`).
        """
        digest = profile.content_hash()
        stored = self._session.execute(
            select(tables.profile.c.content_hash).where(tables.profile.c.id == profile.id)
        ).scalar_one_or_none()
        if stored == digest:
            return "unchanged"
        _require_storable(profile)
        if stored is None and self._is_erased(profile.id):
            raise ErasedError(
                f"profile {profile.id!r} was erased on request and is not stored again; "
                "take it out of the source"
            )
        self._require_own_documents(profile)
        self._put_organisation(profile.organisation)
        row = {
            "kind": profile.kind.value,
            "name": profile.name,
            "organisation_id": profile.organisation.id,
            "language": profile.language,
            "description": profile.description,
            "region": profile.region,
            "members": json.dumps(profile.members, ensure_ascii=False),
            "source": profile.source,
            "licence": profile.licence,
            "content_hash": digest,
            "sort_key": fold(profile.name),
            "changed_at": datetime.now(UTC),
        }
        if stored is None:
            self._session.execute(insert(tables.profile).values(id=profile.id, **row))
        else:
            self._session.execute(
                update(tables.profile).where(tables.profile.c.id == profile.id).values(**row)
            )
            self._delete_parts(profile.id)
        self._insert_parts(profile)
        return "added" if stored is None else "changed"

    def get_profile(self, profile_id: str) -> Profile | None:
        """Return a profile with its documents, in their own order; None when there is none."""
        rows = self._session.execute(_PROFILES.where(tables.profile.c.id == profile_id)).all()
        return next(iter(self._assemble(rows)), None)

    def profiles(self) -> Iterator[Profile]:
        """Yield every profile with its documents, ordered by id; `_PAGE` of them in memory at a time."""
        after = None
        while True:
            query = _PROFILES.order_by(tables.profile.c.id).limit(_PAGE)
            if after is not None:
                query = query.where(tables.profile.c.id > after)
            rows = self._session.execute(query).all()
            if not rows:
                return
            yield from self._assemble(rows)
            after = rows[-1].id

    def profile_hashes(self) -> dict[str, str]:
        """Return the content hash of every profile, by id."""
        rows = self._session.execute(
            select(tables.profile.c.id, tables.profile.c.content_hash).order_by(tables.profile.c.id)
        )
        return {row.id: row.content_hash for row in rows}

    def delete_profile(self, profile_id: str) -> bool:
        """Erase a profile, its documents and its roadmaps, and keep its id as a tombstone.

        Returns False when there was no such profile; the tombstone is set all the same, so that a later
        import cannot bring it in.
        """
        self._delete_parts(profile_id)
        gone = self._session.execute(
            delete(tables.profile).where(tables.profile.c.id == profile_id).returning(tables.profile.c.id)
        ).all()
        if not self._is_erased(profile_id):
            self._session.execute(
                insert(tables.tombstone).values(profile_id=profile_id, erased_at=datetime.now(UTC))
            )
        return bool(gone)

    def tombstones(self) -> frozenset[str]:
        """Return the ids of erased profiles."""
        return frozenset(self._session.scalars(select(tables.tombstone.c.profile_id)))

    def count(self) -> int:
        """Return the number of profiles."""
        return self._count(tables.profile)

    def counts(self) -> Counts:
        """Return the number of records of each sort."""
        return Counts(
            organisations=self._count(tables.organisation),
            profiles=self._count(tables.profile),
            documents=self._count(tables.document),
            needs=self._count(tables.need),
            tombstones=self._count(tables.tombstone),
        )

    # Inside

    def _count(self, table: Any) -> int:
        return self._session.execute(select(func.count()).select_from(table)).scalar_one()

    def _is_erased(self, profile_id: str) -> bool:
        query = select(tables.tombstone.c.profile_id).where(tables.tombstone.c.profile_id == profile_id)
        return self._session.execute(query).first() is not None

    def _require_own_documents(self, profile: Profile) -> None:
        ids = [item.id for item in profile.documents]
        for part in in_parts(ids):
            taken = self._session.execute(
                select(tables.document.c.id, tables.document.c.profile_id).where(
                    tables.document.c.id.in_(part), tables.document.c.profile_id != profile.id
                )
            ).first()
            if taken is not None:
                raise DocumentTakenError(
                    f"expected document ids that no other profile uses, found {taken.id!r} of profile "
                    f"{taken.profile_id!r} in profile {profile.id!r}; give each document its own id"
                )

    def _put_organisation(self, organisation: Organisation) -> None:
        column = tables.organisation.c
        row = self._session.execute(
            select(tables.organisation).where(column.id == organisation.id)
        ).one_or_none()
        if row is None:
            self._session.execute(
                insert(tables.organisation).values(
                    id=organisation.id, name=organisation.name, region=organisation.region
                )
            )
        elif row.name != organisation.name or row.region != organisation.region:
            self._session.execute(
                update(tables.organisation)
                .where(column.id == organisation.id)
                .values(name=organisation.name, region=organisation.region)
            )

    def _delete_parts(self, profile_id: str) -> None:
        for table in (tables.document, tables.profile_roadmap):
            self._session.execute(delete(table).where(table.c.profile_id == profile_id))

    def _insert_parts(self, profile: Profile) -> None:
        documents = [
            {
                "id": item.id,
                "profile_id": profile.id,
                "position": position,
                "kind": item.kind,
                "title": item.title,
                "text": item.text,
                "language": item.language,
                "date": item.date,
                "url": item.url,
            }
            for position, item in enumerate(profile.documents)
        ]
        roadmaps = [
            {"profile_id": profile.id, "position": position, "code": code}
            for position, code in enumerate(profile.roadmaps)
        ]
        if documents:
            self._session.execute(insert(tables.document), documents)
        if roadmaps:
            self._session.execute(insert(tables.profile_roadmap), roadmaps)

    def _documents(self, ids: list[str]) -> dict[str, tuple[Document, ...]]:
        column = tables.document.c
        found: dict[str, list[Document]] = {}
        for part in in_parts(ids):
            query = select(tables.document).where(column.profile_id.in_(part))
            for row in self._session.execute(query.order_by(column.profile_id, column.position)):
                found.setdefault(row.profile_id, []).append(
                    Document(
                        row.id, row.profile_id, row.kind, row.title, row.text, row.language, row.date, row.url
                    )
                )
        return {key: tuple(items) for key, items in found.items()}

    def _assemble(self, rows: Iterable[Row[Any]]) -> Iterator[Profile]:
        rows = list(rows)
        ids = [row.id for row in rows]
        roadmaps, documents = roadmaps_of(self._session, ids), self._documents(ids)
        for row in rows:
            yield Profile(
                id=row.id,
                kind=ProfileKind(row.kind),
                name=row.name,
                organisation=organisation_of(row),
                language=row.language,
                description=row.description,
                documents=documents.get(row.id, ()),
                roadmaps=roadmaps.get(row.id, ()),
                region=row.region,
                members=tuple(json.loads(row.members)),
                source=row.source,
                licence=row.licence,
            )


ORGANISATION_COLUMNS = (
    tables.organisation.c.name.label("organisation_name"),
    tables.organisation.c.region.label("organisation_region"),
)
"""What `organisation_of` reads beside a profile's own columns."""

_PROFILES: Select[Any] = select(tables.profile, *ORGANISATION_COLUMNS).join(tables.organisation)


def organisation_of(row: Row[Any]) -> Organisation:
    """Return the organisation of a row of profiles with `ORGANISATION_COLUMNS`."""
    return Organisation(row.organisation_id, row.organisation_name, row.organisation_region)


def roadmaps_of(session: Session, ids: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the roadmap codes of profiles in their own order, by profile id; those without any are absent."""
    column = tables.profile_roadmap.c
    found: dict[str, list[str]] = {}
    for part in in_parts(ids):
        query = select(column.profile_id, column.code).where(column.profile_id.in_(part))
        for row in session.execute(query.order_by(column.profile_id, column.position)):
            found.setdefault(row.profile_id, []).append(row.code)
    return {key: tuple(codes) for key, codes in found.items()}


def in_parts(values: list[str]) -> Iterator[list[str]]:
    """Yield the values, in order, in lists that are short enough for one IN (...)."""
    for start in range(0, len(values), _MAX_PARAMETERS):
        yield values[start : start + _MAX_PARAMETERS]


def _require_storable(profile: Profile) -> None:
    texts = [profile.id, profile.name, profile.organisation.name, profile.description, *profile.members]
    for item in profile.documents:
        texts += [item.id, item.title, item.text]
    if not all(map(is_storable, texts)):
        raise StoreError(
            f"profile {profile.id!r} holds text with NUL or a lone surrogate; pass it through storable() first"
        )
