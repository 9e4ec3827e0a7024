"""Keys of the JSON API: made once, shown once, and good for what their scopes name and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.testclient import TestClient

from api.accounts.audit_store import AuditRows
from api.accounts.key_store import Keys
from api.accounts.keys import MAX_KEYS, ApiKey, Scope, hash_of, new_key, new_key_id, read_key
from api.accounts.model import Role
from api.accounts.store import People
from api.app import create_app
from api.settings import Settings
from tests.accounts.conftest import Site, form_token, send

NEED = {"text": "Wie kan ons helpen om dunwandig aluminium te lassen?"}


def make(client: TestClient, *, key_id: str | None = None, **fields: Any) -> Any:
    """Send the form for a new key."""
    page = client.get("/account/keys").text
    found = re.search(r'name="key_id" value="([a-z0-9]{10})"', page)
    assert found is not None, page
    data = {"name": "laptop", "scopes": ["read"], "days": "30", "key_id": key_id or found.group(1), **fields}
    return client.post("/account/keys", data={**data, "form_token": form_token(client)})


def key_on(answer: Any) -> str:
    """The key that a page shows."""
    assert answer.status_code == 200, answer.text
    keys = set(re.findall(r"km_[a-z0-9]{10}_[A-Za-z0-9_-]{43}", answer.text))
    assert len(keys) == 1
    return str(keys.pop())


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


class TestMaking:
    def test_it_is_shown_once_and_kept_as_a_hash(self, site: Site) -> None:
        client = site.signed_in()
        answer = make(client, name="<b>laptop</b>", days="90", scopes=["read", "match"])
        key = key_on(answer)
        assert answer.headers["cache-control"] == "no-store"
        assert "<b>laptop" not in answer.text
        page = client.get("/account/keys").text
        assert key[:14] in page
        assert key not in page
        with site.service.reading() as session:
            rows = session.execute(text("SELECT * FROM api_key")).all()
        assert len(rows) == 1
        assert key[14:] not in repr(rows)
        assert hash_of(key) in repr(rows)

    def test_a_form_that_is_sent_twice_makes_one_key(self, site: Site) -> None:
        client = site.signed_in()
        id_ = new_key_id()
        key = key_on(make(client, key_id=id_))
        again = make(client, key_id=id_)
        assert (again.status_code, again.headers["location"]) == (303, "/account/keys?done=made_before")
        assert "had been made already and is not shown again" in client.get(again.headers["location"]).text
        assert site.visitor().get("/api/v1/me", headers=bearer(key)).status_code == 200

    def test_an_id_of_somebody_else_changes_nothing_of_theirs(self, site: Site) -> None:
        theirs = key_on(make(site.signed_in("one@example.org"), name="theirs"))
        other = site.signed_in("two@example.org")
        assert make(other, key_id=read_key(theirs), name="taken over").status_code == 303
        me = site.visitor().get("/api/v1/me", headers=bearer(theirs)).json()
        assert (me["address"], me["key"]["name"]) == ("one@example.org", "theirs")
        assert "taken over" not in other.get("/account/keys").text

    @pytest.mark.parametrize(
        ("fields", "error", "place"),
        [
            ({"name": "  "}, "Give the key a name.", "#name"),
            ({"scopes": []}, "Choose at least one thing", "#scope-read"),
            ({"scopes": ["all"]}, "Choose at least one thing", "#scope-read"),
            ({"days": "99999"}, "Choose how long", "#days"),
            ({"days": "x"}, "Choose how long", "#days"),
        ],
    )
    def test_what_is_wrong_is_said_at_the_field(
        self, site: Site, fields: dict[str, Any], error: str, place: str
    ) -> None:
        client = site.signed_in()
        answer = make(client, **fields)
        assert answer.status_code == 422
        assert re.search(rf'role="alert".*<a [^>]*href="{place}">{error}', answer.text, re.DOTALL)
        assert "km_" not in client.get("/account/keys").text

    def test_no_more_than_so_many(self, site: Site) -> None:
        client = site.signed_in()
        now = site.clock()
        with site.service.writing() as session:
            person = People(session).by_address("asker@example.org")
            assert person is not None
            for _ in range(MAX_KEYS):
                id_ = new_key_id()
                life = timedelta(days=1)
                Keys(session).add(
                    ApiKey(id_, person.id, "k", frozenset({Scope.READ}), now, now + life), new_key(id_)[1]
                )
        answer = make(client)
        assert answer.status_code == 422
        assert "You have 20 keys, which is the most." in answer.text


class TestUsing:
    def test_it_says_whose_it_is(self, site: Site) -> None:
        client = site.signed_in("officer@example.org")
        site.person("officer@example.org", Role.OFFICER)
        key = key_on(make(client, name="report"))
        answer = site.visitor().get("/api/v1/me", headers=bearer(key))
        assert answer.status_code == 200
        me = answer.json()
        assert me["address"] == "officer@example.org"
        assert {"role": "officer", "organisation": ""} in me["roles"]
        assert me["key"]["scopes"] == ["read"]
        assert key.startswith(me["key"]["prefix"])

    @pytest.mark.parametrize(
        "header",
        [
            "", "Bearer", "Bearer ", "Bearer km_", "Basic a2V5Og==", "Bearer km_aaaaaaaaaa_" + "A" * 43, "Bearer é",
            "km_aaaaaaaaaa_" + "A" * 43, "Bearer " + "A" * 5000,
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/profiles", "/api/v1/matches"])
    def test_a_key_that_is_none_is_refused_also_where_none_is_needed(
        self, site: Site, header: str, path: str
    ) -> None:
        visitor = site.visitor()
        headers = [(b"Authorization", header.encode())]
        method = "POST" if path.endswith("matches") else "GET"
        answer = visitor.request(method, path, headers=headers, json=NEED if method == "POST" else None)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="Kennismatch"'
        assert answer.json()["code"] == "key_needed"
        assert answer.headers["content-type"] == "application/problem+json"

    def test_without_a_header_it_goes_as_before(self, site: Site) -> None:
        visitor = site.visitor()
        assert visitor.get("/api/v1/profiles").status_code == 200
        assert (
            visitor.post("/api/v1/matches", json=NEED).json()["code"] == "not_ready"
        )  # let in, no encoder here
        assert visitor.get("/api/v1/me").status_code == 401

    def test_the_scope_must_be_there(self, site: Site) -> None:
        client = site.signed_in()
        key = key_on(make(client, scopes=["read"]))
        visitor = site.visitor()
        assert visitor.get("/api/v1/profiles", headers=bearer(key)).status_code == 200
        answer = visitor.post("/api/v1/matches", json=NEED, headers=bearer(key))
        assert answer.status_code == 403
        assert answer.json()["detail"].startswith("expected a key with the scope match, found one with read")
        assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="match"'
        other = key_on(make(client, scopes=["match"]))
        assert visitor.get("/api/v1/me", headers=bearer(other)).status_code == 403
        assert visitor.post("/api/v1/matches", json=NEED, headers=bearer(other)).json()["code"] == "not_ready"

    def test_a_key_opens_no_page(self, site: Site) -> None:
        """Or it could make itself another with more scopes."""
        key = key_on(make(site.signed_in()))
        visitor = site.visitor(**bearer(key))
        for path in ("/account", "/account/keys"):
            answer = visitor.get(path)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
        made = visitor.post("/account/keys", data={"name": "x", "scopes": "match", "days": "30"})
        assert (made.status_code, made.headers["location"]) == (303, "/sign-in")

    def test_a_session_is_no_key(self, site: Site) -> None:
        assert site.signed_in().get("/api/v1/me").status_code == 401

    def test_revoked_it_opens_nothing(self, site: Site) -> None:
        client = site.signed_in()
        key = key_on(make(client))
        id_ = read_key(key)
        somebody_else = site.signed_in("other@example.org")
        send(somebody_else, f"/account/keys/{id_}/revoke")
        assert site.visitor().get("/api/v1/me", headers=bearer(key)).status_code == 200
        for _ in range(2):
            assert (
                send(client, f"/account/keys/{id_}/revoke").headers["location"]
                == "/account/keys?done=revoked"
            )
        assert site.visitor().get("/api/v1/me", headers=bearer(key)).status_code == 401

    def test_its_time_runs_out_and_a_clock_set_back_does_not_help(self, site: Site) -> None:
        client = site.signed_in()
        key = key_on(make(client, days="30"))
        visitor = site.visitor()
        site.clock.turn(days=29, hours=23)
        assert visitor.get("/api/v1/me", headers=bearer(key)).status_code == 200
        site.clock.turn(hours=1)
        assert visitor.get("/api/v1/me", headers=bearer(key)).status_code == 401
        site.clock.turn(days=-31)
        assert visitor.get("/api/v1/me", headers=bearer(key)).status_code == 401

    def test_the_last_use_is_shown(self, site: Site) -> None:
        client = site.signed_in()
        key = key_on(make(client))
        assert "never used" in client.get("/account/keys").text
        site.visitor().get("/api/v1/me", headers=bearer(key))
        assert "last used 25\u00a0November 2026, 09:00" in client.get("/account/keys").text
        site.clock.turn(minutes=6)
        site.visitor().get("/api/v1/me", headers=bearer(key))
        assert "last used 25\u00a0November 2026, 09:06" in client.get("/account/keys").text

    def test_it_goes_with_the_account(self, site: Site) -> None:
        client = site.signed_in()
        key = key_on(make(client))
        with site.service.writing() as session:
            person = People(session).by_address("asker@example.org")
            assert person is not None
            People(session).delete(person.id, site.clock())
        assert site.visitor().get("/api/v1/me", headers=bearer(key)).status_code == 401

    def test_the_audit_log_tells_of_it(self, site: Site) -> None:
        client = site.signed_in()
        key = key_on(make(client, scopes=["match", "read"]))
        for _ in range(2):
            send(client, f"/account/keys/{read_key(key)}/revoke")
        rows = site.read(lambda session: list(AuditRows(session).all()))[-2:]
        assert [row.action for row in rows] == ["key_made", "key_revoked"]
        assert f'"prefix":"{key[:14]}","scopes":"match read"' in rows[0].parts[0].content
        assert key[14:] not in repr(rows)

    def test_it_is_in_no_log(self, site: Site, capfd: pytest.CaptureFixture[str]) -> None:
        key = key_on(make(site.signed_in()))
        site.visitor().get("/api/v1/me", headers=bearer(key))
        site.visitor().post("/api/v1/matches", json=NEED, headers=bearer(key))
        written = "".join(capfd.readouterr())
        assert "route=/api/v1/me" in written.replace('"route": "', "route=")
        assert key[14:] not in written


def test_every_route_of_the_api_names_the_scope_that_a_key_needs(tmp_path: Any) -> None:
    """So that a new one cannot be left open to every key."""
    app = create_app(Settings(data=tmp_path))
    routes = [route for route in iter_route_contexts(app.routes) if str(route.path).startswith("/api/v1/")]
    assert len(routes) >= 4
    for route in routes:
        scopes = [getattr(item.call, "scope", None) for item in route.dependant.dependencies]
        assert len([scope for scope in scopes if isinstance(scope, Scope)]) == 1, route.path


@given(st.text() | st.from_regex(r"km_[a-z0-9]{9,11}_[\w-]{42,44}"))
def test_what_reads_as_a_key_begins_with_its_id(written: str) -> None:
    id_ = read_key(written)
    if id_ is not None:
        assert re.fullmatch(f"km_{id_}_[A-Za-z0-9_-]{{43}}", written)
        assert len(written) == 57


def test_a_new_key_reads_as_one() -> None:
    id_ = new_key_id()
    key, key_hash = new_key(id_)
    assert (read_key(key), hash_of(key)) == (id_, key_hash)
    assert new_key(id_)[0] != key
