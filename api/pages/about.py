"""What the product does, what its numbers mean, and what it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.dependencies import ServiceDependency
from api.pages.language import language_of, words
from api.pages.rendering import render

router = APIRouter()


@dataclass(frozen=True, slots=True)
class AboutPage:
    """The about page; `generation` is None while nothing is indexed."""

    template: ClassVar[str] = "about.html"
    title: str
    keep_days: int
    n_profiles: int
    generation: str | None
    encoder: str


@router.get("/about")
def about(request: Request, service: ServiceDependency) -> HTMLResponse:
    """The about page."""
    generation = service.pipeline().generation if service.ready else None
    page = AboutPage(
        title=words(language_of(request))("about.title"),
        keep_days=service.settings.need_lifetime_days,
        n_profiles=len(generation.profiles) if generation is not None else 0,
        generation=generation.name if generation is not None else None,
        encoder=service.settings.encoder,
    )
    return render(request, page)
