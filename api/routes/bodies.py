"""Requests with a JSON body: their type, and what is said when the body is not what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.problems import ProblemError

_PRIVATE = ("text",)
"""Fields whose content is never repeated in an answer, because answers end up in logs."""

_SHOWN_CHARS = 60


class JsonRoute(APIRoute):
    """Answers 415 to a body that does not say that it is JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, behind a look at `Content-Type`."""
        handler = super().get_route_handler()

        async def checked(request: Request) -> Response:
            told = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if request.method == "POST" and told != "application/json" and not told.endswith("+json"):
                found = told[:_SHOWN_CHARS] or "nothing"
                raise ProblemError(
                    415,
                    "unsupported_media_type",
                    f"expected Content-Type: application/json, found {found}; send the need as a JSON object",
                    headers={"Accept-Post": "application/json"},
                )
            return await handler(request)

        return checked


def problem_of(errors: Sequence[Any]) -> ProblemError:
    """The problem for a request that does not validate: which field, what was expected, what was found."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return malformed()
    details = [_detail(error) for error in errors[:20]]
    shown = details[0]
    return ProblemError(
        422,
        "invalid_request",
        f"expected {shown['expected']} at {shown['pointer']}, found {shown['found']}; see /api/openapi.json",
        extra={"errors": details},
    )


def malformed() -> ProblemError:
    """The problem for a body that is no JSON at all."""
    return ProblemError(
        400, "malformed_json", 'expected a JSON object in UTF-8, found something else; send {"text": "…"}'
    )


def _detail(error: Any) -> dict[str, str]:
    place, *path = (str(part) for part in error["loc"])
    pointer = "/".join(["", *path]) if place == "body" else f"{place} {'.'.join(path)}"
    if error["type"] == "missing":
        return {"pointer": pointer or "/", "expected": "this field", "found": "nothing"}
    if error["type"] == "extra_forbidden":
        return {
            "pointer": pointer,
            "expected": "only the documented fields",
            "found": f"an unknown one, {path[-1][:_SHOWN_CHARS]!r}",
        }
    message = str(error["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    private = any(part in _PRIVATE for part in path)
    return {"pointer": pointer or "/", "expected": message, "found": _found(error.get("input"), private)}


def _found(value: object, private: bool) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return (
            f"a text of {len(value):,} characters" if private or len(value) > _SHOWN_CHARS else ascii(value)
        )
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, bytes):
        return "a body of another type"
    return str(value)[:_SHOWN_CHARS]
