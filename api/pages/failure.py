"""The page for what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.pages.language import language_of, words
from api.pages.rendering import render
from api.problems import ProblemError

_OWN_WORDS = ("403", "404", "405", "413", "429", "500", "role_needed", "stale_form")
"""Codes of problems and statuses that have words of their own; a code goes before its status."""


@dataclass(frozen=True, slots=True)
class FailurePage:
    """What went wrong, in words for a person; `error_id` is what an operator can find in the log."""

    template: ClassVar[str] = "failure.html"
    title: str
    text: str
    status: int
    error_id: str | None = None


def failure_page(request: Request, problem: ProblemError) -> HTMLResponse:
    """The page for a problem."""
    t = words(language_of(request))
    kind = next((name for name in (problem.code, str(problem.status)) if name in _OWN_WORDS), "other")
    minutes = -(-int(problem.headers.get("Retry-After", "60")) // 60)
    page = FailurePage(
        title=t(f"failure.{kind}.title"),
        text=t(f"failure.{kind}.text", minutes=minutes),
        status=problem.status,
        error_id=problem.extra.get("error_id"),
    )
    return render(request, page, status=problem.status, headers=problem.headers)
