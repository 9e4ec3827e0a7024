"""The application: routes, pages, and what stands around them.

Inside out: routes and pages -> body limit -> faults told as problems or pages -> request log -> headers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware

from api.accounts.access import recognise
from api.failures import Faults, handlers
from api.logs import RequestLog
from api.pages import (
    about,
    account,
    audit,
    directory,
    docs,
    home,
    keys,
    needs,
    openid,
    own_data,
    people,
    profile,
    sign_in,
    starting,
)
from api.pages.static import StaticAssets
from api.progress import Report
from api.routes import health, matches, me, profiles
from api.security import BodyLimit, SecurityHeaders, check_origin
from api.service import Service
from api.settings import Settings, load_settings
from matcher.locks import HeldLock, hold

DESCRIPTION = """Matches what companies need with what research groups know, in Dutch and English, and says why.

Errors are problem details (RFC 9457), `application/problem+json`, with a `code` to act on. Scores: higher is better.
Ranks start at 1. Probabilities are calibrated: of matches shown at 0.6, about 60 % are right."""


def create_app(
    settings: Settings | None = None,
    *,
    lock: HeldLock | None = None,
    progress: Report | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """Build the application. The data folder is not touched before it starts.

    Args:
        settings: from the environment by default.
        lock: the server's lock, from a caller that holds it already; otherwise it is taken when it starts.
        progress: told how far the preparation is.
        clock: tells the time for all that has to do with accounts and mail.
    """
    chosen = settings or load_settings({})
    service = Service(chosen, progress, clock)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if lock is None:
                stack.enter_context(hold(chosen.data, "serve"))
            service.start()
            stack.push_async_callback(run_in_threadpool, service.stop)
            yield

    app = FastAPI(
        title="Kennismatch",
        version="1",
        description=DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        # For every route and page, so that a new one cannot forget them.
        dependencies=[Depends(check_origin), Depends(recognise)],
        exception_handlers=handlers(),
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(RequestLog),
            Middleware(Faults),
            Middleware(BodyLimit, max_bytes=chosen.max_body_bytes),
        ],
    )
    app.state.service = service
    for routes in (health, matches, profiles, me):
        app.include_router(routes.router)
    for pages in (
        home,
        needs,
        directory,
        profile,
        about,
        docs,
        starting,
        sign_in,
        openid,
        account,
        keys,
        own_data,
        people,
        audit,
    ):
        app.include_router(pages.router, include_in_schema=False)
    app.mount("/static", StaticAssets(directory=Path(__file__).parent / "static"), name="static")
    return app
