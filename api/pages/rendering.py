"""From a typed context to HTML. Every page has a context; a template sees it as `page` and nothing else of ours.

Besides `page`, templates see `frame` (what stands around every page), `t` (words), `fmt` (dates and numbers) and
the functions below. Values are escaped; an undefined name is an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import ClassVar, Protocol
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.accounts.access import visitor_of
from api.accounts.model import Role
from api.pages.anchors import anchor, document_link, profile_link
from api.pages.format import Format
from api.pages.language import (
    COOKIE,
    COOKIE_SECONDS,
    LANGUAGES,
    PARAMETER,
    Language,
    chosen,
    language_of,
    words,
)
from api.service import Service


class Page(Protocol):
    """The context of a page: its template, and the words in the window's title."""

    template: ClassVar[str]

    @property
    def title(self) -> str:
        """What the page is called, without the name of the product."""


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """The same page in a language."""

    language: Language
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class PersonInFrame:
    """Who is signed in: what they are called, what their forms carry, and whether they manage people."""

    called: str
    form_token: str
    administrator: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page. `section` is the first part of its path, for the navigation.

    `person` is None where nobody is signed in.
    """

    language: Language
    section: str
    languages: tuple[LanguageLink, ...]
    fictional: bool
    person: PersonInFrame | None = None


def render(
    request: Request, page: Page, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """The page as a response, in the reader's language, which is remembered when the request switched to it."""
    service: Service = request.app.state.service
    language = language_of(request)
    frame = Frame(
        language=language,
        section=request.url.path.strip("/").partition("/")[0],
        languages=tuple(LanguageLink(code, _switched(request, code), code == language) for code in LANGUAGES),
        fictional=service.fictional,
        person=_person(request),
    )
    response = HTMLResponse(html(page, frame), status, headers=dict(headers or {}))
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Cookie, Accept-Language"
    if chosen(request):
        response.set_cookie(COOKIE, language, max_age=COOKIE_SECONDS, httponly=True, samesite="lax")
    return response


def _person(request: Request) -> PersonInFrame | None:
    visitor = visitor_of(request)
    if visitor.person is None:
        return None
    return PersonInFrame(visitor.person.called, visitor.form_token, visitor.person.holds(Role.ADMINISTRATOR))


def html(page: Page, frame: Frame) -> str:
    """The page as HTML."""
    return (
        environment()
        .get_template(page.template)
        .render(page=page, frame=frame, t=words(frame.language), fmt=Format(frame.language))
    )


def _switched(request: Request, language: Language) -> str:
    """The page's address in a language; a page that only a POST gives has none, so the start page stands in."""
    path = request.url.path if request.method in ("GET", "HEAD") else "/"
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != PARAMETER]
    return f"{path}?{urlencode([*kept, (PARAMETER, language)])}"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates with their functions."""
    found = Environment(
        loader=PackageLoader("api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(asset=asset, anchor=anchor, profile_link=profile_link, document_link=document_link)
    return found


@lru_cache(maxsize=64)
def asset(name: str) -> str:
    """Address of a static file, with a mark of its content, so that it may be cached for ever."""
    content = files("api").joinpath("static", *name.split("/")).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"
