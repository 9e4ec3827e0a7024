"""`POST /api/v1/matches`: a need in, explained pairings out."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Depends

from api.accounts.key_access import Allows
from api.accounts.keys import Scope
from api.dependencies import ServiceDependency
from api.problems import ProblemError
from api.routes.asked import NeedIn, filters_of
from api.routes.bodies import JsonRoute
from api.routes.schemas import AnswerOut
from corpora.characters import storable
from corpora.taxonomy import load_taxonomy
from matcher.generations import Generation
from matcher.model import Filters, NeedError

router = APIRouter(prefix="/api/v1", tags=["matches"], route_class=JsonRoute)

NEED_STATUS = 422


@router.post(
    "/matches",
    summary="Who can answer this need, and why?",
    dependencies=[Depends(Allows(Scope.MATCH))],
)
def match(need: NeedIn, service: ServiceDependency) -> AnswerOut:
    """Match a need; it is answered and not kept."""
    pipeline = service.pipeline()
    filters = checked_filters(filters_of(need.filters), pipeline.generation)
    try:
        answer = pipeline.match(
            storable(need.text), language=need.language, filters=filters, limit=need.limit
        )
    except NeedError as error:
        raise need_problem(error) from error
    return AnswerOut.of(answer)


def need_problem(error: NeedError) -> ProblemError:
    """The problem for a need that cannot be matched; its `code` is the pipeline's, after `need_`."""
    text = {"pointer": "/text", "detail": str(error)}
    return ProblemError(NEED_STATUS, f"need_{error.code}", str(error), extra={"errors": [text]})


def checked_filters(filters: Filters, generation: Generation) -> Filters:
    """The same filters, with the names of institutes turned into ids.

    Raises:
        ProblemError: 422, a filter names what is not there; it would give nobody, for no reason that shows.
    """
    profiles = generation.profiles.values()
    ids = {profile.organisation_id: profile.organisation_id for profile in profiles}
    names = {profile.organisation.casefold(): profile.organisation_id for profile in profiles}
    known = {**names, **ids}
    organisations = tuple(known.get(item, known.get(item.casefold(), "")) for item in filters.organisations)
    _check(
        "organisations", filters.organisations, [bool(item) for item in organisations], "GET /api/v1/profiles"
    )
    roadmaps = {term.code for term in load_taxonomy().roadmaps()}
    _check(
        "roadmaps",
        filters.roadmaps,
        [item in roadmaps for item in filters.roadmaps],
        ", ".join(sorted(roadmaps)),
    )
    regions = {profile.region for profile in profiles if profile.region}
    _check(
        "regions", filters.regions, [item in regions for item in filters.regions], ", ".join(sorted(regions))
    )
    return replace(filters, organisations=organisations)


def _check(name: str, given: tuple[str, ...], known: list[bool], those: str) -> None:
    for at, (item, is_known) in enumerate(zip(given, known, strict=True)):
        if not is_known:
            found = ascii(item[:60])
            raise ProblemError(
                422,
                "unknown_filter",
                f"expected one of the {name} that there are, found {found}; see {those or 'the directory'}",
                extra={"errors": [{"pointer": f"/filters/{name}/{at}", "detail": f"unknown: {found}"}]},
            )
