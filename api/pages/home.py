"""The start page: the need form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api import demonstration
from api.dependencies import ServiceDependency
from api.pages.filters import FilterForm, filter_form
from api.pages.language import Language, language_of, words
from api.pages.rendering import render
from api.security import VISITOR_COOKIE
from api.service import Service
from matcher.analysis import MAX_NEED_CHARS
from matcher.model import Filters

router = APIRouter()

N_EXAMPLES = 4

NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class NeedForm:
    """The form: what is in it, and `error`, what was wrong with it (a sentence)."""

    text: str
    filters: FilterForm
    max_chars: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class HomePage:
    """The start page. `examples` are needs to try, empty with other than demonstration data."""

    template: ClassVar[str] = "home.html"
    title: str
    form: NeedForm
    examples: tuple[str, ...]
    n_profiles: int
    n_institutes: int
    keep_days: int
    deleted: bool


@router.get("/")
def home(request: Request, service: ServiceDependency, deleted: bool = False) -> HTMLResponse:
    """The need form, empty."""
    return home_page(request, service, deleted=deleted)


def home_page(
    request: Request,
    service: Service,
    *,
    text: str = "",
    filters: Filters = NO_FILTERS,
    error: str | None = None,
    deleted: bool = False,
    status: int = 200,
) -> HTMLResponse:
    """The start page, with what was typed and what was wrong with it."""
    language = language_of(request)
    t = words(language)
    generation = service.pipeline().generation
    profiles = generation.profiles
    page = HomePage(
        title=t("home.title"),
        form=NeedForm(text, filter_form(generation, filters, t), MAX_NEED_CHARS, error),
        examples=examples(language) if service.fictional else (),
        n_profiles=len(profiles),
        n_institutes=len({profile.organisation_id for profile in profiles.values()}),
        keep_days=service.settings.need_lifetime_days,
        deleted=deleted,
    )
    response = render(request, page, status=status)
    mark_visitor(response)
    return response


def mark_visitor(response: Response) -> None:
    """Let the browser show later that a form came from our own page (`api.security`)."""
    response.set_cookie(VISITOR_COOKIE, "1", httponly=True, samesite="strict")


def examples(language: Language) -> tuple[str, ...]:
    """Needs to try in a language: spread over the demonstration collection, so that fields differ."""
    texts = [example.text for example in demonstration.examples() if example.language == language]
    step = max(1, len(texts) // N_EXAMPLES)
    return tuple(texts[::step][:N_EXAMPLES])
