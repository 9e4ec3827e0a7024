"""What every answer carries and every request must meet: headers, body size, and where a POST comes from."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import ProblemError

VISITOR_COOKIE = "visitor"
"""Set by the need form, `SameSite=Strict`: a browser sends it from our own pages only."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
}


class SecurityHeaders:
    """Adds `HEADERS` to every answer, and `Cache-Control: no-store` to those that say nothing on caching."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; put the headers on the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


class BodyLimit:
    """Reads the request body, and refuses one that is larger than `max_bytes`.

    The application then gets the body whole: it is small, and what reads it cannot mistake a refusal for a
    broken body.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body; raises `ProblemError` 413 past the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "")
        if told.isdecimal() and int(told) > self._max_bytes:
            raise self._problem(f"{int(told):,}")
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # The client has gone.
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_bytes:
                raise self._problem("more")
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, replay, send)

    def _problem(self, found: str) -> ProblemError:
        return ProblemError(
            413,
            "body_too_large",
            f"expected a request body of at most {self._max_bytes:,} bytes, found {found}; "
            "keep the need to the problem and what you want to reach",
            extra={"limit_bytes": self._max_bytes},
            # What is left of the body is not read, so the connection cannot be used again.
            headers={"Connection": "close"},
        )


def check_origin(request: Request) -> None:
    """Refuse what changes something where a browser says that another site sent it (cross-site request forgery).

    The application asks this for every route. Forms of somebody who is signed in also carry a token, see
    `api.pages.forms`.

    `Sec-Fetch-Site` decides where it is sent (https, and http on this machine); otherwise `Origin`. Under our
    `Referrer-Policy: no-referrer` browsers send `Origin: null` with our own forms (Fetch standard, "append a
    request Origin header"); over plain http only the `SameSite=Strict` cookie then tells us from others. A client
    that sends neither header is no browser.

    Raises:
        ProblemError: 403.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        allowed = site in ("same-origin", "none")
    elif origin is None:
        allowed = True
    elif origin == "null":
        allowed = VISITOR_COOKIE in request.cookies
    else:
        allowed = urlsplit(origin).netloc == request.headers.get("host")
    if not allowed:
        raise ProblemError(
            403,
            "other_site",
            "expected a request from one of our own pages, found one from another site; open the page here and send "
            "the form again (cookies must be allowed)",
        )
