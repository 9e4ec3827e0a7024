"""Whatever goes wrong, told to a program as problem details and to a person as a page."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.accounts.access import ANONYMOUS, SignInNeededError, sign_in_path
from api.logs import places
from api.pages.failure import failure_page
from api.pages.starting import starting_page
from api.problems import ProblemError, from_status, unexpected
from api.routes.bodies import malformed, problem_of
from api.routes.health import not_ready
from api.service import NotReadyError

log = structlog.get_logger(__name__)

_FOR_PROGRAMS = ("/api/", "/healthz", "/readyz")


def tell(request: Request, problem: ProblemError) -> Response:
    """The problem as a document for the API, as a page for all else."""
    if request.url.path.startswith(_FOR_PROGRAMS):
        return problem.response()
    return failure_page(request, problem)


def handlers() -> dict[int | type[Exception], Callable[[Request, Any], Any]]:
    """What the application does with each error that is foreseen."""
    return {
        ProblemError: tell,
        HTTPException: _http,
        RequestValidationError: _invalid,
        NotReadyError: _not_ready,
        SignInNeededError: _sign_in_needed,
    }


def _http(request: Request, error: HTTPException) -> Response:
    if error.status_code == 400:
        return tell(request, malformed())
    return tell(request, from_status(error.status_code, str(error.detail), error.headers))


def _invalid(request: Request, error: RequestValidationError) -> Response:
    return tell(request, problem_of(error.errors()))


def _not_ready(request: Request, error: NotReadyError) -> Response:
    if request.url.path.startswith(_FOR_PROGRAMS):
        return not_ready(error).response()
    return starting_page(request, error.state)


def _sign_in_needed(request: Request, error: SignInNeededError) -> Response:
    if request.url.path.startswith(_FOR_PROGRAMS):
        problem = ProblemError(
            401,
            "key_needed",
            "expected an Authorization header with a key of the API, found none; make a key on your account page",
            headers={"WWW-Authenticate": "Bearer"},
        )
        return problem.response()
    return RedirectResponse(sign_in_path(error.path), status_code=303)


class Faults:
    """The last net: a refused body becomes its problem, and a fault of ours a 500 that tells nothing of the inside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer for it where it fails."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ProblemError as problem:
            await tell(Request(scope), problem)(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            error_id = secrets.token_hex(6)
            # Without the message, which may quote a need.
            log.error("unexpected_error", error_id=error_id, error=type(error).__name__, at=places(error))
            if started:
                raise
            # What failed may be the records themselves: the page must not ask them who is signed in.
            scope.setdefault("state", {})["visitor"] = ANONYMOUS
            await tell(Request(scope), unexpected(error_id))(scope, receive, send)
