"""One's own data: all of it in the export, none of it left after the erasure, also where a backup comes back."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.accounts.audit import verify_all
from api.accounts.audit_store import AuditRows
from api.accounts.identity_store import Identities
from api.accounts.key_store import Keys
from api.accounts.keys import ApiKey, Scope, new_key, new_key_id
from api.accounts.model import Person, Role
from api.accounts.sessions import Lifetime, open_session
from api.accounts.sign_in import new_link
from api.accounts.sign_in_store import Links, Sessions
from api.accounts.store import People
from api.archive import back_up, restore
from api.cli import app
from api.mail.message import Draft, MailState
from api.mail.store import Outbox
from api.secret import load_secret
from api.settings import Settings
from corpora.database import open_engine, reading, unit_of_work, upgrade
from corpora.tables import metadata
from tests.accounts.conftest import START, Site, form_token, send
from tests.accounts.test_keys import bearer, key_on, make

WHO = "wilhelmina@firm.example"


def person_of(site: Site, address: str) -> Person:
    person = site.read(lambda session: People(session).by_address(address))
    assert isinstance(person, Person)
    return person


def traces(data: Path, *words: str) -> set[tuple[str, str]]:
    """In which files of the data folder a word stands."""
    files = [path for path in data.rglob("*") if path.is_file()]
    return {
        (path.name, word)
        for path in files
        for word in words
        if word.encode().lower() in path.read_bytes().lower()
    }


def erase(client: TestClient, **fields: str) -> tuple[int, str]:
    answer = client.post("/account/erase", data={"form_token": form_token(client), **fields})
    return answer.status_code, answer.headers.get("location", answer.text)


class TestExport:
    def test_all_that_is_kept_is_in_it(self, site: Site) -> None:
        client = site.signed_in(WHO, **{"User-Agent": "Firefox/1 Windows"})
        send(client, "/account", name="Mina", language="nl")
        key = key_on(make(client, name="laptop"))
        person = person_of(site, WHO)
        with site.service.writing() as session:
            Identities(session).add("https://idp.example", "sub-mina", person.id, START)
        answer = send(client, "/account/export")
        assert answer.headers["content-disposition"] == 'attachment; filename="kennismatch-account.json"'
        assert answer.headers["cache-control"] == "no-store"
        found = answer.json()
        assert found["person"] == {
            "id": person.id,
            "address": WHO,
            "name": "Mina",
            "language": "nl",
            "created_at": "2026-11-25T09:00:00+00:00",
        }
        assert found["roles"] == [{"role": "asker", "organisation": None}]
        assert [item["device"] for item in found["sessions"]] == ["Firefox, Windows"]
        assert [(item["name"], item["prefix"]) for item in found["keys"]] == [("laptop", key[:14])]
        assert found["identities"] == [{"issuer": "https://idp.example", "subject": "sub-mina"}]
        assert [item["used_at"] is not None for item in found["sign_in_links"]] == [True]
        assert [(item["kind"], item["state"], item["text"]) for item in found["mail"]] == [
            ("sign_in", "sent", None)
        ]
        assert [row["action"] for row in found["log"]][-2:] == ["key_made", "account_exported"]
        assert key not in answer.text
        assert client.cookies["session"] not in answer.text

    def test_every_table_with_a_person_in_it_is_in_the_export(self) -> None:
        """So that a new one is not forgotten: here, and in the erasure below."""
        assert {name for name, table in metadata.tables.items() if "person_id" in table.c} == {
            "role_grant", "open_session", "api_key", "identity", "mail_message", "audit_part", "person_tombstone",
        }  # fmt: skip

    def test_nothing_of_others_is_in_it(self, site: Site) -> None:
        admin = site.administrator("boss@firm.example")
        send(admin, "/people", address=WHO, role="officer")
        client = site.signed_in(WHO)
        text = send(client, "/account/export").text
        assert "role_granted" in text
        assert "boss@firm.example" not in text
        assert person_of(site, "boss@firm.example").id not in text

    def test_only_with_a_form_of_the_session(self, site: Site) -> None:
        client = site.signed_in(WHO)
        assert client.get("/account/export").status_code == 405
        assert client.post("/account/export", data={"form_token": "x"}).status_code == 403
        assert site.visitor().post("/account/export", data={"x": "y"}).headers["location"] == "/sign-in"


class TestErasure:
    def test_the_page_asks_first_and_the_box_must_be_ticked(self, site: Site) -> None:
        client = site.signed_in(WHO)
        page = client.get("/account/erase").text
        assert re.search(r'<input type="checkbox" id="sure"[^>]*required>', page)
        status, text = erase(client)
        assert status == 422
        assert re.search(r'role="alert".*<a [^>]*href="#sure">Tick the box', text, re.DOTALL)
        assert client.get("/account").status_code == 200

    def test_nothing_is_left_in_any_file(self, site: Site, tmp_path: Path) -> None:
        """Beside a server that goes on, in the database and in its log."""
        admin = site.administrator("boss@firm.example")
        send(admin, "/people", address=WHO, role="officer", name="Mina van Buren")
        client = site.signed_in(WHO, **{"User-Agent": "SamsungBrowser Android"})
        key = key_on(make(client, name="breinaald"))
        words = (WHO, "van Buren", "Samsung Internet", "breinaald")
        assert {word for _, word in traces(tmp_path / "data", *words)} == set(words)
        person_id = person_of(site, WHO).id
        other = site.signed_in(WHO)
        assert erase(client, sure="yes") == (303, "/account/erased")
        assert traces(tmp_path / "data", *words) == set()
        assert "Your account has been erased" in client.get("/account/erased").text
        for browser in (client, other):
            assert browser.get("/account").status_code == 303
        assert site.visitor().get("/api/v1/me", headers=bearer(key)).status_code == 401
        verdict = site.read(verify_all)
        assert verdict.bad is None
        assert verdict.n_erased == 5  # made, given a role, signed in twice, a key
        assert site.read(lambda session: AuditRows(session).of_person(person_id)) == []
        assert "(erased)" in admin.get("/audit").text

    def test_sent_twice_it_is_done_once(self, site: Site) -> None:
        client = site.signed_in(WHO)
        token = form_token(client)
        form = {"form_token": token, "sure": "yes"}
        cookie = client.cookies["session"]
        assert client.post("/account/erase", data=form).status_code == 303
        client.cookies.set("session", cookie)
        again = client.post("/account/erase", data=form)
        assert (again.status_code, again.headers["location"]) == (303, "/sign-in")
        actions = site.read(lambda session: [row.action for row in AuditRows(session).all()])
        assert actions.count("account_erased") == 1

    def test_a_new_account_at_the_address_knows_nothing_of_the_old(self, site: Site) -> None:
        client = site.signed_in(WHO)
        send(client, "/account", name="Mina", language="nl")
        erase(client, sure="yes")
        again = site.signed_in(WHO)
        assert "Mina" not in again.get("/account").text
        assert len(send(again, "/account/export").json()["sessions"]) == 1

    def test_the_last_administrator_stays(self, site: Site) -> None:
        admin = site.administrator()
        assert "This is the last administrator." in admin.get("/account/erase").text
        assert erase(admin, sure="yes")[0] == 409
        assert admin.get("/people").status_code == 200

    def test_on_the_command_line(self, site: Site, tmp_path: Path) -> None:
        site.signed_in(WHO)
        arguments = ["--data", str(tmp_path / "data"), "admin", "erase", WHO]
        refused = CliRunner().invoke(app, arguments, input="n\n")
        assert refused.exit_code == 1
        assert site.read(lambda session: People(session).count()) == 1
        done = CliRunner().invoke(app, [*arguments, "--yes"])
        structlog.reset_defaults()
        assert done.output == "Erased.\n"
        assert site.read(lambda session: People(session).count()) == 0
        assert traces(tmp_path / "data", WHO) == set()


class TestARestoredBackup:
    def test_it_brings_nothing_back_that_has_ended_since(self, tmp_path: Path) -> None:
        data, file = tmp_path / "data", tmp_path / "backup.tar.gz"
        runner = CliRunner()
        for address in ("stays@firm.example", WHO):
            runner.invoke(app, ["--data", str(data), "admin", "create", address, "--role", "officer"])
        structlog.reset_defaults()
        secret = load_secret(Settings(data=data))
        engine = open_engine(data / "kennismatch.sqlite")
        upgrade(engine)
        now = datetime.now(UTC)
        life = Lifetime(timedelta(days=1), timedelta(days=2))
        kept, revoked = new_key_id(), new_key_id()
        with unit_of_work(engine) as session:
            person = People(session).by_address("stays@firm.example")
            assert person is not None
            open_session(session, secret, person.id, "", life, now)
            new_link(session, secret, person.address, "nl", "/", now)
            for id_ in (kept, revoked):
                key = ApiKey(id_, person.id, "k", frozenset({Scope.READ}), now, now + timedelta(days=9))
                Keys(session).add(key, new_key(id_)[1])
            Outbox(session).queue(Draft("weekly", person.address, "nl", "Subject", "Text"), secret, now)
        back_up(data, file)
        with unit_of_work(engine) as session:
            Keys(session).revoke(person.id, revoked)
        engine.dispose()
        runner.invoke(app, ["--data", str(data), "admin", "erase", WHO, "--yes"])
        structlog.reset_defaults()
        restore(file, data, force=True)
        assert {name for name, _ in traces(data, WHO)} == set()
        engine = open_engine(data / "kennismatch.sqlite")
        with reading(engine) as session:
            assert [item.address for item in People(session).page(0, 9)] == ["stays@firm.example"]
            assert Sessions(session).of_person(person.id) == []
            assert Links(session).of_address(person.address) == []
            assert Keys(session).ids() == {kept}
            assert Outbox(session).counts() == {MailState.UNCLEAR: 1}
            assert len(People(session).tombstones()) == 1
            assert verify_all(session).bad is None
            log = [json.loads(part.content) for row in AuditRows(session).all() for part in row.parts]
        engine.dispose()
        assert {"via": "restore"} in log

    def test_on_a_new_machine_all_have_to_sign_in_again(self, tmp_path: Path) -> None:
        data, file, other = tmp_path / "data", tmp_path / "backup.tar.gz", tmp_path / "other"
        CliRunner().invoke(app, ["--data", str(data), "admin", "create", WHO])
        structlog.reset_defaults()
        back_up(data, file)
        restore(file, other)
        assert not (other / "secret.key").exists()
        engine = open_engine(other / "kennismatch.sqlite")
        with reading(engine) as session:
            person = People(session).by_address(WHO)
        engine.dispose()
        assert person is not None
        assert person.holds(Role.ADMINISTRATOR)
