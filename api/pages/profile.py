"""A profile's page, with its documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api import demonstration
from api.dependencies import ServiceDependency
from api.pages.anchors import anchor
from api.pages.filters import language_name, roadmap_labels
from api.pages.kinds import document_kind
from api.pages.language import language_of, words
from api.pages.rendering import render
from api.problems import ProblemError
from api.service import Service
from corpora.model import Profile, ProfileKind
from corpora.store import Records

router = APIRouter()

_MARK = re.compile(r"([A-Za-z0-9_-]{1,300}):(\d{1,9})-(\d{1,9})")


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text in three parts; `marked`, when not empty, is the sentence that was quoted."""

    before: str
    marked: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as the page shows it; `url` only when it is a web address."""

    anchor: str
    kind: str
    title: str
    text: MarkedText
    language: str
    language_name: str
    date: date | None
    url: str | None


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """A profile with all that it shows."""

    template: ClassVar[str] = "profile.html"
    title: str
    kind: ProfileKind
    organisation: str
    organisation_id: str
    language: str
    description: MarkedText
    region: str | None
    roadmaps: tuple[str, ...]
    members: tuple[str, ...]
    source: str | None
    licence: str | None
    documents: tuple[DocumentView, ...]
    fictional: bool


@router.get("/profiles/{profile_id:path}")
def profile(
    profile_id: str,
    request: Request,
    service: ServiceDependency,
    mark: Annotated[str, Query(max_length=400)] = "",
) -> HTMLResponse:
    """A profile; with `mark=<anchor>:<start>-<end>`, those characters of that text are marked."""
    found = _indexed(service, profile_id)
    if found is None:
        raise ProblemError(404, "no_such_profile", "expected the id of a profile, found another")
    t = words(language_of(request))
    labels = roadmap_labels(t.language)
    spans = _spans(mark)
    page = ProfilePage(
        title=found.name,
        kind=found.kind,
        organisation=found.organisation.name,
        organisation_id=found.organisation.id,
        language=found.language,
        description=_marked(found.description, spans.get("description")),
        region=found.region,
        roadmaps=tuple(labels.get(code, code) for code in found.roadmaps),
        members=found.members,
        source=found.source,
        licence=found.licence,
        documents=tuple(
            DocumentView(
                anchor=anchor(item.id),
                kind=document_kind(item.kind, t),
                title=item.title,
                text=_marked(item.text, spans.get(anchor(item.id))),
                language=item.language,
                language_name=language_name(item.language, t),
                date=item.date,
                url=item.url if item.url and item.url.startswith(("https://", "http://")) else None,
            )
            for item in found.documents
        ),
        fictional=found.id in demonstration.profile_ids(),
    )
    return render(request, page)


def _indexed(service: Service, profile_id: str) -> Profile | None:
    """The profile as it was indexed, so that marks fit; as it is recorded where it is not in the index yet."""
    if service.ready:
        found = service.pipeline().generation.profile(profile_id)
        if found is not None:
            return found
    with service.reading() as session:
        return Records(session).get_profile(profile_id)


def _spans(mark: str) -> dict[str, tuple[int, int]]:
    found = _MARK.fullmatch(mark)
    return {found.group(1): (int(found.group(2)), int(found.group(3)))} if found else {}


def _marked(text: str, span: tuple[int, int] | None) -> MarkedText:
    if span is None or not 0 <= span[0] < span[1] <= len(text):
        return MarkedText(text)
    return MarkedText(text[: span[0]], text[span[0] : span[1]], text[span[1] :])
