"""Who may go where: every route that the application has, as everybody whom it knows.

The rows come from the router: a route that is not in the table fails, and so does a row without a route.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from api.accounts.access import PLAIN_COOKIE
from api.accounts.audit import COMMAND_LINE
from api.accounts.key_store import Keys
from api.accounts.model import Grant, Role
from api.accounts.roles import invite
from api.accounts.sessions import open_session
from api.accounts.sign_in import new_link
from api.accounts.sign_in_store import Sessions
from api.accounts.store import People
from api.app import create_app
from api.needs import new_need
from api.service import Service
from api.settings import Settings
from corpora.database import open_engine, unit_of_work, upgrade
from corpora.need_store import Needs
from corpora.store import Records
from matcher.model import Filters
from tests.accounts.conftest import ENGLISH, form_token
from tests.accounts.test_keys import key_on, make
from tests.api.servers import wait_until
from tests.fakes import BucketEncoder, sample_profile

WHO = ("anonymous", "asker", "member", "officer", "administrator", "key")
"""`key`: a program with an administrator's key that has every scope, and no session."""

# What a request gives, for each of WHO in order. A sign-in page is 303 with ?next or without; "in" is 303 elsewhere.
OPEN = (200, 200, 200, 200, 200, 200)
GONE = (404, 404, 404, 404, 404, 404)
MOVED = ("in",) * 6
OWN = ("sign-in", 200, 200, 200, 200, "sign-in")
OWN_FORM = ("sign-in", "in", "in", "in", "in", "sign-in")
ADMIN = ("sign-in", 403, 403, 403, 200, "sign-in")
ADMIN_FORM = ("sign-in", 403, 403, 403, "in", "sign-in")

TABLE: dict[tuple[str, str], tuple[Any, ...]] = {
    ("GET", "/"): OPEN,
    ("POST", "/needs"): MOVED,
    ("GET", "/needs/{need_id}"): OPEN,
    ("POST", "/needs/{need_id}/delete"): MOVED,
    ("GET", "/profiles"): OPEN,
    ("GET", "/profiles/{profile_id:path}"): OPEN,
    ("GET", "/about"): OPEN,
    ("GET", "/api/docs"): OPEN,
    ("GET", "/api/openapi.json"): OPEN,
    ("GET", "/starting"): (204,) * 6,
    ("GET", "/healthz"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("GET", "/api/v1/profiles"): OPEN,
    ("GET", "/api/v1/profiles/{profile_id:path}"): OPEN,
    ("POST", "/api/v1/matches"): OPEN,
    ("GET", "/api/v1/me"): (401, 401, 401, 401, 401, 200),
    ("GET", "/sign-in"): (200, "in", "in", "in", "in", 200),
    ("POST", "/sign-in"): (503,) * 6,  # no mail server here
    ("GET", "/sign-in/sent"): OPEN,
    ("GET", "/sign-in/{token}"): OPEN,
    ("POST", "/sign-in/{token}"): MOVED,
    ("POST", "/sign-out"): MOVED,
    ("GET", "/openid"): (404, "in", "in", "in", "in", 404),  # no provider here
    ("GET", "/openid/return"): GONE,
    ("GET", "/account"): OWN,
    ("POST", "/account"): OWN_FORM,
    ("POST", "/account/sessions/{name}/end"): OWN_FORM,
    ("POST", "/account/sessions/end"): OWN_FORM,
    ("GET", "/account/keys"): OWN,
    ("POST", "/account/keys"): OWN,
    ("POST", "/account/keys/{id}/revoke"): OWN_FORM,
    ("POST", "/account/export"): OWN,
    ("GET", "/account/erase"): OWN,
    ("POST", "/account/erase"): OWN_FORM,
    ("GET", "/account/erased"): OPEN,
    ("GET", "/people"): ADMIN,
    ("POST", "/people"): ADMIN_FORM,
    ("GET", "/people/{person_id}"): ADMIN,
    ("POST", "/people/{person_id}/grant"): ADMIN_FORM,
    ("POST", "/people/{person_id}/revoke"): ADMIN_FORM,
    ("GET", "/audit"): ADMIN,
}

FIELDS: dict[str, dict[str, Any]] = {
    "/needs": {"text": "welding of thin plates"},
    "/account/keys": {"name": "k", "scopes": ["read"], "days": "30"},
    "/account/erase": {"sure": "yes"},
    "/people": {"address": "new@example.org", "role": "officer"},
    "/people/{person_id}/grant": {"role": "officer"},
    "/people/{person_id}/revoke": {"role": "asker"},
}


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    data = tmp_path_factory.mktemp("matrix")
    engine = open_engine(data / "kennismatch.sqlite")
    upgrade(engine)
    with unit_of_work(engine) as session:
        for number in range(4):
            Records(session).put_profile(sample_profile(number))
    engine.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("api.service.open_encoder", lambda name: BucketEncoder())
        app = create_app(Settings(data=data, demonstration=False))
        with TestClient(app, follow_redirects=False) as client:
            wait_until(lambda: client.get("/readyz").status_code == 200)
            yield client


def routes(application: TestClient) -> list[tuple[str, str]]:
    """Method and path of every route; HEAD stands beside each GET."""
    found: list[tuple[str, str]] = []
    for route in iter_route_contexts(application.app.routes):  # type: ignore[attr-defined]
        for method in sorted(getattr(route, "methods", None) or ()):
            if method != "HEAD":
                found.append((method, str(route.path)))
    return found


def somebody(application: TestClient, who: str) -> TestClient:
    """Somebody new with that role, in a browser of their own."""
    client = TestClient(application.app, follow_redirects=False, headers=dict(ENGLISH))
    service: Service = application.app.state.service  # type: ignore[attr-defined]
    if who == "anonymous":
        return client
    role = Role.ADMINISTRATOR if who == "key" else Role(who)
    grant = Grant(role, "institute-0" if role is Role.MEMBER else "")
    now = service.now()
    with service.writing() as session:
        for _ in range(2 if role is Role.ADMINISTRATOR else 1):  # never the last one
            address = f"{who}-{now.timestamp()}-{len(People(session).page(0, 9999))}@example.org"
            person, _ = invite(session, address, "", "en", grant, now, COMMAND_LINE)
        token, _ = open_session(session, service.secret, person.id, "", service.session_life, now)
    client.cookies.set(PLAIN_COOKIE, token)
    if who == "key":
        key = key_on(make(client, scopes=["read", "match"]))
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {key}"
    return client


def filled(application: TestClient, path: str) -> str:
    """The path with ids of things that are there, and are nobody's or somebody else's."""
    service: Service = application.app.state.service  # type: ignore[attr-defined]
    with service.writing() as session:
        now = service.now()
        other, _ = invite(session, "other@example.org", "", "en", Grant(Role.ASKER), now, COMMAND_LINE)
        need = new_need("welding of thin plates", "en", Filters(), 1)
        Needs(session).add(need)
        link, _ = new_link(session, service.secret, "other@example.org", "en", "/about", now)
    values = {
        "need_id": need.id, "profile_id:path": "p001", "token": link, "person_id": other.id,
        "name": "abcdefghijkl", "id": "abcdefghij",
    }  # fmt: skip
    return re.sub(r"{([\w:]+)}", lambda match: values[match.group(1)], path)


def outcome(answer: Any) -> Any:
    if answer.status_code != 303:
        return answer.status_code
    return "sign-in" if answer.headers["location"].partition("?")[0] == "/sign-in" else "in"


def test_every_route_has_a_row_and_every_row_a_route(application: TestClient) -> None:
    assert sorted(routes(application)) == sorted(TABLE)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("method", "path"), sorted(TABLE), ids=" ".join)
def test_who_may_go_where(application: TestClient, method: str, path: str, who: str) -> None:
    client = somebody(application, who)
    address = filled(application, path)
    if method == "GET":
        answer = client.get(address)
    elif path.startswith("/api/"):
        answer = client.post(address, json={"text": "welding of thin plates"})
    else:
        signed_in = PLAIN_COOKIE in client.cookies
        token = {"form_token": form_token(client)} if signed_in else {"x": "y"}
        answer = client.post(address, data={**FIELDS.get(path, {}), **token})
    assert outcome(answer) == TABLE[(method, path)][WHO.index(who)]


@pytest.mark.parametrize(
    "path", sorted(path for method, path in TABLE if method == "POST" and not path.startswith("/api/"))
)
def test_no_form_of_somebody_signed_in_does_anything_without_the_token(
    application: TestClient, path: str
) -> None:
    """But those of needs, which are anybody's: there the origin decides."""
    client = somebody(application, "administrator")
    address = filled(application, path)
    for form in ({"x": "y"}, {"form_token": ""}, {"form_token": "0" * 64}):
        answer = client.post(address, data={**FIELDS.get(path, {}), **form})
        if path.startswith("/needs"):
            assert answer.status_code in (303, 404)
        else:
            assert answer.status_code == 403
            assert "This form is out of date" in answer.text


@pytest.mark.parametrize("path", sorted(path for method, path in TABLE if method == "POST"))
def test_no_form_from_another_site_does_anything(application: TestClient, path: str) -> None:
    client = somebody(application, "administrator")
    form = {**FIELDS.get(path, {}), "form_token": form_token(client)}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        address = filled(application, path)
        if path.startswith("/api/"):
            answer = client.post(address, json={"text": "x"}, headers=headers)
        else:
            answer = client.post(address, data=form, headers=headers)
        assert answer.status_code == 403


class TestWhatIsSomebodyElses:
    def test_a_session(self, application: TestClient) -> None:
        one, two = somebody(application, "officer"), somebody(application, "administrator")
        service: Service = application.app.state.service  # type: ignore[attr-defined]
        with service.reading() as session:
            opened = Sessions(session).get(service.secret.hash("session", one.cookies[PLAIN_COOKIE]))
        assert opened is not None
        two.post(f"/account/sessions/{opened.name}/end", data={"form_token": form_token(two)})
        assert one.get("/account").status_code == 200

    def test_a_key(self, application: TestClient) -> None:
        one, two = somebody(application, "officer"), somebody(application, "administrator")
        key = key_on(make(one))
        two.post(f"/account/keys/{key[3:13]}/revoke", data={"form_token": form_token(two)})
        service: Service = application.app.state.service  # type: ignore[attr-defined]
        with service.reading() as session:
            assert key[3:13] in Keys(session).ids()
        assert key[3:13] not in two.get("/account/keys").text

    def test_a_form_token(self, application: TestClient) -> None:
        one, two = somebody(application, "asker"), somebody(application, "asker")
        answer = one.post("/account", data={"name": "x", "language": "en", "form_token": form_token(two)})
        assert answer.status_code == 403
