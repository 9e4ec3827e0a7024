"""What the JSON API gives."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import BaseModel

from api.pages.anchors import document_link
from corpora.directory_store import ProfileEntry
from corpora.model import Document, Profile, ProfileKind
from matcher.model import Answer, Evidence, InstituteMatch, Match, ProfileSummary


class AspectOut(BaseModel):
    """A requirement in the need: characters `start` to `end` of its text."""

    text: str
    start: int
    end: int


class NeedOut(BaseModel):
    """How the need was understood. `supported` is false for a language other than Dutch and English."""

    language: str
    supported: bool
    roadmaps: list[str]
    aspects: list[AspectOut]


class ProfileOut(BaseModel):
    """A profile in a list; `organisation` is the institute's name."""

    id: str
    name: str
    kind: ProfileKind
    organisation: str
    organisation_id: str
    language: str
    region: str | None
    roadmaps: list[str]

    @classmethod
    def of_entry(cls, entry: ProfileEntry) -> Self:
        """From a line of the directory."""
        return cls(
            id=entry.id,
            name=entry.name,
            kind=entry.kind,
            organisation=entry.organisation.name,
            organisation_id=entry.organisation.id,
            language=entry.language,
            region=entry.region,
            roadmaps=list(entry.roadmaps),
        )

    @classmethod
    def of(cls, profile: ProfileSummary) -> Self:
        """From the summary in the index."""
        return cls(
            id=profile.id,
            name=profile.name,
            kind=profile.kind,
            organisation=profile.organisation,
            organisation_id=profile.organisation_id,
            language=profile.language,
            region=profile.region,
            roadmaps=list(profile.roadmaps),
        )


class EvidenceOut(BaseModel):
    """Why: a requirement of the need, and the sentence that answers it, as it stands in the source.

    The quote is characters `quote_start` to `quote_end` of the document's title or text, or of the profile's
    description where `document_id` is null. `page` is where it can be read here.
    """

    aspect: str
    aspect_start: int
    aspect_end: int
    quote: str
    quote_start: int
    quote_end: int
    document_id: str | None
    document_kind: str
    title: str
    url: str | None
    date: date | None
    language: str
    similarity: float
    page: str

    @classmethod
    def of(cls, profile_id: str, evidence: Evidence) -> Self:
        """From a match's evidence."""
        return cls(
            aspect=evidence.aspect,
            aspect_start=evidence.aspect_start,
            aspect_end=evidence.aspect_end,
            quote=evidence.quote,
            quote_start=evidence.quote_start,
            quote_end=evidence.quote_end,
            document_id=evidence.document_id,
            document_kind=evidence.document_kind,
            title=evidence.title,
            url=evidence.url,
            date=evidence.date,
            language=evidence.language,
            similarity=round(evidence.similarity, 4),
            page=document_link(profile_id, evidence.document_id),
        )


class MatchOut(BaseModel):
    """An explained pairing. `probability` is the calibrated chance, 0 to 1, that the profile answers the need."""

    rank: int
    profile: ProfileOut
    score: float
    probability: float
    evidence: list[EvidenceOut]
    unmet: list[str]

    @classmethod
    def of(cls, match: Match) -> Self:
        """From a match."""
        return cls(
            rank=match.rank,
            profile=ProfileOut.of(match.profile),
            score=match.score,
            probability=match.probability,
            evidence=[EvidenceOut.of(match.profile.id, item) for item in match.evidence],
            unmet=[aspect.text for aspect in match.unmet],
        )


class InstituteOut(BaseModel):
    """The matches of one institute, best first; `matches` are profile ids."""

    id: str
    name: str
    score: float
    probability: float
    matches: list[str]

    @classmethod
    def of(cls, institute: InstituteMatch) -> Self:
        """From a rolled-up match."""
        return cls(
            id=institute.id,
            name=institute.name,
            score=institute.score,
            probability=institute.probability,
            matches=[match.profile.id for match in institute.matches],
        )


class AnswerOut(BaseModel):
    """What a need gets.

    `fits` is false when nobody here fits: `matches` then are the nearest. `fit_probability` is the calibrated
    chance that somebody here fits. `others` holds a few matches of each other kind.
    """

    need: NeedOut
    fits: bool
    fit_probability: float
    institutes: list[InstituteOut]
    matches: list[MatchOut]
    others: dict[ProfileKind, list[MatchOut]]
    generation: str
    elapsed_ms: float

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """From the pipeline's answer."""
        query = answer.query
        return cls(
            need=NeedOut(
                language=query.language,
                supported=query.supported,
                roadmaps=list(query.roadmaps),
                aspects=[AspectOut(text=item.text, start=item.start, end=item.end) for item in query.aspects],
            ),
            fits=answer.fits,
            fit_probability=answer.fit_probability,
            institutes=[InstituteOut.of(item) for item in answer.institutes],
            matches=[MatchOut.of(item) for item in answer.matches],
            others={kind: [MatchOut.of(item) for item in matches] for kind, matches in answer.others},
            generation=answer.generation,
            elapsed_ms=round(answer.elapsed_ms, 1),
        )


class DocumentOut(BaseModel):
    """A piece of evidence of a profile."""

    id: str
    kind: str
    title: str
    text: str
    language: str
    date: date | None
    url: str | None

    @classmethod
    def of(cls, document: Document) -> Self:
        """From a record."""
        return cls(
            id=document.id,
            kind=document.kind,
            title=document.title,
            text=document.text,
            language=document.language,
            date=document.date,
            url=document.url,
        )


class ProfileDetailOut(ProfileOut):
    """A profile with all that it shows. `fictional` says that it belongs to the demonstration collection."""

    description: str
    members: list[str]
    source: str | None
    licence: str | None
    fictional: bool
    documents: list[DocumentOut]

    @classmethod
    def of_record(cls, profile: Profile, fictional: bool) -> Self:
        """From a record."""
        return cls(
            id=profile.id,
            name=profile.name,
            kind=profile.kind,
            organisation=profile.organisation.name,
            organisation_id=profile.organisation.id,
            language=profile.language,
            region=profile.region,
            roadmaps=list(profile.roadmaps),
            description=profile.description,
            members=list(profile.members),
            source=profile.source,
            licence=profile.licence,
            fictional=fictional,
            documents=[DocumentOut.of(item) for item in profile.documents],
        )


class DirectoryOut(BaseModel):
    """A page of the directory; `total` counts all that the filters leave."""

    total: int
    offset: int
    profiles: list[ProfileOut]


class ProgressOut(BaseModel):
    """Whether needs can be answered."""

    status: str
    generation: str | None = None
