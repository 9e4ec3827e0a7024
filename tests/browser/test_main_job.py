"""What the README promises, done as a person does it: in a browser, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Server

NEEDS = {
    "nl": "Wie kan ons helpen om dunwandig aluminium te lassen zonder vervorming?",
    "en": "Who can help us to weld thin-walled aluminium without distortion?",
}
LOCALES = {"nl": "nl-NL", "en": "en-GB"}
WELDERS = "Lasprocessen en Verbindingstechniek"
AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture(params=["nl", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def context(browser: Browser, language: str) -> Iterator[BrowserContext]:
    opened = browser.new_context(locale=LOCALES[language], viewport={"width": 1280, "height": 900})
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def ask(page: Page, server: Server, text: str) -> None:
    """Type a need on the first page and send it."""
    page.goto(server.url)
    page.get_by_role("textbox").first.fill(text)
    page.locator("form.km-form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/needs/[\w-]{16,}$"))


def test_a_need_goes_in_and_explained_pairings_come_out(page: Page, server: Server, language: str) -> None:
    ask(page, server, NEEDS[language])
    expect(page.locator("html")).to_have_attribute("lang", language)
    first = page.locator(".km-institute").first
    expect(first).to_contain_text("Technische Universiteit Salverland")
    match = first.locator(".km-match").first
    expect(match.get_by_role("link").first).to_contain_text(WELDERS)
    quote = match.locator("blockquote mark").first
    assert re.search(r"las|weld|alumin", quote.inner_text(), re.IGNORECASE)
    # The quote leads to the document it was taken from, which holds it word for word.
    words = " ".join(quote.inner_text().split())
    match.locator(".km-source a").first.click()
    anchor = page.url.split("#")[1]
    assert words in " ".join(page.locator(f"[id='{anchor}']").inner_text().split())


def test_the_need_is_in_no_address_and_no_log(page: Page, server: Server, language: str) -> None:
    addresses: list[str] = []
    referers: list[str | None] = []
    page.on(
        "request",
        lambda request: (addresses.append(request.url), referers.append(request.headers.get("referer"))),
    )
    secret = f"zeldzaam{language}kenmerk"
    ask(page, server, f"{NEEDS[language]} {secret}")
    page.locator(".km-match a").first.click()
    assert addresses
    assert not any(secret in address for address in addresses)
    assert not any(referer and "/needs/" in referer for referer in referers)
    assert secret not in server.log.read_text()


def test_it_works_without_javascript(browser: Browser, server: Server, language: str) -> None:
    context = browser.new_context(locale=LOCALES[language], java_script_enabled=False)
    page = context.new_page()
    ask(page, server, NEEDS[language])
    expect(page.locator(".km-match").first).to_contain_text(WELDERS)
    context.close()


def test_it_works_by_keyboard_alone(page: Page, server: Server, language: str) -> None:
    page.goto(server.url)
    page.keyboard.press("Tab")
    expect(page.locator(".utrecht-skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "TEXTAREA":
            break
    page.keyboard.type(NEEDS[language])
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "submit":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/needs/[\w-]{16,}$"))
    expect(page.locator(".km-match").first).to_be_visible()


def test_the_language_can_be_switched_and_stays(page: Page, server: Server, language: str) -> None:
    other = "en" if language == "nl" else "nl"
    page.goto(f"{server.url}/about")
    page.locator(f".km-languages a[lang={other}]").click()
    expect(page.locator("html")).to_have_attribute("lang", other)
    assert urlsplit(page.url).path == "/about"
    page.goto(server.url)
    expect(page.locator("html")).to_have_attribute("lang", other)


def test_a_need_can_be_deleted(page: Page, server: Server) -> None:
    ask(page, server, NEEDS["en"])
    address = page.url
    page.locator("form[action$='/delete'] button").click()
    page.wait_for_url(lambda url: "/needs/" not in url)
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 404


def test_an_empty_need_is_told_at_the_field(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.locator("form.km-form button[type=submit]").first.click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("textarea")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(
    "path", ["/", "/profiles", "/profiles/lasprocessen", "/about", "/nowhere", "results"]
)
def test_pages_have_no_accessibility_faults_that_a_program_can_find(
    page: Page, server: Server, language: str, path: str
) -> None:
    if path == "results":
        ask(page, server, NEEDS[language])
    else:
        page.goto(f"{server.url}{path}")
    found = Axe().run(page, options=AXE_RULES)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("path", ["/", "/profiles", "/profiles/lasprocessen", "/about", "results"])
def test_pages_fit_a_phone(browser: Browser, server: Server, path: str) -> None:
    context = browser.new_context(locale="nl-NL", viewport={"width": 360, "height": 740})
    page = context.new_page()
    if path == "results":
        ask(page, server, NEEDS["nl"])
    else:
        page.goto(f"{server.url}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_nothing_is_fetched_from_elsewhere_and_the_console_is_silent(
    page: Page, server: Server, language: str
) -> None:
    foreign: list[str] = []
    complaints: list[str] = []
    page.on(
        "request", lambda request: None if request.url.startswith(server.url) else foreign.append(request.url)
    )
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None,
    )
    for path in ("/", "/profiles", "/profiles/lasprocessen", "/about"):
        page.goto(f"{server.url}{path}")
    ask(page, server, NEEDS[language])
    assert not foreign
    assert not complaints
