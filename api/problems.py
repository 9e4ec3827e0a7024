"""Errors as problem details, `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "tag:kennismatch,2026:problem:"
"""Problem types are names (RFC 4151), because there is no page that would have to stay where it is."""


class ProblemError(Exception):
    """An error that the caller can read and act on.

    `code` names the kind of problem; `detail` says what was expected, what was found and what to do; `extra`
    holds further members of the problem document.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        """The members of the problem document."""
        return {
            "type": TYPE_PREFIX + self.code,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.extra,
        }

    def response(self) -> JSONResponse:
        """The problem as an HTTP response."""
        return JSONResponse(self.document(), self.status, media_type=MEDIA_TYPE, headers=self.headers)


_BY_STATUS: dict[int, tuple[str, str]] = {
    404: ("not_found", "nothing is at this address; see /api/openapi.json for those that there are"),
    405: (
        "method_not_allowed",
        "this address does not take that method; the Allow header names those that it takes",
    ),
}


def from_status(status: int, detail: str, headers: Mapping[str, str] | None = None) -> ProblemError:
    """The problem for a bare HTTP status, such as the framework raises."""
    code, text = _BY_STATUS.get(status, (HTTPStatus(status).phrase.lower().replace(" ", "_"), detail))
    return ProblemError(status, code, text, headers=headers)


def unexpected(error_id: str) -> ProblemError:
    """The problem for a fault of ours: nothing of the inside is told but an id that is also in the log."""
    return ProblemError(
        500,
        "internal_error",
        "something went wrong on our side; try again, and if it stays, tell the operator this id",
        extra={"error_id": error_id},
    )
