"""The pages: what a person gets, in both languages, and what it may not give away."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.needs import new_need
from api.service import Service
from api.settings import Settings
from corpora.need_store import Needs
from corpora.store import Records
from matcher.model import Filters
from tests.api.conftest import WELDING
from tests.api.servers import wait_until

ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}
DUTCH = {"Accept-Language": "nl-NL,nl;q=0.9,en;q=0.5"}


@pytest.fixture
def visitor(client: TestClient) -> TestClient:
    """The client without the cookies of earlier tests."""
    client.cookies.clear()
    return client


def ask(client: TestClient, text: str = WELDING, **fields: object) -> str:
    """Post a need; returns the address of its page."""
    answer = client.post("/needs", data={"text": text, **fields}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def service_of(client: TestClient) -> Service:
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    return service


class TestNeedForm:
    def test_in_dutch_and_in_english(self, visitor: TestClient) -> None:
        dutch = visitor.get("/", headers=DUTCH)
        assert '<html lang="nl"' in dutch.text
        assert "Zoek wie kan helpen" in dutch.text
        english = visitor.get("/", headers=ENGLISH)
        assert '<html lang="en"' in english.text
        assert "Find who can help" in english.text
        assert english.headers["content-language"] == "en"

    def test_examples_are_in_the_language_of_the_page(self, visitor: TestClient) -> None:
        examples = re.findall(r'name="text" value="([^"]+)"', visitor.get("/", headers=ENGLISH).text)
        assert len(examples) == 4
        assert all(
            {"the", "our", "of", "can", "one", "we", "a"} & set(example.lower().split())
            for example in examples
        )

    def test_it_says_that_the_demonstration_is_fictional(self, visitor: TestClient) -> None:
        assert (
            "every institute, group and document here is fictional" in visitor.get("/", headers=ENGLISH).text
        )

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "There is nothing here yet."),
            ("x", "This is too short to find anything with."),
            ("a" * 50_000, "Your question is longer than 20,000 characters."),
            ("🙂🙂", "We can read no words in this."),
        ],
    )
    def test_what_is_wrong_is_said_above_the_form_and_at_the_field(
        self, visitor: TestClient, text: str, says: str
    ) -> None:
        answer = visitor.post("/needs", data={"text": text}, headers=ENGLISH)
        assert answer.status_code == 422
        assert re.search(r'role="alert".*<a [^>]*href="#text">' + re.escape(says), answer.text, re.DOTALL)
        assert 'aria-invalid="true"' in answer.text
        assert f'id="text-error">{says}' in answer.text

    def test_filters_stay_chosen(self, visitor: TestClient) -> None:
        answer = visitor.post("/needs", data={"text": "", "kinds": ["facility"]}, headers=ENGLISH)
        assert re.search(r'value="facility" checked', answer.text)

    def test_other_forms_of_body_are_refused(self, visitor: TestClient) -> None:
        assert visitor.post("/needs", json={"text": WELDING}).status_code == 415


class TestResults:
    def test_a_need_is_answered_at_an_opaque_address(self, visitor: TestClient) -> None:
        address = ask(visitor)
        assert re.fullmatch(r"/needs/[\w-]{22}", address)
        page = visitor.get(address, headers=DUTCH)
        assert page.status_code == 200
        assert "Technische Universiteit Salverland" in page.text
        assert 'lang="nl">Lasprocessen en Verbindingstechniek (LVT)</a>' in page.text
        assert "<mark>" in page.text

    def test_a_quote_leads_to_its_sentence_in_the_document(self, visitor: TestClient) -> None:
        page = visitor.get(ask(visitor), headers=DUTCH)
        pairs = re.findall(
            r"<mark>(.*?)</mark>.*?<a class=\"utrecht-link\" href=\"([^\"]+)\"", page.text, re.DOTALL
        )
        assert len(pairs) >= 3
        for quote, link in pairs:
            target = urlsplit(html.unescape(link))
            assert "aluminium" not in target.query
            shown = visitor.get(f"{target.path}?{target.query}").text
            assert f'id="{target.fragment}"' in shown
            assert f"<mark>{quote}</mark>" in shown

    def test_other_kinds_stand_in_blocks_of_their_own(self, visitor: TestClient) -> None:
        page = visitor.get(ask(visitor), headers=ENGLISH).text
        assert (
            page.index("What else may help")
            < page.index("<h3>Facilities</h3>")
            < page.index("Lastechniek-hal")
        )

    def test_filters_are_kept_with_the_need(self, visitor: TestClient) -> None:
        page = visitor.get(ask(visitor, kinds="facility"), headers=ENGLISH).text
        assert "Lastechniek-hal" in page
        assert "Lasprocessen en Verbindingstechniek" not in page
        assert re.search(r'value="facility" checked', page)

    def test_nobody_here_fits(self, visitor: TestClient) -> None:
        text = "Onze boekhouder zoekt een accountant voor de btw-aangifte van een bakkerij in Spanje."
        page = visitor.get(ask(visitor, text, organisations="instituut-meetwijzer"), headers=ENGLISH).text
        assert "Nobody here seems to fit well" in page
        assert "Who comes nearest" in page
        assert "Enterprise Europe Network" in page
        assert "/profiles/desk-innovatie" in page

    def test_nobody_is_left_after_the_filters(self, visitor: TestClient) -> None:
        page = visitor.get(ask(visitor, regions="Elders"), headers=ENGLISH).text
        assert "Nobody is left with these choices." in page

    def test_html_in_a_need_is_text(self, visitor: TestClient) -> None:
        text = "<script>alert('aluminium lassen')</script> \"zonder\" <b>vervorming</b>"
        page = visitor.get(ask(visitor, text)).text
        assert "<script>alert" not in page
        assert "<b>" not in page
        assert "&lt;script&gt;alert(&#39;aluminium lassen&#39;)&lt;/script&gt;" in page

    def test_line_ends_stay_and_the_form_holds_the_need(self, visitor: TestClient) -> None:
        page = visitor.get(ask(visitor, "Aluminium lassen,\r\nzonder vervorming.")).text
        assert ">\nAluminium lassen,\nzonder vervorming.</textarea>" in page

    def test_a_third_language_is_answered_with_a_note(self, visitor: TestClient) -> None:
        text = "Wer kann uns helfen, dünnwandiges Aluminium ohne Verzug zu schweißen?"
        page = visitor.get(ask(visitor, text), headers=ENGLISH).text
        assert "Your question seems to be in German." in page

    def test_deleting_it(self, visitor: TestClient) -> None:
        address = ask(visitor)
        answer = visitor.post(f"{address}/delete", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/?deleted=true")
        assert "Your question has been erased." in visitor.get("/?deleted=true", headers=ENGLISH).text
        assert visitor.get(address).status_code == 404
        assert visitor.post(f"{address}/delete").status_code == 404

    def test_an_expired_need_is_not_shown(self, visitor: TestClient) -> None:
        need = new_need(WELDING, "nl", Filters(), lifetime_days=-1)
        with service_of(visitor).writing() as session:
            Needs(session).add(need)
        assert visitor.get(f"/needs/{need.id}").status_code == 404

    def test_it_is_kept_for_thirty_days(self, visitor: TestClient) -> None:
        with service_of(visitor).reading() as session:
            need = Needs(session).get(ask(visitor).rpartition("/")[2])
        assert need is not None
        assert need.expires_at - need.created_at == timedelta(days=30)


def test_expired_needs_are_deleted_at_the_start(data: Path) -> None:
    settings = Settings(data=data)
    with TestClient(create_app(settings)) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        with service_of(client).writing() as session:
            for days in (-1, 30):
                Needs(session).add(new_need(WELDING, "nl", Filters(), days))
    with TestClient(create_app(settings)) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        with service_of(client).reading() as session:
            assert Records(session).counts().needs == 1
            assert Needs(session).delete_expired(datetime.now(UTC)) == 0


class TestLanguage:
    def test_a_link_switches_and_the_choice_stays(self, visitor: TestClient) -> None:
        page = visitor.get("/profiles?kind=facility&q=las", headers=DUTCH).text
        link = re.search(r'href="([^"]+)" lang="en"', page)
        assert link is not None
        target = urlsplit(html.unescape(link.group(1)))
        assert target.path == "/profiles"
        assert parse_qs(target.query) == {"kind": ["facility"], "q": ["las"], "lang": ["en"]}
        assert '<html lang="en"' in visitor.get(html.unescape(link.group(1)), headers=DUTCH).text
        assert '<html lang="en"' in visitor.get("/about", headers=DUTCH).text

    def test_a_need_keeps_its_address(self, visitor: TestClient) -> None:
        address = ask(visitor)
        assert f'href="{address}?lang=en"' in visitor.get(address, headers=DUTCH).text

    def test_neither_of_ours_gives_dutch(self, visitor: TestClient) -> None:
        assert '<html lang="nl"' in visitor.get("/", headers={"Accept-Language": "fr"}).text

    def test_rubbish_is_no_hindrance(self, visitor: TestClient) -> None:
        for value in (";;,q=", "en;q=x", "*" * 10_000, "en;q=0,nl;q=0"):
            assert (
                visitor.get("/?lang=xx", headers={"Accept-Language": value, "Cookie": "lang=zz"}).status_code
                == 200
            )


class TestProfilePage:
    def test_documents_with_their_kind_date_and_language(self, visitor: TestClient) -> None:
        page = visitor.get("/profiles/lasprocessen", headers=ENGLISH).text
        assert '<article class="km-document" id="d-lasprocessen-d1">' in page
        assert "Publication · 18\u00a0March 2021 · In Dutch" in page
        assert '<h3 class="utrecht-heading-3" lang="nl">Haakvorming' in page

    @pytest.mark.parametrize(
        "mark",
        ["", "x", "description:5-2", "description:0-999999", "d-lasprocessen-d1:0-0", "d-x:1-2", "'><b>:1-2"],
    )
    def test_a_mark_that_does_not_fit_marks_nothing(self, visitor: TestClient, mark: str) -> None:
        page = visitor.get("/profiles/lasprocessen", params={"mark": mark})
        assert page.status_code == 200
        assert "<mark>" not in page.text

    def test_an_unknown_profile(self, visitor: TestClient) -> None:
        page = visitor.get("/profiles/nobody", headers=ENGLISH)
        assert page.status_code == 404
        assert "This page is not here" in page.text


class TestDirectory:
    def test_look_up_with_a_typing_error(self, visitor: TestClient) -> None:
        page = visitor.get("/profiles", params={"q": "lasprocesen"}, headers=ENGLISH).text
        assert "Lasprocessen en Verbindingstechniek (LVT)" in page
        assert "1 profile<" in page

    def test_nothing_found(self, visitor: TestClient) -> None:
        assert "Nothing found." in visitor.get("/profiles?q=zzzzqqq", headers=ENGLISH).text

    @pytest.mark.parametrize(
        "query", ["page=99", "kind=lab", "organisation=x", "lang=en&page=1", "q=" + "a" * 200]
    )
    def test_odd_queries_give_a_page(self, visitor: TestClient, query: str) -> None:
        assert visitor.get(f"/profiles?{query}").status_code == 200

    @pytest.mark.parametrize("query", ["page=0", "page=x", "q=" + "a" * 201])
    def test_wrong_queries_give_a_page_that_says_so(self, visitor: TestClient, query: str) -> None:
        page = visitor.get(f"/profiles?{query}", headers=ENGLISH)
        assert page.status_code == 422
        assert "We could not process this" in page.text

    def test_pages(self, visitor: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("api.pages.directory.PAGE_SIZE", 2)
        page = visitor.get("/profiles?page=2", headers=ENGLISH).text
        assert "Page 2 of 3" in page
        assert 'href="/profiles?page=1"' in page
        assert 'href="/profiles?page=3"' in page


def test_an_empty_folder_without_demonstration_says_so(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(data=tmp_path, demonstration=False))) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        assert "There is nothing to find yet" in client.get("/", headers=ENGLISH).text
        assert "No profiles have been imported." in client.get("/profiles", headers=ENGLISH).text
        answer = client.post("/api/v1/matches", json={"text": WELDING}).json()
        assert (answer["fits"], answer["matches"]) == (False, [])


PAGES = (
    "/",
    "/profiles",
    "/profiles/lasprocessen",
    "/about",
    "/api/docs",
    "/nothing",
    "/healthz",
    "/static/site.css",
)


class TestHeaders:
    @pytest.mark.parametrize("path", PAGES)
    def test_every_answer_carries_them(self, visitor: TestClient, path: str) -> None:
        headers = visitor.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]

    @pytest.mark.parametrize("path", [*PAGES[:-1]])
    def test_pages_are_not_stored(self, visitor: TestClient, path: str) -> None:
        assert visitor.get(path).headers["cache-control"] == "no-store"

    def test_refusals_carry_them_too(self, visitor: TestClient) -> None:
        answer = visitor.post("/needs", content=b"a" * 300_000)
        assert answer.status_code == 413
        assert "That is too much text" in visitor.post("/needs", content=b"a" * 300_000, headers=ENGLISH).text
        assert answer.headers["referrer-policy"] == "no-referrer"

    @pytest.mark.parametrize("path", PAGES[:-2])
    def test_no_page_has_anything_inline_or_from_elsewhere(self, visitor: TestClient, path: str) -> None:
        page = visitor.get(path).text
        assert not re.search(r"<script(?![^>]*src=)", page)
        assert not re.search(r"<style|\sstyle=|\son\w+=", page)
        assert not re.search(r'(src|href)="(https?:)?//(?!een\.ec\.europa\.eu)', page)

    def test_static_files_with_a_mark_may_be_kept(self, visitor: TestClient) -> None:
        link = re.search(r'href="(/static/site\.css\?v=\w+)"', visitor.get("/").text)
        assert link is not None
        assert "immutable" in visitor.get(link.group(1)).headers["cache-control"]

    @pytest.mark.parametrize(
        "path", ["/static/../settings.py", "/static/%2e%2e/settings.py", "/static/nothing.css"]
    )
    def test_nothing_else_is_served_from_there(self, visitor: TestClient, path: str) -> None:
        assert visitor.get(path).status_code == 404


class TestFormsFromElsewhere:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
        ],
    )
    @pytest.mark.parametrize("path", ["/needs", "/needs/x/delete"])
    def test_are_refused(self, visitor: TestClient, path: str, headers: dict[str, str]) -> None:
        assert visitor.post(path, data={"text": WELDING}, headers=headers).status_code == 403

    @pytest.mark.parametrize(
        "headers", [{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Origin": "http://testserver"}, {}]
    )
    def test_our_own_are_not(self, visitor: TestClient, headers: dict[str, str]) -> None:
        answer = visitor.post("/needs", data={"text": WELDING}, headers=headers, follow_redirects=False)
        assert answer.status_code == 303

    def test_a_browser_over_plain_http_shows_by_its_cookie_that_it_saw_the_form(
        self, visitor: TestClient
    ) -> None:
        visitor.get("/")
        answer = visitor.post(
            "/needs", data={"text": WELDING}, headers={"Origin": "null"}, follow_redirects=False
        )
        assert answer.status_code == 303
