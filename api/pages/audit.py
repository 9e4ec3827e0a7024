"""For administrators: the audit log, and whether it is as it was written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.accounts.access import Administrator
from api.accounts.audit import Action, verify_all
from api.accounts.audit_store import AuditRows, Entry
from api.accounts.model import Role
from api.accounts.store import People
from api.dependencies import ServiceDependency
from api.pages.language import Words, language_of, words
from api.pages.rendering import render

router = APIRouter()

PAGE_SIZE = 50
_FACTS = ("role", "organisation", "device", "address", "issuer", "prefix", "scopes")


@dataclass(frozen=True, slots=True)
class EntryView:
    """A row: who did what to whom, when; `facts` say more of it."""

    seq: int
    at: datetime
    action: str
    who: str
    whom: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What a check of the whole log found; `reason` is in English, as the command says it."""

    n_entries: int
    head: str
    bad_seq: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the log, the latest first; `older` is the address of the next page."""

    template: ClassVar[str] = "audit.html"
    title: str
    entries: tuple[EntryView, ...]
    older: str | None
    verdict: VerdictView | None


@router.get("/audit")
def audit(
    request: Request,
    service: ServiceDependency,
    administrator: Administrator,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    verify: bool = False,
) -> Response:
    """The log; with `verify`, checked from its first row on."""
    t = words(language_of(request))
    with service.reading() as session:
        found = AuditRows(session).latest(before, PAGE_SIZE + 1)
        entries = found[:PAGE_SIZE]
        ids = {part.person_id for entry in entries for part in entry.parts if part.person_id}
        addresses = People(session).addresses(ids)
        verdict = verify_all(session) if verify else None
    page = AuditPage(
        title=t("audit.title"),
        entries=tuple(_view(entry, addresses, t) for entry in entries),
        older=f"/audit?before={entries[-1].seq}" if len(found) > PAGE_SIZE else None,
        verdict=None
        if verdict is None
        else VerdictView(
            verdict.n_entries,
            verdict.head,
            verdict.bad.seq if verdict.bad is not None else None,
            verdict.bad.reason if verdict.bad is not None else "",
        ),
    )
    return render(request, page)


def _view(entry: Entry, addresses: dict[str, str], t: Words) -> EntryView:
    parts = {part.name: json.loads(part.content) for part in entry.parts}
    known = entry.action in set(Action)
    return EntryView(
        seq=entry.seq,
        at=datetime.fromisoformat(entry.at),
        action=t(f"action.{entry.action}") if known else entry.action,
        who=_person(parts.get("actor"), addresses, t),
        whom=_person(parts.get("subject"), addresses, t) if '"subject"' in entry.parts_text else "",
        facts=tuple(
            t(f"role.{content[name]}")
            if name == "role" and content[name] in set(Role)
            else str(content[name])
            for content in parts.values()
            for name in _FACTS
            if content.get(name)
        ),
    )


def _person(content: dict[str, str] | None, addresses: dict[str, str], t: Words) -> str:
    if content is None:
        return t("audit.erased")
    if "person" not in content:
        return t("audit.command_line") if content.get("via") == "command line" else t("audit.erased")
    return addresses.get(content["person"], t("audit.erased"))
