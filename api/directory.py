"""The directory of profiles: filters, pages, and look-up by name, acronym or typing error."""

from __future__ import annotations

from dataclasses import dataclass

from corpora.directory_store import Directory, Listing, ProfileEntry
from corpora.model import ProfileKind

MAX_FOUND = 200
"""How many profiles a look-up by name gives at most."""


@dataclass(frozen=True, slots=True)
class DirectoryQuery:
    """What to list; None does not restrict. `name` is looked up, best first; without it, by name."""

    name: str = ""
    kind: ProfileKind | None = None
    organisation: str | None = None
    roadmap: str | None = None
    language: str | None = None
    region: str | None = None


def look_up(stored: Directory, query: DirectoryQuery, offset: int, limit: int) -> Listing:
    """A page of the directory."""
    if not query.name.strip():
        return stored.list_profiles(
            kind=query.kind,
            organisation=query.organisation,
            roadmap=query.roadmap,
            language=query.language,
            region=query.region,
            offset=offset,
            limit=limit,
        )
    found = [entry for entry in stored.search_profiles(query.name, MAX_FOUND) if _meets(entry, query)]
    return Listing(tuple(found[offset : offset + limit]), len(found))


def _meets(entry: ProfileEntry, query: DirectoryQuery) -> bool:
    return (
        query.kind in (None, entry.kind)
        and query.organisation in (None, entry.organisation.id)
        and (query.roadmap is None or query.roadmap in entry.roadmaps)
        and query.language in (None, entry.language)
        and query.region in (None, entry.region)
    )
