"""A need is posted, kept, and answered at an opaque address; its text is in no address at all."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.dependencies import ServiceDependency
from api.needs import filters_of, new_need
from api.pages.filters import filter_form, filters_from
from api.pages.format import Format
from api.pages.forms import check_type
from api.pages.home import NeedForm, home_page, mark_visitor
from api.pages.language import language_of, words
from api.pages.rendering import render
from api.pages.results import ResultsPage, desks, institutes, language_note, other_kinds
from api.problems import ProblemError
from api.service import Service
from corpora.need_store import Needs
from matcher.analysis import MAX_NEED_CHARS, analyse
from matcher.model import Filters, NeedError

router = APIRouter()

MAX_FIELDS = 2000
MAX_SHOWN = 10
"""Proposals on a page; further ones are rarely right, and the programming interface gives them."""


@router.post("/needs")
async def post_need(request: Request, service: ServiceDependency) -> Response:
    """Keep a need and lead to its address; show the form again where it cannot be matched."""
    check_type(request)
    async with request.form(max_fields=MAX_FIELDS) as form:
        text = form.get("text")
        filters = filters_from(form)
    return await run_in_threadpool(_keep, request, service, text if isinstance(text, str) else "", filters)


def _keep(request: Request, service: Service, text: str, filters: Filters) -> Response:
    t = words(language_of(request))
    try:
        query = analyse(text)
    except NeedError as error:
        message = t(f"need_error.{error.code}", limit=Format(t.language).number(MAX_NEED_CHARS))
        return home_page(request, service, text=text, filters=filters, error=message, status=422)
    need = new_need(text, query.language, filters, service.settings.need_lifetime_days)
    with service.writing() as session:
        Needs(session).add(need)
    return RedirectResponse(f"/needs/{need.id}", status_code=303)


@router.get("/needs/{need_id}")
def show_need(need_id: str, request: Request, service: ServiceDependency) -> Response:
    """The need with its matches."""
    with service.reading() as session:
        need = Needs(session).get(need_id)
    if need is None:
        raise ProblemError(
            404, "no_such_need", "expected the address of a need that is kept here, found another"
        )
    pipeline = service.pipeline()
    filters = filters_of(need)
    answer = pipeline.match(need.text, language=need.language, filters=filters, limit=MAX_SHOWN)
    t = words(language_of(request))
    near = [match for _, matches in answer.others for match in matches]
    shown = institutes(answer, t)
    page = ResultsPage(
        title=t("results.title"),
        need_id=need.id,
        need=need.text,
        need_language=need.language,
        language_note=language_note(answer, t),
        aspects=tuple(aspect.text for aspect in answer.query.aspects),
        expires=need.expires_at.date(),
        form=NeedForm(need.text, filter_form(pipeline.generation, filters, t), MAX_NEED_CHARS),
        fits=answer.fits,
        fit_probability=answer.fit_probability,
        institutes=shown,
        others=other_kinds(answer, t),
        desks=() if answer.fits else desks(pipeline.generation, near, pipeline.generation.hidden()),
        n_matches=sum(len(institute.matches) for institute in shown),
        elapsed_ms=answer.elapsed_ms,
    )
    response = render(request, page)
    mark_visitor(response)
    return response


@router.post("/needs/{need_id}/delete")
def delete_need(need_id: str, service: ServiceDependency) -> Response:
    """Delete the need now."""
    with service.writing() as session:
        if not Needs(session).delete(need_id):
            raise ProblemError(
                404, "no_such_need", "expected the address of a need that is kept here, found another"
            )
    return RedirectResponse("/?deleted=true", status_code=303)
