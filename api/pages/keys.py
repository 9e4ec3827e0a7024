"""One's own keys of the JSON API: see, make, revoke."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.accounts.access import SignedIn
from api.accounts.audit import Action, by_session, record
from api.accounts.key_store import Keys
from api.accounts.keys import (
    DAYS,
    MAX_KEYS,
    MAX_NAME_CHARS,
    ApiKey,
    Scope,
    is_key_id,
    new_key,
    new_key_id,
)
from api.accounts.model import Person
from api.accounts.roles import clean_name
from api.dependencies import ServiceDependency
from api.pages.forms import OwnForm, field
from api.pages.language import language_of, words
from api.pages.rendering import render
from api.service import Service

router = APIRouter()

DONE = ("revoked", "made_before")
ERRORS = ("name", "scopes", "days", "too_many")


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as its owner sees it; `used_at` is None for one that was never used."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    expires_at: datetime
    used_at: datetime | None
    over: bool


@dataclass(frozen=True, slots=True)
class KeyForm:
    """The form for a new key: what is in it, which field is `wrong`, and why (a sentence)."""

    id: str
    name: str = ""
    scopes: tuple[str, ...] = ()
    days: str = str(DAYS[1])
    wrong: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class KeysPage:
    """The keys and the form for another; `choices` are scopes and their names, `days` how long one may live."""

    template: ClassVar[str] = "keys.html"
    title: str
    keys: tuple[KeyView, ...]
    form: KeyForm
    choices: tuple[tuple[str, str], ...]
    days: tuple[tuple[str, str], ...]
    max_name_chars: int
    done: str | None


@dataclass(frozen=True, slots=True)
class KeyMadePage:
    """The new key, this once; `base` is where the API is."""

    template: ClassVar[str] = "key_made.html"
    title: str
    name: str
    key: str
    expires_at: datetime
    base: str


@router.get("/account/keys")
def keys(request: Request, service: ServiceDependency, person: SignedIn, done: str = "") -> Response:
    """The keys."""
    return _page(request, service, person, KeyForm(new_key_id()), done=done)


@router.post("/account/keys")
def make(request: Request, service: ServiceDependency, person: SignedIn, form: OwnForm) -> Response:
    """Make a key and show it, this once. The same form sent again makes no other."""
    t = words(language_of(request))
    chosen = frozenset(Scope(name) for name in form.getlist("scopes") if name in set(Scope))
    name, days = clean_name(field(form, "name"))[:MAX_NAME_CHARS], field(form, "days")
    id_ = field(form, "key_id") if is_key_id(field(form, "key_id")) else new_key_id()
    now = service.now()
    with service.reading() as session:
        held = Keys(session).of_person(person.id)
    wrong = None
    if len(held) >= MAX_KEYS and id_ not in {key.id for key in held}:
        wrong = "too_many"
    elif not name:
        wrong = "name"
    elif not chosen:
        wrong = "scopes"
    elif days not in map(str, DAYS):
        wrong = "days"
    if wrong is not None:
        again = KeyForm(id_, name, tuple(sorted(chosen)), days, wrong, t(f"keys.error.{wrong}", n=MAX_KEYS))
        return _page(request, service, person, again, status=422)
    text, key_hash = new_key(id_)
    made = ApiKey(id_, person.id, name, chosen, now, now + timedelta(days=int(days)))
    with service.writing() as session:
        if not Keys(session).add(made, key_hash):
            return RedirectResponse("/account/keys?done=made_before", status_code=303)
        facts = {"prefix": made.prefix, "scopes": " ".join(sorted(chosen))}
        record(session, now, Action.KEY_MADE, by_session(person.id), **facts)
    return render(
        request, KeyMadePage(t("keys.made_title"), name, text, made.expires_at, service.settings.address)
    )


@router.post("/account/keys/{id}/revoke")
def revoke(id: str, service: ServiceDependency, person: SignedIn, form: OwnForm) -> Response:  # noqa: A002
    """Revoke a key; it opens nothing from now on. One that is gone already is left so."""
    with service.writing() as session:
        if Keys(session).revoke(person.id, id):
            record(session, service.now(), Action.KEY_REVOKED, by_session(person.id), prefix=f"km_{id}_")
    return RedirectResponse("/account/keys?done=revoked", status_code=303)


def _page(
    request: Request, service: Service, person: Person, form: KeyForm, *, done: str = "", status: int = 200
) -> Response:
    t, now = words(language_of(request)), service.now()
    with service.reading() as session:
        held = Keys(session).of_person(person.id)
    page = KeysPage(
        title=t("keys.title"),
        keys=tuple(
            KeyView(
                key.id,
                key.name,
                key.prefix,
                tuple(t(f"scope.{scope}") for scope in sorted(key.scopes)),
                key.expires_at,
                key.used_at,
                not key.is_live(now),
            )
            for key in held
        ),
        form=form,
        choices=tuple((scope.value, t(f"scope.{scope}")) for scope in Scope),
        days=tuple((str(n), t("keys.days", n=n)) for n in DAYS),
        max_name_chars=MAX_NAME_CHARS,
        done=t(f"keys.done.{done}") if done in DONE else None,
    )
    return render(request, page, status=status)
