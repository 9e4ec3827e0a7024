"""Whether the process is up, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import ServiceDependency
from api.problems import ProblemError
from api.progress import State
from api.routes.schemas import ProgressOut
from api.service import NotReadyError

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Is the process up?")
def healthz() -> ProgressOut:
    """Answer 200 as long as the process serves requests."""
    return ProgressOut(status="up")


@router.get("/readyz", summary="Can needs be answered?")
def readyz(service: ServiceDependency) -> ProgressOut:
    """Answer 200 once needs can be answered, before that 503 with how far it is."""
    return ProgressOut(status="ready", generation=service.pipeline().generation.name)


def not_ready(error: NotReadyError) -> ProblemError:
    """The problem while needs cannot be answered."""
    state: State = error.state
    if state.problem:
        detail = f"needs cannot be answered: {state.problem}"
    else:
        numbers = f", {state.done} of {state.total}" if state.total else ""
        detail = f"needs cannot be answered yet, still at work (stage {state.stage}{numbers}); try again in a moment"
    return ProblemError(
        503,
        "not_ready",
        detail,
        extra={"progress": {"stage": state.stage, "done": state.done, "total": state.total}},
        headers={"Retry-After": "2"},
    )
