"""One's own account: name, roles, and the browsers that one is signed in with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.accounts.access import SignedIn, drop_session_cookie, visitor_of
from api.accounts.audit import Action, by_session, record
from api.accounts.model import Grant
from api.accounts.roles import MAX_NAME_CHARS, clean_name
from api.accounts.sessions import is_live
from api.accounts.sign_in_store import Sessions
from api.accounts.store import People
from api.dependencies import ServiceDependency
from api.pages.forms import OwnForm, field
from api.pages.language import LANGUAGES, Words, language_of, words
from api.pages.rendering import render

router = APIRouter()


@dataclass(frozen=True, slots=True)
class GrantView:
    """A role; `organisation` is the name of the place, empty for all of them."""

    role: str
    organisation: str


@dataclass(frozen=True, slots=True)
class SessionView:
    """A browser in which one is signed in; `here` says that it is this one."""

    name: str
    device: str
    created_at: datetime
    seen_at: datetime
    here: bool


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One's own account. `done` names what has just been done, if anything."""

    template: ClassVar[str] = "account.html"
    title: str
    address: str
    name: str
    language: str
    max_name_chars: int
    grants: tuple[GrantView, ...]
    sessions: tuple[SessionView, ...]
    done: str | None


_DONE = ("saved", "ended")


@router.get("/account")
def account(request: Request, service: ServiceDependency, person: SignedIn, done: str = "") -> Response:
    """The account page."""
    t = words(language_of(request))
    here = visitor_of(request).session
    with service.reading() as session:
        opened = Sessions(session).of_person(person.id)
        names = People(session).organisations()
    page = AccountPage(
        title=t("account.title"),
        address=person.address,
        name=person.name,
        language=person.language,
        max_name_chars=MAX_NAME_CHARS,
        grants=tuple(grant_view(grant, names, t) for grant in person.grants),
        sessions=tuple(
            SessionView(
                item.name,
                item.device or t("account.unknown_device"),
                item.created_at,
                item.seen_at,
                here is not None and item.id_hash == here.id_hash,
            )
            for item in opened
            if is_live(item, service.session_life, service.now())
        ),
        done=t(f"account.done.{done}") if done in _DONE else None,
    )
    return render(request, page)


@router.post("/account")
def save(service: ServiceDependency, person: SignedIn, form: OwnForm) -> Response:
    """Change name and language."""
    language = field(form, "language")
    with service.writing() as session:
        People(session).rename(
            person.id,
            clean_name(field(form, "name")),
            language if language in LANGUAGES else person.language,
        )
        record(session, service.now(), Action.ACCOUNT_CHANGED, by_session(person.id))
    return RedirectResponse("/account?done=saved", status_code=303)


@router.post("/account/sessions/{name}/end")
def end_session(name: str, service: ServiceDependency, person: SignedIn, form: OwnForm) -> Response:
    """Sign out in another browser; one that has ended already is left so."""
    with service.writing() as session:
        if Sessions(session).end_named(person.id, name):
            record(session, service.now(), Action.SESSION_ENDED, by_session(person.id))
    return RedirectResponse("/account?done=ended", status_code=303)


@router.post("/account/sessions/end")
def end_sessions(request: Request, service: ServiceDependency, person: SignedIn, form: OwnForm) -> Response:
    """Sign out everywhere, here too."""
    with service.writing() as session:
        Sessions(session).end_all(person.id)
        record(session, service.now(), Action.SESSIONS_ENDED, by_session(person.id))
    response = RedirectResponse("/", status_code=303)
    drop_session_cookie(request, response)
    return response


def grant_view(grant: Grant, names: dict[str, str], t: Words) -> GrantView:
    """A role as pages show it."""
    return GrantView(t(f"role.{grant.role.value}"), names.get(grant.organisation, grant.organisation))
