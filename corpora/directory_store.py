"""The SQL of the directory: lists, look-up by name, institutes and regions. Portable: no dialect's own words.

A `Directory` belongs to one session, and only reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, Row, Select, func, select
from sqlalchemy.orm import Session

from corpora import tables
from corpora.lookup import Name, NameIndex, fold
from corpora.model import Organisation, ProfileKind
from corpora.store import ORGANISATION_COLUMNS, in_parts, organisation_of, roadmaps_of


@dataclass(frozen=True, slots=True)
class ProfileEntry:
    """A line of the directory."""

    id: str
    name: str
    kind: ProfileKind
    organisation: Organisation
    language: str
    region: str | None
    roadmaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the directory, and how many entries there are in all."""

    entries: tuple[ProfileEntry, ...]
    total: int


class Directory:
    """Looks up profiles through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

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
        for part in in_parts(found):
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

    # Inside

    def _entries(self, rows: Iterable[Row[Any]]) -> Iterator[ProfileEntry]:
        rows = list(rows)
        roadmaps = roadmaps_of(self._session, [row.id for row in rows])
        for row in rows:
            yield ProfileEntry(
                row.id,
                row.name,
                ProfileKind(row.kind),
                organisation_of(row),
                row.language,
                row.region,
                roadmaps.get(row.id, ()),
            )


_name_indexes: WeakKeyDictionary[Engine, tuple[tuple[Any, ...], NameIndex]] = WeakKeyDictionary()

_ENTRIES: Select[Any] = select(
    tables.profile.c.id,
    tables.profile.c.name,
    tables.profile.c.kind,
    tables.profile.c.organisation_id,
    tables.profile.c.language,
    tables.profile.c.region,
    *ORGANISATION_COLUMNS,
).join(tables.organisation)
