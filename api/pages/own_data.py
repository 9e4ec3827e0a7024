"""One's own data: take it along, or have it erased."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.accounts.access import SignedIn, drop_session_cookie
from api.accounts.audit import Action, by_session, record
from api.accounts.erasure import erase_person
from api.accounts.export import export
from api.accounts.model import Person
from api.accounts.roles import RoleError, is_last_administrator
from api.dependencies import ServiceDependency
from api.pages.forms import OwnForm, field
from api.pages.language import language_of, words
from api.pages.rendering import render
from api.service import Service

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ErasePage:
    """What erasing the account means, and the button; `last` says that the last administrator cannot go."""

    template: ClassVar[str] = "erase.html"
    title: str
    address: str
    last: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class ErasedPage:
    """The account is gone."""

    template: ClassVar[str] = "erased.html"
    title: str


@router.post("/account/export")
def take_along(service: ServiceDependency, person: SignedIn, form: OwnForm) -> Response:
    """All that is kept of somebody, as a file."""
    with service.writing() as session:
        record(session, service.now(), Action.ACCOUNT_EXPORTED, by_session(person.id))
        found = export(session, person)
    return Response(
        json.dumps(found, ensure_ascii=False, indent=2),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="kennismatch-account.json"'},
    )


@router.get("/account/erase")
def ask(request: Request, service: ServiceDependency, person: SignedIn) -> Response:
    """What it means, before it is done."""
    return _page(request, service, person)


@router.post("/account/erase")
def erase(request: Request, service: ServiceDependency, person: SignedIn, form: OwnForm) -> Response:
    """Erase the account, once the box is ticked."""
    t = words(language_of(request))
    if field(form, "sure") != "yes":
        return _page(request, service, person, error=t("erase.not_ticked"), status=422)
    try:
        with service.writing() as session:
            erase_person(session, person, service.now(), "session")
    except RoleError:
        return _page(request, service, person, status=409)
    service.settle()
    response = RedirectResponse("/account/erased", status_code=303)
    drop_session_cookie(request, response)
    return response


@router.get("/account/erased")
def erased(request: Request) -> Response:
    """The account is gone."""
    return render(request, ErasedPage(words(language_of(request))("erase.done_title")))


def _page(
    request: Request, service: Service, person: Person, *, error: str | None = None, status: int = 200
) -> Response:
    with service.reading() as session:
        last = is_last_administrator(session, person.id)
    title = words(language_of(request))("erase.title")
    return render(request, ErasePage(title, person.address, last, error), status=status)
