"""The SQL on organisations, profiles, documents and needs. Portable: no dialect's own words.

A `Records` belongs to one session; who opened the session (`corpora.database`) commits.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, Row, Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from corpora import tables
from corpora.characters import is_storable
from corpora.directory import Counts, DocumentTakenError, ErasedError, Listing, ProfileEntry, StoreError
from corpora.lookup import Name, NameIndex, fold
from corpora.model import Confidentiality, Document, Need, Organisation, Profile, ProfileKind

__all__ = [
    "Counts", "DocumentTakenError", "ErasedError", "Listing", "ProfileEntry", "Records", "StoreError", "new_need_id",
]  # fmt: skip

_PAGE = 200
"""Profiles read in one go while streaming: a few MB of text at most."""

_MAX_PARAMETERS = 500
"""Values in one IN (...): SQLite's limit is far higher, PostgreSQL plans shorter lists better."""


def new_need_id() -> str:
    """Return an opaque id that cannot be guessed: 128 random bits, safe in a URL."""
    return secrets.token_urlsafe(16)


class Records:
    """Reads and writes the records through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # Profiles

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

    # The directory

    def list_profiles(
        self,
        *,
        kind: ProfileKind | None = None,
        organisation: str | None = None,
        roadmap: str | None = None,
        language: str | None = None,
        region: str | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> Listing:
        """Return a page of the directory, by name; `organisation` is an id, `roadmap` a taxonomy code."""
        column = tables.profile.c
        wanted: list[ColumnElement[bool]] = []
        if kind is not None:
            wanted.append(column.kind == kind.value)
        if organisation is not None:
            wanted.append(column.organisation_id == organisation)
        if language is not None:
            wanted.append(column.language == language)
        if region is not None:
            wanted.append(column.region == region)
        if roadmap is not None:
            coded = select(tables.profile_roadmap.c.profile_id).where(
                tables.profile_roadmap.c.code == roadmap
            )
            wanted.append(column.id.in_(coded))
        total = self._session.execute(select(func.count()).select_from(tables.profile).where(*wanted))
        rows = self._session.execute(
            _ENTRIES.where(*wanted).order_by(column.sort_key, column.id).offset(offset).limit(limit)
        ).all()
        return Listing(tuple(self._entries(rows)), total.scalar_one())

    def search_profiles(self, text: str, limit: int = 20) -> list[ProfileEntry]:
        """Return the profiles whose name, acronym or organisation looks like `text`, best first."""
        found = [profile_id for profile_id, _ in self.name_index().search(text, limit)]
        rows: list[Row[Any]] = []
        for part in _parts(found):
            rows.extend(self._session.execute(_ENTRIES.where(tables.profile.c.id.in_(part))))
        entries = {entry.id: entry for entry in self._entries(rows)}
        return [entries[profile_id] for profile_id in found]

    def name_index(self) -> NameIndex:
        """Return the look-up over all names, kept for each engine until a profile changes."""
        column = tables.profile.c
        state = self._session.execute(select(func.count(), func.max(column.changed_at))).one()
        engine = self._session.connection().engine
        kept = _name_indexes.get(engine)
        if kept is not None and kept[0] == tuple(state):
            return kept[1]
        rows = self._session.execute(
            select(column.id, column.name, tables.organisation.c.name).join_from(
                tables.profile, tables.organisation
            )
        )
        index = NameIndex([Name(*row) for row in rows])
        _name_indexes[engine] = (tuple(state), index)
        return index

    def organisations(self) -> list[Organisation]:
        """Return the organisations that have a profile, by name."""
        used = select(tables.profile.c.organisation_id)
        rows = self._session.execute(select(tables.organisation).where(tables.organisation.c.id.in_(used)))
        return sorted((Organisation(*row) for row in rows), key=lambda item: (fold(item.name), item.id))

    def organisation_ids(self) -> dict[str, str]:
        """Return the id of every known organisation by its name, with or without profiles."""
        return {row.name: row.id for row in self._session.execute(select(tables.organisation))}

    def regions(self) -> list[str]:
        """Return the regions that profiles name, sorted."""
        region = tables.profile.c.region
        return sorted(self._session.scalars(select(region).where(region.is_not(None)).distinct()))

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

    # Needs

    def add_need(self, need: Need) -> None:
        """Store a need. Raises `StoreError` for text that cannot be stored (see `corpora.characters`)."""
        if not is_storable(need.text):
            raise StoreError("a need's text holds NUL or a lone surrogate; pass it through storable() first")
        self._session.execute(
            insert(tables.need).values(
                id=need.id,
                text=need.text,
                language=need.language,
                created_at=need.created_at,
                expires_at=need.expires_at,
                confidentiality=need.confidentiality.value,
                filters=need.filters,
            )
        )

    def get_need(self, need_id: str, now: datetime | None = None) -> Need | None:
        """Return a need; None when there is none, or when it has expired at `now` (default: this moment)."""
        row = self._session.execute(select(tables.need).where(tables.need.c.id == need_id)).one_or_none()
        if row is None or row.expires_at <= (now or datetime.now(UTC)):
            return None
        return Need(
            row.id,
            row.text,
            row.language,
            row.created_at,
            row.expires_at,
            Confidentiality(row.confidentiality),
            row.filters,
        )

    def delete_need(self, need_id: str) -> bool:
        """Delete a need; False when there was none."""
        gone = self._session.execute(
            delete(tables.need).where(tables.need.c.id == need_id).returning(tables.need.c.id)
        )
        return bool(gone.all())

    def delete_expired_needs(self, now: datetime) -> int:
        """Delete the needs whose time has passed at `now`; return how many."""
        gone = self._session.execute(
            delete(tables.need).where(tables.need.c.expires_at <= now).returning(tables.need.c.id)
        )
        return len(gone.all())

    # Inside

    def _count(self, table: Any) -> int:
        return self._session.execute(select(func.count()).select_from(table)).scalar_one()

    def _is_erased(self, profile_id: str) -> bool:
        query = select(tables.tombstone.c.profile_id).where(tables.tombstone.c.profile_id == profile_id)
        return self._session.execute(query).first() is not None

    def _require_own_documents(self, profile: Profile) -> None:
        ids = [item.id for item in profile.documents]
        for part in _parts(ids):
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

    def _roadmaps(self, ids: list[str]) -> dict[str, tuple[str, ...]]:
        column = tables.profile_roadmap.c
        found: dict[str, list[str]] = {}
        for part in _parts(ids):
            query = select(column.profile_id, column.code).where(column.profile_id.in_(part))
            for row in self._session.execute(query.order_by(column.profile_id, column.position)):
                found.setdefault(row.profile_id, []).append(row.code)
        return {key: tuple(codes) for key, codes in found.items()}

    def _documents(self, ids: list[str]) -> dict[str, tuple[Document, ...]]:
        column = tables.document.c
        found: dict[str, list[Document]] = {}
        for part in _parts(ids):
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
        roadmaps, documents = self._roadmaps(ids), self._documents(ids)
        for row in rows:
            yield Profile(
                id=row.id,
                kind=ProfileKind(row.kind),
                name=row.name,
                organisation=_organisation(row),
                language=row.language,
                description=row.description,
                documents=documents.get(row.id, ()),
                roadmaps=roadmaps.get(row.id, ()),
                region=row.region,
                members=tuple(json.loads(row.members)),
                source=row.source,
                licence=row.licence,
            )

    def _entries(self, rows: Iterable[Row[Any]]) -> Iterator[ProfileEntry]:
        rows = list(rows)
        roadmaps = self._roadmaps([row.id for row in rows])
        for row in rows:
            yield ProfileEntry(
                row.id,
                row.name,
                ProfileKind(row.kind),
                _organisation(row),
                row.language,
                row.region,
                roadmaps.get(row.id, ()),
            )


_name_indexes: WeakKeyDictionary[Engine, tuple[tuple[Any, ...], NameIndex]] = WeakKeyDictionary()

_ORGANISATION = (
    tables.organisation.c.name.label("organisation_name"),
    tables.organisation.c.region.label("organisation_region"),
)
_PROFILES: Select[Any] = select(tables.profile, *_ORGANISATION).join(tables.organisation)
_ENTRIES: Select[Any] = select(
    tables.profile.c.id,
    tables.profile.c.name,
    tables.profile.c.kind,
    tables.profile.c.organisation_id,
    tables.profile.c.language,
    tables.profile.c.region,
    *_ORGANISATION,
).join(tables.organisation)


def _organisation(row: Row[Any]) -> Organisation:
    return Organisation(row.organisation_id, row.organisation_name, row.organisation_region)


def _parts(values: list[str]) -> Iterator[list[str]]:
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
