"""Signing in at the organisation's own identity provider: there, and back again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar

import structlog
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.accounts.access import is_secure, set_session_cookie, visitor_of
from api.accounts.device import device
from api.accounts.identities import person_of
from api.accounts.identity import OpenIdError
from api.accounts.limits import Limit, client_of, count_attempt
from api.accounts.openid_client import RETURN_PATH
from api.accounts.openid_flow import FLOW_LIFE, is_answered_by, sealed, unsealed
from api.accounts.sessions import open_session
from api.accounts.sign_in import AFTER_SIGN_IN, local_path
from api.accounts.sign_in_store import Sessions
from api.dependencies import ServiceDependency
from api.pages.language import language_of, words
from api.pages.rendering import render
from api.problems import ProblemError
from api.service import Service

if TYPE_CHECKING:
    from api.accounts.openid import Provider

log = structlog.get_logger(__name__)

router = APIRouter()

PER_CLIENT = Limit("openid", 120, timedelta(minutes=15))
"""A campus behind one address signs in at the start of a lecture; each start may ask the provider something."""
_STATUS = {
    "stale": 400,
    "refused": 403,
    "unreachable": 502,
    "untrusted": 502,
    "no_address": 403,
    "address_taken": 403,
    "not_invited": 403,
}
Given = Annotated[str, Query(max_length=4096)]


@dataclass(frozen=True, slots=True)
class OpenIdFailedPage:
    """Why signing in there did not work, and what to do."""

    template: ClassVar[str] = "openid_failed.html"
    title: str
    text: str


@router.get("/openid")
def start(request: Request, service: ServiceDependency, next: str = "") -> Response:  # noqa: A002
    """To the provider; somebody who is signed in goes on."""
    goes_to = local_path(next)
    if visitor_of(request).person is not None:
        return RedirectResponse(goes_to, status_code=303)
    provider, secret = _provider(service), service.secret
    host = request.client.host if request.client is not None else None
    with service.writing() as session:
        count_attempt(session, secret, PER_CLIENT, client_of(host), service.now())
    try:
        address, flow = provider.begin(goes_to, language_of(request))
    except OpenIdError as error:
        return _failed(request, error)
    response = RedirectResponse(address, status_code=303)
    response.set_cookie(
        _cookie_name(request),
        sealed(flow, secret),
        max_age=int(FLOW_LIFE.total_seconds()),
        path="/",
        httponly=True,
        secure=is_secure(request),
        # Not strict: the browser comes back from another site, and has to bring it.
        samesite="lax",
    )
    return response


@router.get(RETURN_PATH)
def come_back(
    request: Request,
    service: ServiceDependency,
    code: Given = "",
    state: Given = "",
    error: Given = "",
    iss: Annotated[str | None, Query(max_length=4096)] = None,
) -> Response:
    """Back from the provider, with a code or with what went wrong there."""
    provider, secret, before = _provider(service), service.secret, visitor_of(request)
    try:
        flow = unsealed(request.cookies.get(_cookie_name(request), ""), secret)
        if flow is None or not is_answered_by(flow, state, service.now()):
            if before.person is not None:
                # The page was loaded again: the first time has signed them in.
                return RedirectResponse(AFTER_SIGN_IN, status_code=303)
            raise OpenIdError("stale", "the answer belongs to no attempt of this browser")
        if error or not code:
            raise OpenIdError("refused", "the provider let nobody through")
        found = provider.finish(flow, code, iss)
        now, language = service.now(), language_of(request)
        with service.writing() as session:
            person = person_of(session, found, language, now, sign_up=service.settings.sign_up)
            if before.session is not None:
                Sessions(session).end(before.session.id_hash)
            browser = device(request.headers.get("user-agent", ""))
            token, _ = open_session(session, secret, person.id, browser, service.session_life, now)
    except OpenIdError as failure:
        return _failed(request, failure)
    response = RedirectResponse(local_path(flow.goes_to), status_code=303)
    set_session_cookie(request, response, token)
    _drop_flow(request, response)
    return response


def _provider(service: Service) -> Provider:
    if service.openid is None:
        raise ProblemError(404, "not_found", "no identity provider is set up here; see /sign-in")
    return service.openid


def _failed(request: Request, error: OpenIdError) -> Response:
    log.warning("openid_sign_in_failed", code=error.code, reason=str(error))
    t = words(language_of(request))
    page = OpenIdFailedPage(t(f"openid.error.{error.code}.title"), t(f"openid.error.{error.code}.text"))
    response = render(request, page, status=_STATUS[error.code])
    _drop_flow(request, response)
    return response


def _cookie_name(request: Request) -> str:
    return "__Host-openid" if is_secure(request) else "openid"


def _drop_flow(request: Request, response: Response) -> None:
    response.delete_cookie(
        _cookie_name(request), path="/", httponly=True, secure=is_secure(request), samesite="lax"
    )
