"""Signing in and out: ask for a link, look into one's mail, press the button behind the link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.accounts.access import drop_session_cookie, set_session_cookie, visitor_of
from api.accounts.address import AddressError, parse_address
from api.accounts.audit import Action, by_session, record
from api.accounts.device import device
from api.accounts.limits import count_request_for_link
from api.accounts.sessions import open_session
from api.accounts.sign_in import LINK_LIFE, LinkState, local_path, look, new_link, use
from api.accounts.sign_in_store import Sessions
from api.accounts.store import People
from api.dependencies import ServiceDependency
from api.mail.message import Draft
from api.mail.store import Outbox
from api.pages.forms import OwnForm, field
from api.pages.home import mark_visitor
from api.pages.language import language_of, words
from api.pages.rendering import render
from api.service import Service

router = APIRouter()

LINK_MINUTES = int(LINK_LIFE.total_seconds() // 60)
_STATUS = {LinkState.GOOD: 200, LinkState.UNKNOWN: 404, LinkState.EXPIRED: 410, LinkState.USED: 410}


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form to ask for a link. `goes_to` is where one gets after signing in.

    `provider` is what the identity provider is called; None where there is none.
    """

    template: ClassVar[str] = "sign_in.html"
    title: str
    address: str
    goes_to: str
    error: str | None
    sends_mail: bool
    sign_up: bool
    provider: str | None = None
    minutes: int = LINK_MINUTES


@dataclass(frozen=True, slots=True)
class SentPage:
    """What to do now; the same whether the address is known or not."""

    template: ClassVar[str] = "sign_in_sent.html"
    title: str
    sign_up: bool
    minutes: int = LINK_MINUTES


@dataclass(frozen=True, slots=True)
class LinkPage:
    """Behind a link: whom it signs in, and the button; or what is wrong with it, and what to do."""

    template: ClassVar[str] = "sign_in_link.html"
    title: str
    state: LinkState
    address: str
    minutes: int = LINK_MINUTES


@router.get("/sign-in")
def sign_in(request: Request, service: ServiceDependency, next: str = "") -> Response:  # noqa: A002
    """The form; somebody who is signed in goes on."""
    if visitor_of(request).person is not None:
        return RedirectResponse(local_path(next), status_code=303)
    return _form(request, service, goes_to=next)


@router.post("/sign-in")
def ask_for_link(request: Request, service: ServiceDependency, form: OwnForm) -> Response:
    """Mail a link. The answer does not tell whether the address is known."""
    goes_to, typed = local_path(field(form, "next")), field(form, "address")
    if not service.settings.sends_mail:
        return _form(request, service, goes_to=goes_to, status=503)
    t = words(language_of(request))
    try:
        address = parse_address(typed)
    except AddressError:
        error = t("sign_in.address_error") if typed.strip() else t("sign_in.address_missing")
        return _form(request, service, address=typed, goes_to=goes_to, error=error, status=422)
    now, secret = service.now(), service.secret
    client = request.client.host if request.client is not None else None
    with service.writing() as session:
        count_request_for_link(session, secret, address, client, now)
        person = People(session).by_address(address)
        # Made for anybody, so that the answer takes as long for those who may not come in.
        token, link = new_link(session, secret, address, t.language, goes_to, now)
        if person is not None or service.settings.sign_up:
            draft = Draft(
                kind="sign_in",
                recipient=address,
                language=t.language,
                subject=t("mail.sign_in.subject"),
                text=t(
                    "mail.sign_in.text",
                    link=f"{service.settings.address}/sign-in/{token}",
                    minutes=LINK_MINUTES,
                ),
                person_id=person.id if person is not None else None,
                sealed=True,
                expires_at=link.expires_at,
            )
            Outbox(session).queue(draft, secret, now)
    service.sender.wake()
    return RedirectResponse("/sign-in/sent", status_code=303)


@router.get("/sign-in/sent")
def sent(request: Request, service: ServiceDependency) -> Response:
    """What to do now."""
    t = words(language_of(request))
    return render(request, SentPage(t("sign_in.sent_title"), service.settings.sign_up))


@router.get("/sign-in/{token}")
def show_link(token: str, request: Request, service: ServiceDependency) -> Response:
    """The button behind a link; looking at it does not use it."""
    with service.reading() as session:
        looked = look(session, service.secret, token, service.now())
    return _link(request, looked.state, looked.link.address if looked.link is not None else "")


@router.post("/sign-in/{token}")
def use_link(token: str, request: Request, service: ServiceDependency, form: OwnForm) -> Response:
    """Use a link, once: a new session in the place of any that the browser had."""
    now, before = service.now(), visitor_of(request)
    with service.writing() as session:
        looked, person = use(session, service.secret, token, now, sign_up=service.settings.sign_up)
        if person is not None and looked.link is not None:
            if before.session is not None:
                Sessions(session).end(before.session.id_hash)
            browser = device(request.headers.get("user-agent", ""))
            cookie, _ = open_session(session, service.secret, person.id, browser, service.session_life, now)
    if person is None or looked.link is None:
        if looked.state is LinkState.USED and before.person is not None:
            # The button was pressed twice: the first time has signed them in.
            return RedirectResponse("/account", status_code=303)
        return _link(request, looked.state, "")
    response = RedirectResponse(looked.link.goes_to, status_code=303)
    set_session_cookie(request, response, cookie)
    return response


@router.post("/sign-out")
def sign_out(request: Request, service: ServiceDependency, form: OwnForm) -> Response:
    """End the session of this browser."""
    opened = visitor_of(request).session
    if opened is not None:
        with service.writing() as session:
            if Sessions(session).end(opened.id_hash):
                record(session, service.now(), Action.SIGNED_OUT, by_session(opened.person_id))
    response = RedirectResponse("/", status_code=303)
    drop_session_cookie(request, response)
    return response


def _form(
    request: Request,
    service: Service,
    *,
    address: str = "",
    goes_to: str = "",
    error: str | None = None,
    status: int = 200,
) -> Response:
    t = words(language_of(request))
    provider = service.settings.openid_name or t("openid.unnamed")
    page = SignInPage(
        title=t("sign_in.title"),
        address=address[:300],
        goes_to=local_path(goes_to),
        error=error,
        sends_mail=service.settings.sends_mail,
        sign_up=service.settings.sign_up,
        provider=provider if service.openid is not None else None,
    )
    response = render(request, page, status=status)
    mark_visitor(response)
    return response


def _link(request: Request, state: LinkState, address: str) -> Response:
    title = words(language_of(request))(f"sign_in.link.{state.value}.title")
    response = render(request, LinkPage(title, state, address), status=_STATUS[state])
    mark_visitor(response)
    return response
