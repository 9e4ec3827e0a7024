"""An application with accounts, a real mail server beside it, and a clock that a test can turn."""

from __future__ import annotations

import logging
import re
from asyncio import BaseTransport
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import Envelope, Session
from sqlalchemy.orm import Session as Records
from starlette.testclient import TestClient

from api.accounts.audit import COMMAND_LINE
from api.accounts.model import Grant, Person, Role
from api.accounts.roles import invite
from api.app import create_app
from api.service import NotReadyError, Service
from api.settings import Settings
from embeddings.encoders import EncoderError
from tests.api.servers import free_port, wait_until

START = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
BUTTON = {"button": "pressed"}
"""A form without fields of its own: the client would send no type with an empty one, as browsers do."""
DUTCH = {"Accept-Language": "nl"}
ENGLISH = {"Accept-Language": "en"}


class Post:
    """What the mail server does: `mode` is "take", or an answer to give, or "drop" the line after the text."""

    def __init__(self) -> None:
        self.mode = "take"
        self.at = "DATA"
        self.mails: list[EmailMessage] = []
        self.lines: set[object] = set()
        self.n_texts = 0

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at == "RCPT" and self.mode != "take":
            return self.mode
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        self.n_texts += 1
        if self.mode == "drop":
            assert server.transport is not None
            server.transport.close()
            return "250 OK"
        if self.mode != "take" and self.at == "DATA":
            return self.mode
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return "250 OK"

    def links(self) -> list[str]:
        """The paths of the links that were mailed, in order; an invitation has none."""
        texts = "\n".join(mail.get_content() for mail in list(self.mails))
        return re.findall(r"http://testserver(/sign-in/[\w-]{43})\s", texts)

    def link(self) -> str:
        """The last of them."""
        return self.links()[-1]


class CountedServer(Server):
    """A mail server that knows which lines to it are open: stopped earlier, it would leave them behind."""

    def connection_made(self, transport: BaseTransport) -> None:
        self.event_handler.lines.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.event_handler.lines.discard(self)


class PostOffice(Controller):
    """Runs it; `stop` waits until everybody has hung up."""

    def factory(self) -> Server:
        return CountedServer(self.handler, **self.SMTP_kwargs)

    def stop(self, no_assert: bool = False) -> None:
        wait_until(lambda: not self.handler.lines, 20)
        super().stop(no_assert)


class Clock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def turn(self, **span: float) -> None:
        self.moment += timedelta(**span)


@dataclass
class Site:
    """A running application, as its visitors see it."""

    service: Service
    post: Post
    clock: Clock
    new_client: Callable[[], TestClient]
    opened: list[TestClient] = field(default_factory=list)

    def visitor(self, **headers: str) -> TestClient:
        """Somebody new, in a browser of their own."""
        client = self.new_client()
        client.headers.update({**ENGLISH, **headers})
        return client

    def ask_for_link(self, client: TestClient, address: str, **fields: str) -> str:
        """Ask for a link and wait for it; returns its path."""
        n_links = len(self.post.links())
        answer = client.post("/sign-in", data={"address": address, **fields})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/sent")
        wait_until(lambda: len(self.post.links()) > n_links, 20)
        return self.post.link()

    def signed_in(self, address: str = "asker@example.org", **headers: str) -> TestClient:
        """Somebody who has come in by a link."""
        client = self.visitor(**headers)
        answer = client.post(self.ask_for_link(client, address), data=BUTTON)
        assert answer.status_code == 303, answer.text
        return client

    def person(self, address: str, role: Role, organisation: str = "") -> Person:
        """An account with a role."""
        with self.service.writing() as session:
            return invite(session, address, "", "en", Grant(role, organisation), self.clock(), COMMAND_LINE)[
                0
            ]

    def administrator(self, address: str = "admin@example.org") -> TestClient:
        """An administrator who has come in."""
        self.person(address, Role.ADMINISTRATOR)
        return self.signed_in(address)

    def read(self, question: Callable[[Records], Any]) -> Any:
        """What the records say."""
        with self.service.reading() as session:
            return question(session)


def form_token(client: TestClient, path: str = "/account") -> str:
    """The token of this session's forms."""
    page = client.get(path).text
    found = re.search(r'name="form_token" value="(\w{64})"', page)
    assert found is not None, page
    return found.group(1)


def send(client: TestClient, path: str, page: str = "/account", **fields: str) -> Any:
    """Send a form as it stands on a page."""
    return client.post(path, data={**fields, "form_token": form_token(client, page)})


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    """A mail server on this machine, and its port."""
    handler = Post()
    controller = PostOffice(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield handler, controller.port
    finally:
        controller.stop()


def mail_settings(data: Path, port: int, **others: Any) -> Settings:
    return Settings(
        data=data,
        demonstration=False,
        base_url="http://testserver",
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security="none",
        mail_from="desk@example.org",
        **others,
    )


@pytest.fixture
def no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is matched: accounts do not wait for the language model, and these tests neither."""

    def none(name: str) -> Any:
        raise EncoderError("no encoder in this test")

    monkeypatch.setattr("api.service.open_encoder", none)


@pytest.fixture
def make_site(tmp_path: Path, no_encoder: None, post: tuple[Post, int]) -> Iterator[Callable[..., Site]]:
    """Makes an application on a data folder, with or without mail; it ends before the mail server does."""
    closing: list[TestClient] = []

    def make(post: Post, settings: Settings, clock: Clock | None = None) -> Site:
        clock = clock or Clock()
        app = create_app(settings, clock=clock)
        first = TestClient(app)
        first.__enter__()
        closing.append(first)
        service: Service = app.state.service
        wait_until(lambda: _is_open(service), 30)
        return Site(service, post, clock, lambda: TestClient(app, follow_redirects=False))

    yield make
    for client in closing:
        client.__exit__(None, None, None)


@pytest.fixture
def site(make_site: Callable[..., Site], post: tuple[Post, int], tmp_path: Path) -> Site:
    """An application that can send mail."""
    return make_site(post[0], mail_settings(tmp_path / "data", post[1]))


def _is_open(service: Service) -> bool:
    try:
        with service.reading():
            return service.secret is not None
    except NotReadyError:
        return False


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    """Commands that run in this process point the log at streams that are gone afterwards."""
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()
