"""The page while needs cannot be answered yet: how far it is. It reloads itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.dependencies import ServiceDependency
from api.pages.language import language_of, words
from api.pages.rendering import render
from api.progress import State

router = APIRouter()

RELOAD_S = 2


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the preparation: `state` is "done", "now" or "later"."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class StartingPage:
    """How far the preparation is; `problem` is what stopped it, in English, for the operator."""

    template: ClassVar[str] = "starting.html"
    title: str
    steps: tuple[Step, ...]
    done: int
    total: int
    problem: str | None
    reload_s: int = RELOAD_S


_ORDER = ("encoder", "import", "passages", "lexical", "embed", "sentences", "check")


@router.get("/starting")
def starting(request: Request, service: ServiceDependency) -> Response:
    """What the page asks for to renew itself; once needs can be answered, a word that it should load again."""
    if service.ready:
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return render(request, page_for(request, service.state))


def starting_page(request: Request, state: State) -> HTMLResponse:
    """The page in the place of one that cannot be made yet."""
    return render(request, page_for(request, state), status=503, headers={"Retry-After": str(RELOAD_S)})


def page_for(request: Request, state: State) -> StartingPage:
    """The page for a state of the preparation."""
    t = words(language_of(request))
    at = _ORDER.index(state.stage) if state.stage in _ORDER else 0
    steps = tuple(
        Step(t(f"starting.stage.{name}"), "done" if place < at else "now" if place == at else "later")
        for place, name in enumerate(_ORDER)
    )
    return StartingPage(t("starting.title"), steps, state.done, state.total, state.problem)
