"""The records of the house: organisations, profiles, documents, passages and needs.

All are frozen and slotted; text is kept exactly as the source gave it, because a quote must equal the
source text at its offsets.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

Language = Literal["nl", "en"]
"""A language of the interface; texts may be in any language and carry an ISO 639-1 code."""

PassageField = Literal["text", "title", "description"]


class ProfileKind(StrEnum):
    """What a profile is: who knows, what is there, who can be hired, what pays, who helps."""

    RESEARCH_GROUP = "research_group"
    FACILITY = "facility"
    PROGRAMME = "programme"
    INSTRUMENT = "instrument"
    SUPPORT = "support"


class Confidentiality(StrEnum):
    """Who may read a need."""

    PUBLIC = "public"
    OFFICERS = "officers"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Organisation:
    """A company, knowledge institute, intermediary or funder; `id` is derived from its name."""

    id: str
    name: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A piece of evidence of a profile: publication, project, patent, equipment, course, news."""

    id: str
    profile_id: str
    kind: str
    title: str
    text: str
    language: str
    date: date | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What can answer a need, and what is ranked, with its documents."""

    id: str
    kind: ProfileKind
    name: str
    organisation: Organisation
    language: str
    description: str
    documents: tuple[Document, ...] = ()
    roadmaps: tuple[str, ...] = ()
    region: str | None = None
    members: tuple[str, ...] = ()
    source: str | None = None
    licence: str | None = None

    def content_hash(self) -> str:
        """SHA-256 (hex) over everything that is indexed or shown; equal hashes mean nothing to do."""
        parts: list[object] = [
            self.id,
            self.kind.value,
            self.name,
            self.organisation.name,
            self.language,
            self.description,
            list(self.roadmaps),
            self.region,
            list(self.members),
            self.source,
            self.licence,
        ]
        for item in self.documents:
            day = item.date.isoformat() if item.date else None
            parts.append([item.id, item.kind, item.title, item.text, item.language, day, item.url])
        return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a document (or of the profile's description), the unit that is retrieved.

    `source_text[start:end] == text`, where the source text is the named `field` of the document, or the
    profile's description when `document_id` is None. Offsets count characters (code points).
    """

    id: str
    profile_id: str
    document_id: str | None
    field: PassageField
    start: int
    end: int
    text: str
    language: str
    sentences: tuple[tuple[int, int], ...]
    """Sentence spans, as offsets into the same source text; all lie inside `start:end`."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a company asks. An unclaimed need is deleted when `expires_at` has passed."""

    id: str
    text: str
    language: str
    created_at: datetime
    expires_at: datetime
    confidentiality: Confidentiality = Confidentiality.OFFICERS
    filters: str = "{}"
    """The filters chosen with the need, as JSON of `matcher.model.Filters`."""
