"""The outbox, against a real mail server that takes, puts off, refuses, and drops the line."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from sqlalchemy import Engine, select

from api.mail.message import Draft, MailState, QueuedMail
from api.mail.sender import BACK_OFF_S, Outgoing
from api.mail.smtp import LineError
from api.mail.store import CLAIM_LIFE, Outbox
from api.mail.tables import message
from api.secret import Secret
from api.settings import Settings, SettingsError, load_settings
from corpora.database import open_engine, reading, unit_of_work, upgrade
from tests.accounts.conftest import Clock, Post, mail_settings
from tests.api.servers import free_port

SECRET = Secret(b"k" * 32)


class Office:
    """An outbox on a database of its own, and the mail server."""

    def __init__(self, engine: Engine, post: Post, settings: Settings) -> None:
        self.engine, self.post, self.clock = engine, post, Clock()
        self.outgoing = Outgoing(settings, SECRET, lambda: unit_of_work(engine), self.clock)

    def queue(self, recipient: str = "a@example.org", text: str = "Hallo", **others: object) -> str | None:
        draft = Draft("test", recipient, "nl", "Onderwerp", text, **others)  # type: ignore[arg-type]
        with unit_of_work(self.engine) as session:
            return Outbox(session).queue(draft, SECRET, self.clock())

    def mails(self) -> list[QueuedMail]:
        with reading(self.engine) as session:
            return Outbox(session).of_recipient("nobody", "a@example.org")

    def states(self) -> list[MailState]:
        return [mail.state for mail in self.mails()]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(tmp_path / "k.sqlite")
    upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def office(engine: Engine, post: tuple[Post, int], tmp_path: Path) -> Office:
    return Office(engine, post[0], mail_settings(tmp_path, post[1]))


class TestTaken:
    def test_what_arrives_is_what_was_queued(self, office: Office) -> None:
        text = (
            "Beste Zoë,\n.\n..twee punten\nEen regel van meer dan 76 tekens: "
            + "lang " * 40
            + "\n\nTot ziens ✓"
        )
        id_ = office.queue(text=text)
        assert office.outgoing.send_due() == {"sent": 1}
        mail = office.post.mails[0]
        assert mail.get_content().replace("\r\n", "\n") == text + "\n"
        assert (mail["From"], mail["To"], mail["Subject"]) == (
            "desk@example.org",
            "a@example.org",
            "Onderwerp",
        )
        assert mail["Message-ID"] == f"<{id_}@example.org>"
        assert office.states() == [MailState.SENT]
        assert office.mails()[0].content == ""

    def test_many_go_over_one_line_in_order(self, office: Office) -> None:
        for n in range(5):
            office.queue(text=f"nummer {n}")
            office.clock.turn(seconds=1)
        assert office.outgoing.send_due() == {"sent": 5}
        assert [mail.get_content().strip() for mail in office.post.mails] == [f"nummer {n}" for n in range(5)]
        assert office.outgoing.send_due() == {}

    def test_two_senders_at_once_send_nothing_twice(self, office: Office) -> None:
        for n in range(12):
            office.queue(text=f"nummer {n}")
        threads = [threading.Thread(target=office.outgoing.send_due) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(mail.get_content().strip() for mail in office.post.mails) == sorted(
            f"nummer {n}" for n in range(12)
        )

    def test_a_mail_is_queued_with_the_decision_or_not_at_all(self, office: Office) -> None:
        with pytest.raises(RuntimeError), unit_of_work(office.engine) as session:
            Outbox(session).queue(Draft("test", "a@example.org", "nl", "x", "y"), SECRET, office.clock())
            raise RuntimeError
        assert office.mails() == []

    def test_a_job_that_runs_again_queues_nothing_twice(self, office: Office) -> None:
        assert office.queue(unique_key="week 48") is not None
        assert office.queue(unique_key="week 48") is None
        assert len(office.mails()) == 1


class TestPutOff:
    @pytest.mark.parametrize("at", ["RCPT", "DATA"])
    def test_it_is_tried_again_at_growing_intervals(self, office: Office, at: str) -> None:
        office.post.mode, office.post.at = "451 try later, a@example.org", at
        office.queue()
        for wait_s in BACK_OFF_S:
            assert office.outgoing.send_due() == {"put_off": 1}
            office.clock.turn(seconds=wait_s - 1)
            assert office.outgoing.send_due() == {}
            office.clock.turn(seconds=1)
        assert office.outgoing.send_due() == {"put_off": 1}
        assert office.states() == [MailState.REFUSED]
        assert office.mails()[0].problem.startswith("given up after answer 451 to ")
        assert "example" not in office.mails()[0].problem

    def test_it_is_sent_once_the_server_takes_it(self, office: Office) -> None:
        office.post.mode = "451 later"
        office.queue()
        office.outgoing.send_due()
        office.post.mode = "take"
        office.clock.turn(seconds=BACK_OFF_S[0])
        assert office.outgoing.send_due() == {"sent": 1}

    def test_what_is_of_no_use_any_more_is_not_sent(self, office: Office) -> None:
        office.queue(expires_at=office.clock() + timedelta(minutes=10))
        office.clock.turn(minutes=10)
        assert office.outgoing.send_due() == {}
        assert office.states() == [MailState.EXPIRED]
        assert office.mails()[0].content == ""

    def test_no_server_at_all(self, engine: Engine, tmp_path: Path) -> None:
        port = free_port()
        office = Office(engine, Post(), mail_settings(tmp_path, port))
        office.queue()
        with pytest.raises(LineError, match=f"cannot reach the mail server 127.0.0.1:{port} "):
            office.outgoing.send_due()
        assert [(mail.state, mail.attempts) for mail in office.mails()] == [(MailState.QUEUED, 0)]


class TestRefused:
    @pytest.mark.parametrize("at", ["RCPT", "DATA"])
    def test_it_is_not_tried_again(self, office: Office, at: str) -> None:
        office.post.mode, office.post.at = "550 no such user a@example.org", at
        office.queue()
        assert office.outgoing.send_due() == {"refused": 1}
        office.clock.turn(days=2)
        assert office.outgoing.send_due() == {}
        assert office.mails()[0].problem == f"answer 550 to {'RCPT' if at == 'RCPT' else 'the text'}"

    def test_the_next_mail_goes_on(self, office: Office) -> None:
        office.post.mode, office.post.at = "550 no", "RCPT"
        office.queue()
        office.queue()
        assert office.outgoing.send_due() == {"refused": 2}

    def test_a_header_with_a_line_end_is_never_sent(self, office: Office) -> None:
        with unit_of_work(office.engine) as session:
            draft = Draft("test", "a@example.org", "nl", "x\r\nBcc: b@example.org", "y")
            Outbox(session).queue(draft, SECRET, office.clock())
        assert office.outgoing.send_due() == {"refused": 1}
        assert office.post.n_texts == 0

    def test_the_operator_can_have_it_tried_once_more(self, office: Office) -> None:
        office.post.mode = "550 no"
        id_ = office.queue()
        office.outgoing.send_due()
        office.post.mode = "take"
        with unit_of_work(office.engine) as session:
            assert Outbox(session).retry(id_ or "", office.clock())
        assert office.outgoing.send_due() == {"sent": 1}
        with unit_of_work(office.engine) as session:
            assert not Outbox(session).retry(id_ or "", office.clock())


class TestUnclear:
    def test_a_line_lost_after_the_text_is_never_sent_again_by_itself(self, office: Office) -> None:
        office.post.mode = "drop"
        office.queue()
        assert office.outgoing.send_due() == {"unclear": 1}
        office.post.mode = "take"
        for _ in range(3):
            office.clock.turn(days=1)
            assert office.outgoing.send_due() == {}
        assert office.post.n_texts == 1
        assert office.states() == [MailState.UNCLEAR]
        assert "the line was lost after the text" in office.mails()[0].problem

    def test_the_mails_behind_it_go_over_a_new_line(self, office: Office) -> None:
        office.post.mode = "drop"
        office.queue()
        first = office.outgoing.send_due()
        office.post.mode = "take"
        office.queue()
        assert (first, office.outgoing.send_due()) == ({"unclear": 1}, {"sent": 1})

    @pytest.mark.parametrize(
        ("left_at", "then", "n_sent"),
        [(MailState.CONNECTING, MailState.SENT, 1), (MailState.HANDING_OVER, MailState.UNCLEAR, 0)],
    )
    @pytest.mark.parametrize("turned", [CLAIM_LIFE, -CLAIM_LIFE], ids=["later", "clock set back"])
    def test_a_sender_that_was_killed(
        self, office: Office, left_at: MailState, then: MailState, n_sent: int, turned: timedelta
    ) -> None:
        office.queue()
        office.clock.turn(days=1)
        with unit_of_work(office.engine) as session:
            mail = Outbox(session).claim(office.clock())
            assert mail is not None
            if left_at is MailState.HANDING_OVER:
                Outbox(session).hand_over(mail.id, office.clock())
        assert office.outgoing.send_due() == {}  # it may be at work still
        office.clock.turn(seconds=turned.total_seconds())
        office.outgoing.send_due()
        assert office.states() == [then]
        assert len(office.post.mails) == n_sent

    def test_the_state_is_written_before_the_text_goes(self, office: Office) -> None:
        seen: list[str] = []

        class Watching(Post):
            async def handle_DATA(self, *given: object) -> str:  # type: ignore[override]
                with reading(office.engine) as session:
                    seen.extend(session.scalars(select(message.c.state)))
                return "250 OK"

        office.post.__class__ = Watching
        office.queue()
        office.outgoing.send_due()
        assert seen == ["handing_over"]


class TestSealed:
    def test_it_is_unreadable_in_the_records_and_readable_in_the_mail(self, office: Office) -> None:
        office.queue(text="geheim", sealed=True)
        assert "geheim" not in office.mails()[0].content
        office.outgoing.send_due()
        assert office.post.mails[0].get_content().strip() == "geheim"

    def test_with_another_key_it_is_refused_and_the_others_go(self, office: Office, tmp_path: Path) -> None:
        office.queue(text="geheim", sealed=True)
        office.queue(text="open")
        office.outgoing._secret = Secret(b"o" * 32)
        assert office.outgoing.send_due() == {"refused": 1, "sent": 1}
        assert {mail.problem for mail in office.mails()} == {"it was sealed with a key that is gone", ""}


class TestTheLine:
    @pytest.fixture
    def certificate(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
        """A certificate for "localhost" that this process trusts."""
        from datetime import UTC, datetime

        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = tmp_path / "certificate.pem"
        private = tmp_path / "private.pem"
        pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem, private)
        return context

    def test_starttls_and_a_password(
        self, engine: Engine, certificate: ssl.SSLContext, tmp_path: Path
    ) -> None:
        def check(
            server: object, session: object, envelope: object, mechanism: str, login: object
        ) -> AuthResult:
            good = login == LoginPassword(b"desk", b"wachtwoord")
            return AuthResult(success=good)

        handler = Post()
        controller = Controller(
            handler, hostname="localhost", port=free_port(), tls_context=certificate,
            require_starttls=True, authenticator=check, auth_required=True,
        )  # fmt: skip
        controller.start()
        try:
            (tmp_path / "password").write_text("wachtwoord\n")
            secured = {"smtp_host": "localhost", "smtp_security": "starttls", "smtp_user": "desk"}
            right = mail_settings(tmp_path, controller.port).model_copy(
                update={**secured, "smtp_password_file": tmp_path / "password"}
            )
            office = Office(engine, handler, right)
            office.queue()
            assert office.outgoing.send_due() == {"sent": 1}
            (tmp_path / "password").write_text("fout")
            office.queue()
            with pytest.raises(LineError, match="does not let us in"):
                office.outgoing.send_due()
            assert sorted(office.states()) == [MailState.QUEUED, MailState.SENT]
        finally:
            controller.stop()

    def test_a_certificate_of_another_name_is_not_taken(
        self, engine: Engine, certificate: ssl.SSLContext, tmp_path: Path
    ) -> None:
        handler = Post()
        controller = Controller(handler, hostname="127.0.0.1", port=free_port(), tls_context=certificate)
        controller.start()
        try:
            settings = mail_settings(tmp_path, controller.port).model_copy(
                update={"smtp_security": "starttls"}
            )
            office = Office(engine, handler, settings)
            office.queue()
            with pytest.raises(LineError, match="does not let us in"):
                office.outgoing.send_due()
        finally:
            controller.stop()
        assert not handler.mails

    def test_a_server_without_starttls_gets_no_mail(
        self, engine: Engine, post: tuple[Post, int], tmp_path: Path
    ) -> None:
        settings = mail_settings(tmp_path, post[1]).model_copy(update={"smtp_security": "starttls"})
        office = Office(engine, post[0], settings)
        office.queue()
        with pytest.raises(LineError, match="does not offer what the settings ask for"):
            office.outgoing.send_due()
        assert post[0].n_texts == 0

    def test_a_line_lost_before_the_text_puts_it_off(self, engine: Engine, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def hang_up_at_the_recipient() -> None:
                connection, _ = listener.accept()
                with connection, connection.makefile("rwb", buffering=0) as line:
                    line.write(b"220 here\r\n")
                    for reply in (b"250 hello\r\n", b"250 sender\r\n"):
                        line.readline()
                        line.write(reply)
                    line.readline()

            thread = threading.Thread(target=hang_up_at_the_recipient)
            thread.start()
            office = Office(engine, Post(), mail_settings(tmp_path, listener.getsockname()[1]))
            office.queue()
            assert office.outgoing.send_due() == {"put_off": 1}
            thread.join()
        assert office.states() == [MailState.QUEUED]


class TestSettings:
    def test_mail_without_a_sender_or_an_address_of_ours_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KENNISMATCH_SMTP_HOST", "mail.example.org")
        with pytest.raises(SettingsError, match="KENNISMATCH_MAIL_FROM and KENNISMATCH_BASE_URL"):
            load_settings({})

    @pytest.mark.parametrize("url", ["example.org", "ftp://example.org", "https://", "https://a.org/path", "https://u@a.org", "https://a.org?x=1", "http://["])  # fmt: skip
    def test_an_address_that_links_cannot_start_with(self, url: str) -> None:
        with pytest.raises(SettingsError, match="an address such as https://"):
            load_settings({"base_url": url})

    def test_a_secret_is_not_repeated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KENNISMATCH_SECRET_KEY", "tekort")
        with pytest.raises(SettingsError) as caught:
            load_settings({})
        assert "tekort" not in str(caught.value)
        assert "KENNISMATCH_SECRET_KEY" in str(caught.value)


def test_the_times_of_the_outbox_are_those_of_the_clock(office: Office) -> None:
    """A sender on a clock that was set back sends later, not never."""
    office.clock.turn(hours=1)
    office.queue()
    office.clock.turn(hours=-1)
    assert office.outgoing.send_due() == {}
    office.clock.turn(hours=1)
    assert office.outgoing.send_due() == {"sent": 1}
