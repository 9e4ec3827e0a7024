"""A whole server on a socket, in a thread: accounts and mail as in life, and a small index made by a fake encoder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import uvicorn

from api.accounts.audit import COMMAND_LINE
from api.accounts.model import Grant, Role
from api.accounts.roles import invite
from api.app import create_app
from api.server import listen
from api.service import Service
from api.settings import Settings
from corpora.database import open_engine, unit_of_work, upgrade
from corpora.store import Records
from tests.accounts.conftest import Post, PostOffice
from tests.api.servers import free_port, wait_until
from tests.fakes import BucketEncoder, sample_profile

N_PROFILES = 6


@dataclass(frozen=True, slots=True)
class Live:
    """A running server, and the mail that it sends."""

    url: str
    service: Service
    post: Post

    def link_for(self, address: str) -> str:
        """The address of a link that was mailed."""
        wait_until(lambda: any(mail["To"] == address for mail in self.post.mails), 20)
        mail = next(mail for mail in reversed(self.post.mails) if mail["To"] == address)
        text: str = mail.get_content()
        return next(line for line in text.splitlines() if "/sign-in/" in line)

    def person(self, address: str, *grants: Grant, name: str = "") -> str:
        """An account with roles; returns its id."""
        with self.service.writing() as session:
            for grant in grants or (Grant(Role.ASKER),):
                person, _ = invite(session, address, name, "nl", grant, self.service.now(), COMMAND_LINE)
        return person.id


@contextmanager
def live(data: Path, *, mail: bool = True) -> Iterator[Live]:
    """Run it until the end of the block."""
    engine = open_engine(data / "kennismatch.sqlite")
    upgrade(engine)
    with unit_of_work(engine) as session:
        for number in range(N_PROFILES):
            Records(session).put_profile(sample_profile(number))
    engine.dispose()
    post = Post()
    controller = PostOffice(post, hostname="127.0.0.1", port=free_port())
    with patch("api.service.open_encoder", lambda name: BucketEncoder()), listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        settings = Settings(data=data, demonstration=False, port=port)
        if mail:
            settings = settings.model_copy(
                update={
                    "base_url": f"http://127.0.0.1:{port}",
                    "smtp_host": "127.0.0.1",
                    "smtp_port": controller.port,
                    "smtp_security": "none",
                    "mail_from": "desk@example.org",
                }
            )
        controller.start()
        app = create_app(settings)
        server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_until(lambda: app.state.service.ready, 60)
            yield Live(f"http://127.0.0.1:{port}", app.state.service, post)
        finally:
            server.should_exit = True
            thread.join()
            controller.stop()
