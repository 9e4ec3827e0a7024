"""For administrators: who has an account, and what they may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.accounts.access import Administrator
from api.accounts.address import AddressError, parse_address
from api.accounts.audit import by_session
from api.accounts.model import Grant, Person, Role
from api.accounts.roles import RoleError, give, grant_of, invite, revoke
from api.accounts.store import People
from api.dependencies import ServiceDependency
from api.mail.message import Draft
from api.mail.store import Outbox
from api.pages.account import grant_view
from api.pages.forms import OwnForm, field
from api.pages.language import LANGUAGES, Words, language_of, words
from api.pages.rendering import render
from api.problems import ProblemError
from api.service import Service

router = APIRouter()

PAGE_SIZE = 50
LAST_PAGE = 100_000
_DONE = ("invited", "granted", "revoked", "unchanged")


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """A role that can be given."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class RoleForm:
    """What was typed to give a role, and what was wrong with it: the field and a sentence."""

    roles: tuple[RoleChoice, ...]
    organisations: tuple[str, ...]
    role: str = Role.OFFICER.value
    organisation: str = ""
    address: str = ""
    name: str = ""
    language: str = "nl"
    wrong: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that somebody holds; `role` and `organisation` are what a form sends back."""

    role: str
    organisation: str
    label: str
    place: str


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody with an account."""

    id: str
    address: str
    name: str
    roles: tuple[HeldRole, ...]


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A page of all people, and the form to invite another."""

    template: ClassVar[str] = "people.html"
    title: str
    people: tuple[PersonView, ...]
    total: int
    number: int
    count: int
    form: RoleForm
    sends_mail: bool
    done: str | None


@dataclass(frozen=True, slots=True)
class PersonPage:
    """Somebody's roles, each with a button, and the form to give another."""

    template: ClassVar[str] = "person.html"
    title: str
    person: PersonView
    form: RoleForm
    problem: str | None
    done: str | None


@router.get("/people")
def people(
    request: Request,
    service: ServiceDependency,
    administrator: Administrator,
    page: Annotated[int, Query(ge=1, le=LAST_PAGE)] = 1,
    done: str = "",
) -> Response:
    """Everybody, by address."""
    return _people(request, service, page=page, done=done)


@router.post("/people")
def invite_person(
    request: Request, service: ServiceDependency, administrator: Administrator, form: OwnForm
) -> Response:
    """Give somebody an account with a role, and write to them where mail can be sent."""
    t = words(language_of(request))
    language = field(form, "language") if field(form, "language") in LANGUAGES else t.language
    now = service.now()
    with service.writing() as session:
        names = People(session).organisations()
        try:
            address = parse_address(field(form, "address"))
            grant = grant_of(field(form, "role"), field(form, "organisation"), names)
        except AddressError:
            shown = _role_form(names, t, form, "address", t("sign_in.address_error"))
            return _people(request, service, form=shown, status=422)
        except RoleError as error:
            shown = _role_form(names, t, form, "organisation", t(f"role_error.{error.code}"))
            return _people(request, service, form=shown, status=422)
        by = by_session(administrator.id)
        person, is_new = invite(session, address, field(form, "name"), language, grant, now, by)
        if is_new and service.settings.sends_mail:
            draft = _invitation(words("nl" if language == "nl" else "en"), grant, person, service)
            Outbox(session).queue(draft, service.secret, now)
    service.sender.wake()
    return RedirectResponse(f"/people?done={'invited' if is_new else 'unchanged'}", status_code=303)


@router.get("/people/{person_id}")
def person(
    person_id: str,
    request: Request,
    service: ServiceDependency,
    administrator: Administrator,
    done: str = "",
) -> Response:
    """Somebody's roles."""
    return _person(request, service, person_id, done=done)


@router.post("/people/{person_id}/grant")
def grant_role(
    person_id: str, request: Request, service: ServiceDependency, administrator: Administrator, form: OwnForm
) -> Response:
    """Give somebody a role."""
    t = words(language_of(request))
    with service.writing() as session:
        stored = People(session)
        names = stored.organisations()
        if stored.get(person_id) is None:
            raise _nobody()
        try:
            grant = grant_of(field(form, "role"), field(form, "organisation"), names)
        except RoleError as error:
            shown = _role_form(names, t, form, "organisation", t(f"role_error.{error.code}"))
            return _person(request, service, person_id, form=shown, status=422)
        is_new = give(session, person_id, grant, service.now(), by_session(administrator.id))
    return RedirectResponse(
        f"/people/{person_id}?done={'granted' if is_new else 'unchanged'}", status_code=303
    )


@router.post("/people/{person_id}/revoke")
def revoke_role(
    person_id: str, request: Request, service: ServiceDependency, administrator: Administrator, form: OwnForm
) -> Response:
    """Take a role back; nothing happens where somebody else was first."""
    t = words(language_of(request))
    role = field(form, "role")
    with service.writing() as session:
        if People(session).get(person_id) is None or role not in set(Role):
            raise _nobody()
        try:
            held = Grant(Role(role), field(form, "organisation"))
            gone = revoke(session, person_id, held, service.now(), by_session(administrator.id))
        except RoleError as error:
            problem = t(f"role_error.{error.code}")
            return _person(request, service, person_id, problem=problem, status=409)
    return RedirectResponse(f"/people/{person_id}?done={'revoked' if gone else 'unchanged'}", status_code=303)


def _people(
    request: Request,
    service: Service,
    *,
    page: int = 1,
    form: RoleForm | None = None,
    done: str = "",
    status: int = 200,
) -> Response:
    t = words(language_of(request))
    with service.reading() as session:
        stored = People(session)
        total = stored.count()
        found = stored.page((page - 1) * PAGE_SIZE, PAGE_SIZE)
        names = stored.organisations()
    view = PeoplePage(
        title=t("people.title"),
        people=tuple(
            PersonView(item.id, item.address, item.name, _held(item.grants, names, t)) for item in found
        ),
        total=total,
        number=page,
        count=max(1, -(-total // PAGE_SIZE)),
        form=form or _role_form(names, t),
        sends_mail=service.settings.sends_mail,
        done=t(f"people.done.{done}") if done in _DONE else None,
    )
    return render(request, view, status=status)


def _person(
    request: Request,
    service: Service,
    person_id: str,
    *,
    form: RoleForm | None = None,
    problem: str | None = None,
    done: str = "",
    status: int = 200,
) -> Response:
    t = words(language_of(request))
    with service.reading() as session:
        stored = People(session)
        found, names = stored.get(person_id), stored.organisations()
    if found is None:
        raise _nobody()
    view = PersonPage(
        title=found.called,
        person=PersonView(found.id, found.address, found.name, _held(found.grants, names, t)),
        form=form or _role_form(names, t),
        problem=problem,
        done=t(f"people.done.{done}") if done in _DONE else None,
    )
    return render(request, view, status=status)


def _held(grants: tuple[Grant, ...], names: dict[str, str], t: Words) -> tuple[HeldRole, ...]:
    views = [(grant, grant_view(grant, names, t)) for grant in grants]
    return tuple(
        HeldRole(grant.role.value, grant.organisation, view.role, view.organisation) for grant, view in views
    )


def _role_form(
    names: dict[str, str],
    t: Words,
    form: OwnForm | None = None,
    wrong: str | None = None,
    error: str | None = None,
) -> RoleForm:
    roles = tuple(RoleChoice(role.value, t(f"role.{role.value}")) for role in Role)
    empty = RoleForm(roles, tuple(sorted(names.values())), language=t.language)
    if form is None:
        return empty
    return RoleForm(
        roles,
        empty.organisations,
        role=field(form, "role"),
        organisation=field(form, "organisation"),
        address=field(form, "address"),
        name=field(form, "name"),
        language=field(form, "language"),
        wrong=wrong,
        error=error,
    )


def _invitation(t: Words, grant: Grant, person: Person, service: Service) -> Draft:
    # It leads to the page that asks for a link: one that signs in would be of no use the next morning.
    text = t(
        "mail.invitation.text",
        role=t(f"role.{grant.role.value}"),
        address=person.address,
        link=f"{service.settings.address}/sign-in",
    )
    return Draft(
        "invitation", person.address, t.language, t("mail.invitation.subject"), text, person_id=person.id
    )


def _nobody() -> ProblemError:
    return ProblemError(404, "no_such_person", "expected the id of somebody with an account, found another")
