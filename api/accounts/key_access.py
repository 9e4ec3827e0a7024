"""Who calls the JSON API, and whether their key may: what its routes ask for."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Depends
from fastapi.security import HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.requests import Request

from api.accounts.key_store import Keys
from api.accounts.keys import ApiKey, Scope, hash_of, read_key
from api.accounts.model import Person
from api.accounts.sessions import TOUCH_EVERY
from api.accounts.store import People
from api.problems import ProblemError
from api.service import Service

_described = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key of your account page. Without one a call is anonymous, which most of them may be.",
)
"""For the description of the API alone: what the header holds is read below."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls with a key."""

    person: Person
    key: ApiKey


@dataclass(frozen=True, slots=True)
class Allows:
    """A dependency that gives who calls, None without a key. A key must be good and have the scope, though none is needed.

    It raises `ProblemError` 401 for a key that is none, and 403 for one without the scope (RFC 6750, 3.1).
    """

    scope: Scope

    def __call__(self, request: Request, _shown: object = Depends(_described)) -> Caller | None:
        """Who calls."""
        header = request.headers.get("authorization")
        return _with_scope(request, header, self.scope) if header is not None else None


@dataclass(frozen=True, slots=True)
class Demands:
    """As `Allows`, where a key is needed: 401 without one."""

    scope: Scope

    def __call__(self, request: Request, _shown: object = Depends(_described)) -> Caller:
        """Who calls."""
        header = request.headers.get("authorization")
        if header is None:
            raise _unknown("expected an Authorization header with a key, found none")
        return _with_scope(request, header, self.scope)


def _with_scope(request: Request, header: str, scope: Scope) -> Caller:
    found = _look_up(request, header)
    if scope not in found.key.scopes:
        raise ProblemError(
            403,
            "insufficient_scope",
            f"expected a key with the scope {scope}, found one with {', '.join(sorted(found.key.scopes))}; "
            "make another on your account page",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
        )
    return found


def _look_up(request: Request, header: str) -> Caller:
    service: Service = request.app.state.service
    scheme, text = get_authorization_scheme_param(header)
    id_ = read_key(text) if scheme.lower() == "bearer" else None
    if id_ is None:
        raise _unknown("expected Authorization: Bearer and a key that begins with km_, found something else")
    now = service.now()
    with service.reading() as session:
        key = Keys(session).find(id_, hash_of(text))
        person = People(session).get(key.person_id) if key is not None else None
    if key is None or person is None or not key.is_live(now):
        raise _unknown("expected a key that is in use, found one that is unknown, revoked or too old")
    if key.used_at is None or abs(now - key.used_at) >= TOUCH_EVERY:
        with service.writing() as session:
            Keys(session).touch(key.id, now)
    return Caller(person, key)


def _unknown(detail: str) -> ProblemError:
    return ProblemError(
        401,
        "key_needed",
        f"{detail}; make one on your account page",
        headers={"WWW-Authenticate": 'Bearer realm="Kennismatch"'},
    )
