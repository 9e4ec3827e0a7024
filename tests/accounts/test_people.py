"""Administrators, roles, and the commands for who has access to the machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from api.accounts.model import Grant, Role
from api.accounts.roles import RoleError, grant_of
from api.accounts.store import People
from api.cli import app
from api.settings import Settings
from corpora.database import open_engine, reading, unit_of_work, upgrade
from corpora.store import Records
from tests.accounts.conftest import BUTTON, Post, Site, form_token, send
from tests.api.servers import wait_until
from tests.fakes import sample_profile


def grants_of(site: Site, address: str) -> set[Grant]:
    person = site.read(lambda session: People(session).by_address(address))
    return set(person.grants) if person is not None else set()


@pytest.fixture
def institutes(site: Site) -> None:
    """Three institutes in the records: institute-0, -1 and -2."""
    with site.service.writing() as session:
        for number in range(3):
            Records(session).put_profile(sample_profile(number))


class TestPages:
    def test_an_administrator_invites(self, site: Site, institutes: None) -> None:
        admin = site.administrator()
        n_mails = len(site.post.mails)
        answer = send(
            admin, "/people", address="Officer@Example.org", name="  Anna\n Bakker ", role="officer",
            organisation="institute 1", language="nl",
        )  # fmt: skip
        assert answer.headers["location"] == "/people?done=invited"
        wait_until(lambda: len(site.post.mails) > n_mails, 20)
        mail = site.post.mails[-1]
        assert mail["Subject"] == "U bent uitgenodigd voor Kennismatch"
        assert "Uw rol: Kennismakelaar" in mail.get_content()
        assert "http://testserver/sign-in\r\n" in mail.get_content()
        assert grants_of(site, "officer@example.org") == {Grant(Role.OFFICER, "institute-1")}
        page = admin.get("/people?done=invited").text
        assert "Anna Bakker" in page
        assert "Liaison officer, Institute 1" in page

    def test_sent_twice_it_is_one_invitation(self, site: Site) -> None:
        admin = site.administrator()
        n_mails = len(site.post.mails)
        for done in ("invited", "unchanged"):
            answer = send(admin, "/people", address="o@example.org", role="officer")
            assert answer.headers["location"] == f"/people?done={done}"
        wait_until(lambda: len(site.post.mails) > n_mails, 20)
        admin.get("/people")
        assert len(site.post.mails) == n_mails + 1

    def test_roles_are_given_and_taken(self, site: Site, institutes: None) -> None:
        admin, person = site.administrator(), site.person("a@example.org", Role.ASKER, "Bakkerij Jansen")
        path = f"/people/{person.id}"
        assert "Bakkerij Jansen" in admin.get(path).text
        assert (
            send(admin, f"{path}/grant", role="member", organisation="institute-2")
            .headers["location"]
            .endswith("?done=granted")
        )
        assert grants_of(site, "a@example.org") == {
            Grant(Role.ASKER, "Bakkerij Jansen"),
            Grant(Role.MEMBER, "institute-2"),
        }
        for done in ("revoked", "unchanged"):
            answer = send(admin, f"{path}/revoke", role="member", organisation="institute-2")
            assert answer.headers["location"] == f"{path}?done={done}"
        assert grants_of(site, "a@example.org") == {Grant(Role.ASKER, "Bakkerij Jansen")}

    def test_a_revoked_role_is_gone_at_the_next_click(self, site: Site) -> None:
        first, second = site.administrator(), site.administrator("b@example.org")
        other = site.read(lambda session: People(session).by_address("b@example.org"))
        assert second.get("/people").status_code == 200
        send(first, f"/people/{other.id}/revoke", role="administrator")
        assert second.get("/people").status_code == 403

    def test_the_last_administrator_stays(self, site: Site) -> None:
        admin = site.administrator()
        me = site.read(lambda session: People(session).by_address("admin@example.org"))
        answer = send(admin, f"/people/{me.id}/revoke", role="administrator")
        assert answer.status_code == 409
        assert "This is the last administrator" in answer.text
        assert grants_of(site, "admin@example.org") == {Grant(Role.ADMINISTRATOR)}

    @pytest.mark.parametrize(
        ("role", "organisation", "says"),
        [
            ("member", "", "A group member belongs to an organisation"),
            ("officer", "Nowhere", "We do not know this organisation"),
            ("emperor", "", "Choose one of the roles"),
        ],
    )
    def test_a_role_that_cannot_be(self, site: Site, role: str, organisation: str, says: str) -> None:
        admin = site.administrator()
        answer = send(admin, "/people", address="<b>@x", role=role, organisation=organisation)
        assert answer.status_code == 422
        answer = send(admin, "/people", address="n@example.org", role=role, organisation=organisation)
        assert answer.status_code == 422
        assert re.search(r'role="alert".*href="#organisation">' + says, answer.text, re.DOTALL)
        assert 'value="n@example.org"' in answer.text
        assert grants_of(site, "n@example.org") == set()

    def test_somebody_who_is_not_there(self, site: Site) -> None:
        admin = site.administrator()
        assert admin.get("/people/nobody").status_code == 404
        assert send(admin, "/people/nobody/grant", role="officer").status_code == 404
        assert send(admin, "/people/nobody/revoke", role="officer").status_code == 404


class TestFormsOfAnother:
    def test_a_form_of_an_earlier_session_changes_nothing(self, site: Site) -> None:
        client = site.signed_in()
        old = form_token(client)
        client.post(site.ask_for_link(site.visitor(), "b@example.org"), data={"form_token": old})
        answer = client.post("/account", data={"name": "X", "language": "nl", "form_token": old})
        assert answer.status_code == 403
        assert "This form is out of date" in answer.text
        person = site.read(lambda session: People(session).by_address("b@example.org"))
        assert person.name == ""

    @pytest.mark.parametrize("token", ["", "é", "0" * 64])
    def test_a_form_without_its_token(self, site: Site, token: str) -> None:
        assert site.signed_in().post("/account", data={"form_token": token}).status_code == 403

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
        ],
    )
    def test_another_site_changes_nothing(self, site: Site, headers: dict[str, str]) -> None:
        client = site.signed_in()
        link = site.ask_for_link(site.visitor(), "asker@example.org")
        fields = {"name": "X", "form_token": form_token(client)}
        for path in ("/account", "/sign-out", "/sign-in", link, "/account/sessions/end"):
            assert client.post(path, data=fields, headers=headers).status_code == 403
        assert client.get("/account").status_code == 200

    def test_another_type_of_body(self, site: Site) -> None:
        assert site.signed_in().post("/account", json={"name": "X"}).status_code == 415
        files = {"name": ("x", b"x")}
        assert site.signed_in().post("/account", files=files).status_code == 415

    def test_a_session_that_has_ended_leads_to_sign_in(self, site: Site) -> None:
        client = site.signed_in()
        token = form_token(client)
        site.clock.turn(days=31)
        answer = client.post("/account", data={"name": "X", "form_token": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


class TestAccount:
    def test_name_and_language(self, site: Site) -> None:
        client = site.signed_in()
        send(client, "/account", name=" Zoë  <b>Jansen</b> ", language="nl")
        page = client.get("/account?done=saved").text
        assert "Your details have been saved." in page
        assert page.count("Zoë &lt;b&gt;Jansen&lt;/b&gt;") >= 2  # in the field and in the header
        assert "<b>Jansen" not in page
        send(client, "/account", name="", language="xx")
        person = site.read(lambda session: People(session).by_address("asker@example.org"))
        assert (person.name, person.language) == ("", "nl")


class TestRules:
    def test_which_roles_can_be_had_where(self) -> None:
        known = {"tu": "Technische Universiteit"}
        assert grant_of("officer", "", known) == Grant(Role.OFFICER)
        assert grant_of("officer", " technische  UNIVERSITEIT ", known) == Grant(Role.OFFICER, "tu")
        assert grant_of("administrator", "tu", known) == Grant(Role.ADMINISTRATOR)
        assert grant_of("asker", "Bakkerij", known) == Grant(Role.ASKER, "Bakkerij")
        for role, place in (("member", ""), ("member", "x"), ("officer", "x"), ("", ""), ("ASKER", "")):
            with pytest.raises(RoleError):
                grant_of(role, place, known)


class TestCommands:
    @pytest.fixture
    def run(self, tmp_path: Path) -> Callable[..., str]:
        def run(*arguments: str, status: int = 0) -> str:
            result = CliRunner().invoke(app, ["--data", str(tmp_path / "data"), *arguments])
            structlog.reset_defaults()  # it points at streams of the runner, which are closed by now
            assert result.exit_code == status, result.output
            return result.output

        return run

    def test_from_nothing_to_an_administrator(self, run: Callable[..., str]) -> None:
        assert "Nobody has an account yet" in run("admin", "list")
        assert "a@example.org: administrator" in run("admin", "create", "a@example.org")
        assert "nothing had to be changed" in run("admin", "create", "A@example.org")
        run("admin", "grant", "a@example.org", "--role", "officer")
        assert run("admin", "list") == "a@example.org: administrator, officer\n"
        assert (
            run("admin", "revoke", "a@example.org", "--role", "officer") == "a@example.org: administrator\n"
        )
        assert "expected another administrator" in run(
            "admin", "revoke", "a@example.org", "--role", "administrator", status=1
        )
        assert "they have: a@example.org: administrator" in run(
            "admin", "revoke", "a@example.org", "--role", "asker", status=1
        )

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("create", "x"), "expected an e-mail address"),
            (
                ("create", "a@example.org", "--role", "king"),
                "expected one of asker, member, officer, administrator",
            ),
            (("create", "a@example.org", "--role", "member"), "expected the organisation of a group member"),
            (("create", "a@example.org", "--language", "fr"), "expected nl or en"),
            (("link", "a@example.org"), "make one with: kennismatch admin create a@example.org"),
        ],
    )
    def test_what_cannot_be_done_is_told(
        self, run: Callable[..., str], arguments: tuple[str, ...], says: str
    ) -> None:
        assert says in " ".join(run("admin", *arguments, status=1).split())

    def test_a_printed_link_signs_in(
        self, make_site: Callable[..., Site], run: Callable[..., str], tmp_path: Path
    ) -> None:
        run("admin", "create", "a@example.org")
        link = run("admin", "link", "a@example.org").strip()
        assert link.startswith("http://127.0.0.1:8000/sign-in/")
        site = make_site(Post(), Settings(data=tmp_path / "data", demonstration=False))
        from datetime import UTC, datetime

        site.clock.moment = datetime.now(UTC)
        client = site.visitor()
        answer = client.post(link.removeprefix("http://127.0.0.1:8000"), data=BUTTON)
        assert answer.status_code == 303
        assert client.get("/people").status_code == 200

    def test_the_key_is_made_once_and_for_its_owner_alone(
        self, run: Callable[..., str], tmp_path: Path
    ) -> None:
        run("admin", "create", "a@example.org")
        run("admin", "link", "a@example.org")
        key = tmp_path / "data" / "secret.key"
        first = key.read_text()
        assert key.stat().st_mode & 0o777 == 0o600
        key.chmod(0o644)
        run("admin", "link", "a@example.org")
        assert key.stat().st_mode & 0o777 == 0o600
        assert key.read_text() == first
        key.write_text("short")
        assert "expected a key of at least 32 characters" in run("admin", "link", "a@example.org", status=1)

    def test_mail_without_a_server(self, run: Callable[..., str]) -> None:
        assert "KENNISMATCH_SMTP_HOST" in run("mail", "send", status=1)
        assert "none set up" in run("mail", "status")
        assert "expected the id of a refused or unclear mail" in run("mail", "retry", "x", status=1)

    def test_mail_is_sent_and_told_of(
        self, run: Callable[..., str], post: tuple[Post, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from datetime import UTC, datetime

        from api.mail.message import Draft
        from api.mail.store import Outbox
        from api.secret import load_secret

        for name, value in {
            "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(post[1]), "SMTP_SECURITY": "none",
            "MAIL_FROM": "desk@example.org", "BASE_URL": "https://kennismatch.example.org",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"KENNISMATCH_{name}", value)
        engine = open_engine(tmp_path / "data" / "kennismatch.sqlite")
        upgrade(engine)
        secret = load_secret(Settings(data=tmp_path / "data"))
        with unit_of_work(engine) as session:
            draft = Draft("test", "a@example.org", "nl", "x", "y")
            Outbox(session).queue(draft, secret, datetime.now(UTC))
        post[0].mode = "drop"
        assert run("mail", "send") == "0 sent, 0 put off, 0 refused, 1 unclear.\n"
        told = run("mail", "status")
        assert "1 unclear" in told
        assert "example.org" not in told.replace("kennismatch.example.org", "")
        id_ = re.search(r"^([0-9a-f]{32})  test, unclear", told, re.MULTILINE)
        assert id_ is not None
        post[0].mode = "take"
        assert run("mail", "retry", id_.group(1)) == "Queued again.\n"
        assert run("mail", "send") == "1 sent, 0 put off, 0 refused, 0 unclear.\n"
        with reading(engine) as session:
            assert [mail.state.value for mail in Outbox(session).of_recipient("", "a@example.org")] == [
                "sent"
            ]
        engine.dispose()
