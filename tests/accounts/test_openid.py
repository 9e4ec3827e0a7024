"""Signing in at an identity provider: there and back, and everything that must not get anybody in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from starlette.testclient import TestClient

from api.accounts.audit_store import AuditRows
from api.accounts.identity_store import Identities
from api.accounts.model import Grant, Role
from api.accounts.openid_flow import FLOW_LIFE
from api.accounts.sessions import open_session, resume
from api.accounts.store import People
from api.app import create_app
from api.service import Service
from api.settings import Settings, SettingsError, load_settings
from tests.accounts.openid_process import RunningProvider, provider_process
from tests.accounts.openid_provider import CLIENT_ID, CLIENT_SECRET
from tests.api.servers import wait_until

ENGLISH = {"Accept-Language": "en"}
DUTCH = {"Accept-Language": "nl"}
BASE = "https://kennismatch.example"
RETURN = f"{BASE}/openid/return"
COOKIE, FLOW_COOKIE = "__Host-session", "__Host-openid"


class Clock:
    """Tells the real time, put forward or back."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    with provider_process() as running:
        yield running


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def application(
    provider: RunningProvider, clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    settings = Settings(
        data=tmp_path_factory.mktemp("openid"),
        demonstration=False,
        base_url=BASE,
        openid_issuer=provider.issuer,
        openid_client_id=CLIENT_ID,
        openid_client_secret=CLIENT_SECRET,
        openid_name="Campus",
    )
    with TestClient(create_app(settings, clock=clock), base_url=BASE, follow_redirects=False) as opened:
        wait_until(lambda: opened.get("/readyz").status_code == 200)
        yield opened


@pytest.fixture
def browser(application: TestClient, provider: RunningProvider, clock: Clock) -> TestClient:
    """A browser without cookies, a provider that does as it should, and the right time."""
    application.cookies.clear()
    provider.set(returns_to=RETURN)
    clock.ahead = timedelta()
    service = service_of(application)
    service.settings = service.settings.model_copy(update={"sign_up": True})
    return application


def service_of(client: TestClient) -> Service:
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    return service


def go(browser: TestClient, goes_to: str = "") -> str:
    """Press the button; returns the address at the provider."""
    answer = browser.get("/openid", params={"next": goes_to} if goes_to else {}, headers=ENGLISH)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def come_back(browser: TestClient, address: str, **headers: str) -> Any:
    assert address.startswith(RETURN)
    return browser.get(address.removeprefix(BASE), headers={**ENGLISH, **headers})


def sign_in(browser: TestClient, provider: RunningProvider, user: str) -> Any:
    return come_back(browser, provider.log_in(go(browser), user))


def refused(answer: Any, status: int, title: str) -> None:
    """A page says so, nobody is signed in, and the attempt is over."""
    assert (answer.status_code, COOKIE in answer.cookies) == (status, False)
    assert f"{title}</h1>" in answer.text
    assert 'href="/sign-in">Sign in again' in answer.text
    assert f'{FLOW_COOKIE}=""; ' in answer.headers["set-cookie"]


class TestThereAndBack:
    def test_somebody_new_becomes_an_asker(self, browser: TestClient, provider: RunningProvider) -> None:
        answer = sign_in(browser, provider, "anna")
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        page = browser.get("/account", headers=ENGLISH)
        assert "anna@campus.example" in page.text
        with service_of(browser).reading() as session:
            person = People(session).by_address("anna@campus.example")
            assert person is not None
            assert (person.name, person.grants) == ("Anna", (Grant(Role.ASKER),))
            assert Identities(session).of_person(person.id) == [(provider.issuer, "sub-anna")]
            rows = AuditRows(session).of_person(person.id)
        assert [row.action for row in rows] == [
            "account_made",
            "role_granted",
            "identity_linked",
            "signed_in",
        ]

    def test_they_are_the_same_person_the_next_time_whatever_their_address_is_then(
        self, browser: TestClient, provider: RunningProvider
    ) -> None:
        sign_in(browser, provider, "bert")
        browser.cookies.clear()
        provider.set(claims={"email": "bert@married.example"})
        assert sign_in(browser, provider, "bert").headers["location"] == "/account"
        assert "bert@campus.example" in browser.get("/account").text
        browser.cookies.clear()
        provider.set(claims={"email_verified": False})
        assert sign_in(browser, provider, "bert").headers["location"] == "/account"

    def test_who_was_invited_keeps_their_account(
        self, browser: TestClient, provider: RunningProvider
    ) -> None:
        service = service_of(browser)
        with service.writing() as session:
            person = People(session).add("Chris@Campus.example", "nl", service.now(), "C. de Officier")
            People(session).give(person.id, Grant(Role.OFFICER), service.now())
        sign_in(browser, provider, "chris")
        page = browser.get("/account", headers=ENGLISH).text
        assert "C. de Officier" in page
        assert "Liaison officer" in page

    def test_it_leads_to_where_they_wanted_to_go_on_this_site_only(
        self, browser: TestClient, provider: RunningProvider
    ) -> None:
        for wanted, gets in (
            ("/about", "/about"),
            ("//evil.example", "/account"),
            ("https://evil.example", "/account"),
        ):
            browser.cookies.clear()
            answer = come_back(browser, provider.log_in(go(browser, wanted), "dirk"))
            assert answer.headers["location"] == gets

    def test_the_request_asks_for_a_code_with_state_nonce_and_pkce(self, browser: TestClient) -> None:
        one, two = (parse_qs(urlsplit(go(browser)).query) for _ in range(2))
        assert one["response_type"] == ["code"]
        assert one["code_challenge_method"] == ["S256"]
        assert one["redirect_uri"] == [RETURN]
        assert one["ui_locales"] == ["en"]
        for name in ("state", "nonce", "code_challenge"):
            assert len(one[name][0]) == 43
            assert one[name] != two[name]

    def test_what_the_browser_keeps_meanwhile_is_closed_and_short_lived(self, browser: TestClient) -> None:
        answer = browser.get("/openid")
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        cookie = answer.headers["set-cookie"]
        assert re.match(r'__Host-openid="?gAAAA', cookie)
        for attribute in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=600"):
            assert attribute in cookie
        assert query["state"][0] not in cookie
        assert query["nonce"][0] not in cookie

    def test_the_session_gets_a_new_id(self, browser: TestClient, provider: RunningProvider) -> None:
        planted = "A" * 43
        browser.cookies.set(COOKIE, planted)
        address = provider.log_in(go(browser), "eva")
        answer = come_back(browser, address)
        assert answer.cookies[COOKIE] != planted

    def test_it_ends_the_session_that_it_replaces(
        self, browser: TestClient, provider: RunningProvider
    ) -> None:
        address = provider.log_in(go(browser), "femke")
        service = service_of(browser)
        with service.writing() as session:  # in another tab of the same browser, by a link
            person = People(session).add("gerrit@firm.example", "nl", service.now())
            token, _ = open_session(
                session, service.secret, person.id, "", service.session_life, service.now()
            )
        browser.cookies.set(COOKIE, token)
        come_back(browser, address)
        assert "femke@campus.example" in browser.get("/account").text
        with service.reading() as session:
            assert resume(session, service.secret, token, service.session_life, service.now()) is None

    def test_the_sign_in_page_offers_it_without_mail(self, browser: TestClient) -> None:
        page = browser.get("/sign-in?next=/about", headers=ENGLISH).text
        assert 'href="/openid?next=/about" rel="nofollow">Sign in with Campus</a>' in page
        assert "This server cannot send mail" not in page
        assert "Inloggen met Campus" in browser.get("/sign-in", headers=DUTCH).text

    def test_who_is_signed_in_goes_on(self, browser: TestClient, provider: RunningProvider) -> None:
        sign_in(browser, provider, "hanna")
        answer = browser.get("/openid?next=/about")
        assert (answer.status_code, answer.headers["location"]) == (303, "/about")

    def test_the_address_may_come_from_the_userinfo(
        self, browser: TestClient, provider: RunningProvider
    ) -> None:
        provider.set(fault="userinfo")
        sign_in(browser, provider, "ids")
        assert "ids@campus.example" in browser.get("/account").text

    def test_a_provider_that_changes_its_key_is_asked_for_the_new_one(
        self, browser: TestClient, provider: RunningProvider
    ) -> None:
        sign_in(browser, provider, "jan")
        browser.cookies.clear()
        provider.set(rotate=True)
        assert sign_in(browser, provider, "jan").headers["location"] == "/account"
        assert provider.set().count("/jwks") == 1
        browser.cookies.clear()
        sign_in(browser, provider, "jan")
        assert "/jwks" not in provider.set()


class TestWhoComesBackWrongly:
    def test_a_page_that_is_loaded_again(self, browser: TestClient, provider: RunningProvider) -> None:
        address = provider.log_in(go(browser), "karel")
        assert come_back(browser, address).headers["location"] == "/account"
        again = come_back(browser, address)
        assert (again.status_code, again.headers["location"]) == (303, "/account")
        assert "set-cookie" not in again.headers

    def test_an_answer_in_another_browser(self, browser: TestClient, provider: RunningProvider) -> None:
        address = provider.log_in(go(browser), "lies")
        browser.cookies.clear()
        refused(come_back(browser, address), 400, "This sign-in is no longer current")

    def test_an_answer_to_another_attempt(self, browser: TestClient, provider: RunningProvider) -> None:
        address = provider.log_in(go(browser), "lies")
        go(browser)
        refused(come_back(browser, address), 400, "This sign-in is no longer current")

    def test_a_code_of_somebody_else_with_our_state(
        self, browser: TestClient, provider: RunningProvider
    ) -> None:
        """An attacker's code, put into the victim's attempt: the verifier and the nonce are of another."""
        theirs = parse_qs(urlsplit(provider.log_in(go(browser), "mallory")).query)
        browser.cookies.clear()
        ours = parse_qs(urlsplit(provider.log_in(go(browser), "nina")).query)
        mixed = urlencode({"code": theirs["code"][0], "state": ours["state"][0], "iss": provider.issuer})
        refused(come_back(browser, f"{RETURN}?{mixed}"), 502, "We could not check this sign-in")

    def test_a_code_that_was_used(self, browser: TestClient, provider: RunningProvider) -> None:
        address = provider.log_in(go(browser), "otto")
        flow = browser.cookies[FLOW_COOKIE]
        come_back(browser, address)
        browser.cookies.clear()
        browser.cookies.set(FLOW_COOKIE, flow)
        refused(come_back(browser, address), 502, "We could not check this sign-in")

    @pytest.mark.parametrize("ahead", [FLOW_LIFE, timedelta(minutes=-6)])
    def test_too_late_or_by_a_clock_that_was_set_back(
        self, browser: TestClient, provider: RunningProvider, clock: Clock, ahead: timedelta
    ) -> None:
        address = provider.log_in(go(browser), "piet")
        clock.ahead = ahead
        refused(come_back(browser, address), 400, "This sign-in is no longer current")

    @pytest.mark.parametrize("kept", ["", "x", "gAAAAA==", "é", "A" * 5000])
    def test_a_forged_cookie(self, browser: TestClient, provider: RunningProvider, kept: str) -> None:
        address = provider.log_in(go(browser), "quinten")
        browser.cookies.clear()
        headers = [(b"Accept-Language", b"en"), (b"Cookie", f"{FLOW_COOKIE}={kept}".encode())]
        answer = browser.get(address.removeprefix(BASE), headers=headers)
        refused(answer, 400, "This sign-in is no longer current")

    def test_another_text_that_we_sealed_is_no_attempt(
        self, browser: TestClient, provider: RunningProvider
    ) -> None:
        address = provider.log_in(go(browser), "quinten")
        browser.cookies.clear()
        browser.cookies.set(FLOW_COOKIE, service_of(browser).secret.seal('{"state": "x"}'))
        refused(come_back(browser, address), 400, "This sign-in is no longer current")

    def test_who_cancels(self, browser: TestClient, provider: RunningProvider) -> None:
        refused(come_back(browser, provider.log_in(go(browser), cancel=True)), 403, "You were not signed in")

    def test_nobody_who_was_not_invited_where_that_is_needed(
        self, browser: TestClient, provider: RunningProvider
    ) -> None:
        service = service_of(browser)
        service.settings = service.settings.model_copy(update={"sign_up": False})
        refused(sign_in(browser, provider, "rik"), 403, "You have not been invited yet")
        with service.reading() as session:
            assert People(session).by_address("rik@campus.example") is None

    def test_an_address_that_went_over_to_somebody_else(
        self, browser: TestClient, provider: RunningProvider
    ) -> None:
        sign_in(browser, provider, "sara")
        browser.cookies.clear()
        provider.set(claims={"sub": "sub-new-sara"})
        refused(sign_in(browser, provider, "sara"), 403, "This address belongs to another account")

    def test_too_often(self, browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        from api.accounts.limits import Limit

        monkeypatch.setattr("api.pages.openid.PER_CLIENT", Limit("openid-test", 2, timedelta(minutes=15)))
        go(browser), go(browser)
        answer = browser.get("/openid")
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 900


class TestWhatCannotBeBelieved:
    @pytest.mark.parametrize(
        "fault",
        [
            "unsigned", "signed_with_the_shared_secret", "signed_with_the_public_key", "signed_by_another",
            "no_id_token", "wrong_iss", "no_iss", "userinfo_of_another",
        ],
    )  # fmt: skip
    def test_an_answer(self, browser: TestClient, provider: RunningProvider, fault: str) -> None:
        address = go(browser)
        provider.set(fault=fault)
        refused(come_back(browser, provider.log_in(address, "tess")), 502, "We could not check this sign-in")

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "http://elsewhere.example"}, {"aud": "somebody-else"}, {"aud": None}, {"iss": None},
            {"aud": [CLIENT_ID, "another"]}, {"aud": [CLIENT_ID], "azp": "another"}, {"nonce": "of another attempt"},
            {"nonce": None}, {"exp": 1_000_000_000}, {"exp": None}, {"exp": "tomorrow"}, {"iat": 4_000_000_000},
            {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 256}, {"sub": "a\nb"}, {"at_hash": "of another token"},
        ],
        ids=str,
    )  # fmt: skip
    def test_an_id_token(
        self, browser: TestClient, provider: RunningProvider, claims: dict[str, Any]
    ) -> None:
        address = go(browser)
        provider.set(claims=claims)
        refused(come_back(browser, provider.log_in(address, "tess")), 502, "We could not check this sign-in")

    @pytest.mark.parametrize(
        "claims",
        [
            {"email_verified": False},
            {"email_verified": "no"},
            {"email_verified": 1},
            {"email": "no address"},
            {"email": 7},
        ],
        ids=str,
    )
    def test_an_address(self, browser: TestClient, provider: RunningProvider, claims: dict[str, Any]) -> None:
        provider.set(claims=claims)
        refused(sign_in(browser, provider, "ursula"), 403, "We did not get your e-mail address")

    def test_the_word_on_an_address_is_not_taken_for_another(
        self, browser: TestClient, provider: RunningProvider
    ) -> None:
        """An ID token with an address of its own, and a userinfo that has verified another."""
        provider.set(claims={"email": "boss@company.example", "email_verified": None})
        sign_in(browser, provider, "vera")
        page = browser.get("/account").text
        assert "vera@campus.example" in page
        assert "boss@company.example" not in page
        browser.cookies.clear()
        provider.set(fault="userinfo_unverified")
        refused(sign_in(browser, provider, "victor"), 403, "We did not get your e-mail address")


class TestAProviderInTrouble:
    @pytest.mark.parametrize(
        ("fault", "title"),
        [
            ("down", "sign-in page does not answer"),
            ("no_json", "sign-in page does not answer"),
            ("other_issuer", "We could not check this sign-in"),
            ("no_token_endpoint", "We could not check this sign-in"),
        ],
    )
    def test_before_anybody_is_sent_there(
        self,
        browser: TestClient,
        provider: RunningProvider,
        fault: str,
        title: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("api.accounts.openid.KEPT_S", 0.0)
        provider.set(fault=fault)
        answer = browser.get("/openid", headers=ENGLISH)
        assert answer.status_code == 502
        assert title in answer.text

    def test_when_somebody_comes_back(self, browser: TestClient, provider: RunningProvider) -> None:
        address = go(browser)
        provider.set(fault="token_down")
        refused(
            come_back(browser, provider.log_in(address, "wim")),
            502,
            "Your organisation&#39;s sign-in page does not answer",
        )

    def test_what_is_logged_names_nobody(
        self, browser: TestClient, provider: RunningProvider, capfd: pytest.CaptureFixture[str]
    ) -> None:
        provider.set(claims={"aud": "somebody-else"})
        address = provider.log_in(go(browser), "xandra")
        come_back(browser, address)
        written = capfd.readouterr()
        assert "openid_sign_in_failed" in written.out + written.err
        for secret in ("xandra", parse_qs(urlsplit(address).query)["code"][0], "sub-"):
            assert secret not in written.out + written.err


class TestSettings:
    def test_without_a_provider_there_is_no_such_page(self, tmp_path: Path) -> None:
        app = create_app(Settings(data=tmp_path, demonstration=False))
        with TestClient(app) as client:
            wait_until(lambda: client.get("/readyz").status_code == 200)
            assert client.get("/openid").status_code == 404
            assert client.get("/openid/return?code=x&state=y").status_code == 404
            assert "/openid" not in client.get("/sign-in").text

    @pytest.mark.parametrize(
        "issuer", ["login.example.org", "http://login.example.org", "ftp://x", "https://x/?a=b", "https://["]
    )
    def test_an_issuer_that_cannot_be(self, monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
        monkeypatch.setenv("KENNISMATCH_OPENID_ISSUER", issuer)
        with pytest.raises(
            SettingsError, match="expected the issuer of an OpenID Connect provider, such as https://"
        ):
            load_settings({})

    def test_an_issuer_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KENNISMATCH_OPENID_ISSUER", "https://login.example.org")
        with pytest.raises(
            SettingsError, match="expected KENNISMATCH_OPENID_CLIENT_ID and KENNISMATCH_BASE_URL beside"
        ):
            load_settings({})

    def test_a_secret_file_that_is_not_there(self, tmp_path: Path) -> None:
        settings = Settings(
            data=tmp_path, base_url=BASE, openid_issuer="https://x.example", openid_client_id="x",
            openid_client_secret_file=tmp_path / "none",
        )  # fmt: skip
        with pytest.raises(
            SettingsError, match=r"expected the secret for the identity provider in .*none, but: No such"
        ):
            create_app(settings)
