"""Who sends a request, and whether they may: what routes and pages ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from api.accounts.model import OpenSession, Person, Role
from api.accounts.sessions import needs_touch, resume
from api.accounts.sign_in_store import Sessions
from api.accounts.store import People
from api.problems import ProblemError
from api.service import NotReadyError, Service

PLAIN_COOKIE = "session"
SECURE_COOKIE = "__Host-session"
"""Browsers take a cookie of this name only from this very host, over TLS (RFC 6265bis, 4.1.3.2)."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends a request. `form_token` stands in every form of a session, and in no other's."""

    person: Person | None = None
    session: OpenSession | None = None
    form_token: str = ""


ANONYMOUS = Visitor()


class SignInNeededError(Exception):
    """The page is for people who are signed in; `path` is where they wanted to go."""

    def __init__(self, path: str) -> None:
        super().__init__("expected somebody who is signed in, found nobody")
        self.path = path


def visitor_of(request: Request) -> Visitor:
    """Who sends this request; looked up once."""
    found: Visitor | None = getattr(request.state, "visitor", None)
    if found is None:
        found = request.state.visitor = _look_up(request)
    return found


def _look_up(request: Request) -> Visitor:
    service: Service = request.app.state.service
    token = request.cookies.get(cookie_name(request), "")
    if not token:
        return ANONYMOUS
    try:
        with service.reading() as session:
            opened = resume(session, service.secret, token, service.session_life, service.now())
            person = People(session).get(opened.person_id) if opened is not None else None
    except NotReadyError:
        return ANONYMOUS
    if opened is None or person is None:
        return ANONYMOUS
    return Visitor(person, opened, service.secret.hash("form", opened.id_hash))


def recognise(request: Request) -> None:
    """Look up who sends the request, and keep that their session is in use. For every route."""
    opened = visitor_of(request).session
    service: Service = request.app.state.service
    if opened is not None and needs_touch(opened, service.now()):
        with service.writing() as session:
            Sessions(session).touch(opened.id_hash, service.now())


def signed_in(request: Request) -> Person:
    """Who is signed in.

    Raises:
        SignInNeededError: nobody.
    """
    person = visitor_of(request).person
    if person is None:
        raise SignInNeededError(request.url.path if request.method == "GET" else "")
    return person


def demand(*roles: Role) -> Callable[[Request], Person]:
    """A dependency that gives who is signed in, if they have one of these roles anywhere.

    It raises `SignInNeededError` for nobody, and `ProblemError` 403 for somebody without such a role.
    """

    def allowed(request: Request) -> Person:
        person = signed_in(request)
        if not any(person.holds(role) for role in roles):
            raise ProblemError(
                403,
                "role_needed",
                f"expected somebody with the role {' or '.join(roles)}, found another; an administrator can grant it",
            )
        return person

    return allowed


SignedIn = Annotated[Person, Depends(signed_in)]
Administrator = Annotated[Person, Depends(demand(Role.ADMINISTRATOR))]


def sign_in_path(path: str) -> str:
    """Where somebody who is not signed in is sent."""
    return f"/sign-in?next={quote(path)}" if path else "/sign-in"


def is_secure(request: Request) -> bool:
    """Whether the browser reaches us over TLS."""
    service: Service = request.app.state.service
    return request.url.scheme == "https" or service.settings.address.startswith("https:")


def cookie_name(request: Request) -> str:
    """Name of the session's cookie."""
    return SECURE_COOKIE if is_secure(request) else PLAIN_COOKIE


def set_session_cookie(request: Request, response: Response, token: str) -> None:
    """Give the browser its session."""
    service: Service = request.app.state.service
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(service.session_life.whole.total_seconds()),
        path="/",
        httponly=True,
        secure=is_secure(request),
        samesite="lax",
    )


def drop_session_cookie(request: Request, response: Response) -> None:
    """Take it back."""
    response.delete_cookie(
        cookie_name(request), path="/", httponly=True, secure=is_secure(request), samesite="lax"
    )
