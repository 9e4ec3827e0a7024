"""The directory: all profiles, with filters, pages and look-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.dependencies import ServiceDependency
from api.directory import DirectoryQuery, look_up
from api.pages.filters import Choice, ChoiceGroup, language_name, roadmap_choices, roadmap_labels
from api.pages.language import Words, language_of, words
from api.pages.rendering import render
from corpora.directory_store import Directory, ProfileEntry
from corpora.model import ProfileKind
from corpora.store import Records
from corpora.taxonomy import load_taxonomy

router = APIRouter()

PAGE_SIZE = 20
LAST_PAGE = 50_000


@dataclass(frozen=True, slots=True)
class EntryView:
    """A line of the directory."""

    id: str
    name: str
    kind: ProfileKind
    organisation: str
    language: str
    region: str | None
    roadmaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page this is, and the addresses of its neighbours (None at an end)."""

    number: int
    count: int
    previous: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """A page of the directory. `anything` says whether there is any profile at all."""

    template: ClassVar[str] = "directory.html"
    title: str
    name: str
    selects: tuple[ChoiceGroup, ...]
    entries: tuple[EntryView, ...]
    total: int
    paging: Paging
    filtered: bool
    anything: bool


@router.get("/profiles")
def directory(
    request: Request,
    service: ServiceDependency,
    q: Annotated[str, Query(max_length=200)] = "",
    kind: str = "",
    organisation: str = "",
    roadmap: str = "",
    language: str = "",
    region: str = "",
    page: Annotated[int, Query(ge=1, le=LAST_PAGE)] = 1,
) -> HTMLResponse:
    """A page of the directory; a filter that is not known does not restrict."""
    t = words(language_of(request))
    kinds = {item.value: item for item in ProfileKind}
    query = DirectoryQuery(
        q.strip(), kinds.get(kind), organisation or None, roadmap or None, language or None, region or None
    )
    with service.reading() as session:
        stored = Directory(session)
        listing = look_up(stored, query, (page - 1) * PAGE_SIZE, PAGE_SIZE)
        selects = _selects(stored, query, t)
        anything = listing.total > 0 or Records(session).count() > 0
    given = {"q": query.name, "kind": kind, "organisation": organisation, "roadmap": roadmap,
             "language": language, "region": region}  # fmt: skip
    labels = roadmap_labels(t.language)
    view = DirectoryPage(
        title=t("directory.title"),
        name=query.name,
        selects=selects,
        entries=tuple(_view(entry, labels) for entry in listing.entries),
        total=listing.total,
        paging=_paging(page, listing.total, {name: value for name, value in given.items() if value}),
        filtered=any(given.values()),
        anything=anything,
    )
    return render(request, view)


def _selects(stored: Directory, query: DirectoryQuery, t: Words) -> tuple[ChoiceGroup, ...]:
    roadmaps = {term.code for term in load_taxonomy().roadmaps()}
    offered: list[tuple[str, str, str | None, list[tuple[str, str]]]] = [
        ("kind", "kinds", query.kind.value if query.kind else None,
         [(kind.value, t(f"kind.{kind.value}.many")) for kind in ProfileKind]),
        ("organisation", "organisations", query.organisation,
         [(item.id, item.name) for item in stored.organisations()]),
        ("roadmap", "roadmaps", query.roadmap, roadmap_choices(roadmaps, t.language)),
        ("region", "regions", query.region, [(region, region) for region in stored.regions()]),
        ("language", "languages", query.language, [(code, language_name(code, t)) for code in ("nl", "en")]),
    ]  # fmt: skip
    return tuple(
        ChoiceGroup(
            name,
            t(f"filters.{label}"),
            tuple(Choice(value, text, value == chosen) for value, text in choices),
        )
        for name, label, chosen, choices in offered
        if len(choices) > 1
    )


def _view(entry: ProfileEntry, labels: dict[str, str]) -> EntryView:
    return EntryView(
        id=entry.id,
        name=entry.name,
        kind=entry.kind,
        organisation=entry.organisation.name,
        language=entry.language,
        region=entry.region,
        roadmaps=tuple(labels.get(code, code) for code in entry.roadmaps),
    )


def _paging(number: int, total: int, given: dict[str, str]) -> Paging:
    count = max(1, -(-total // PAGE_SIZE))

    def address(page: int) -> str:
        return "/profiles?" + urlencode({**given, "page": page})

    return Paging(
        number=number,
        count=count,
        previous=address(min(number - 1, count)) if number > 1 else None,
        next=address(number + 1) if number < count else None,
    )
