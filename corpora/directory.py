"""What the store gives out beside the records themselves: entries, pages, counts, and its refusals."""

from __future__ import annotations

from dataclasses import dataclass

from corpora.model import Organisation, ProfileKind


class StoreError(ValueError):
    """A record cannot be stored. The message says what was expected, what was found, what to do."""


class ErasedError(StoreError):
    """The profile was erased on request and must not come back."""


class DocumentTakenError(StoreError):
    """A document of the profile bears the id of another profile's document."""


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


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records there are of each sort."""

    organisations: int
    profiles: int
    documents: int
    needs: int
    tombstones: int
