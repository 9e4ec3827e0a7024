"""What the server writes down: events with names, never what a person typed.

A request is logged by the template of its route ("/needs/{need_id}"), because the path itself may hold the
opaque id of a need, which opens it; query strings, Referer and bodies are never logged. Of an unexpected
exception only the type and the places in the code are: its message may quote a need.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Mapping
from typing import TextIO

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import Processor

log = structlog.get_logger(__name__)


def configure_logging(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send structlog's events, and warnings of libraries, to `stream` (standard error): as JSON unless it is a terminal."""
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: Processor = (
        structlog.dev.ConsoleRenderer()
        if stream.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, final],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final],
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def places(error: BaseException, deepest: int = 6) -> list[str]:
    """Where an exception came from, "module.py:line function", innermost last; no values, no message."""
    frames = traceback.extract_tb(error.__traceback__)[-deepest:]
    return [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]


class RequestLog:
    """Logs every request by method, route template, status and duration."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and log how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            if status >= 400 or not scope["path"].startswith("/static/"):
                log.info(
                    "request",
                    method=scope["method"],
                    route=_template(scope),
                    status=status,
                    elapsed_ms=round((time.perf_counter() - started) * 1e3, 1),
                )


def _template(scope: Mapping[str, object]) -> str:
    path = getattr(scope.get("route"), "path", None)
    return str(path) if path is not None else "(no route)"
