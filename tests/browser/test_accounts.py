"""Accounts as people use them: by mail, in a browser, in both languages, also without script and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from api.accounts.model import Grant, Role
from tests.accounts.live import Live, live
from tests.browser.test_main_job import AXE_RULES

LOCALES = {"nl": "nl-NL", "en": "en-GB"}
ADDRESS = {"nl": "E-mailadres", "en": "E-mail address"}
ASK = {"nl": "Stuur me een link", "en": "Send me a link"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("accounts") / "data") as running:
        yield running


@pytest.fixture(params=["nl", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def context_of(browser: Browser, language: str, *, script: bool = True, width: int = 1280) -> BrowserContext:
    return browser.new_context(
        locale=LOCALES[language], java_script_enabled=script, viewport={"width": width, "height": 900}
    )


def sign_in(page: Page, site: Live, address: str) -> None:
    """Ask for a link, open the mail, press the button."""
    page.goto(f"{site.url}/sign-in")
    page.locator("#address").fill(address)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(f"{site.url}/sign-in/sent")
    page.goto(site.link_for(address))
    page.locator("main button[type=submit]").click()
    page.wait_for_url(re.compile("/account$"))


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_from_the_first_page_to_the_account_and_out(
    browser: Browser, site: Live, language: str, script: bool
) -> None:
    context = context_of(browser, language, script=script)
    page = context.new_page()
    complaints: list[str] = []
    foreign: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith(site.url) else foreign.append(asked.url))
    address = f"journey-{language}-{script}@firm.example".lower()
    page.goto(f"{site.url}/about")
    page.locator(".km-account a").click()
    page.get_by_label(ADDRESS[language]).fill(address)
    page.get_by_role("button", name=ASK[language]).click()
    link = site.link_for(address)
    page.goto(link)
    expect(page.locator("main")).to_contain_text(address)
    page.reload()  # looking at it again does not use it
    page.locator("main button[type=submit]").click()
    page.wait_for_url(f"{site.url}/account")
    expect(page.locator("html")).to_have_attribute("lang", language)
    page.locator("#name").fill("Mina")
    page.locator("main form").first.get_by_role("button").click()
    expect(page.get_by_role("status").first).to_be_visible()
    expect(page.locator(".km-account__name")).to_have_text("Mina")
    page.go_back()
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_contain_text({"nl": "gebruikt", "en": "used"}[language])
    page.locator(".km-account button").click()
    page.goto(f"{site.url}/account")
    assert urlsplit(page.url).path == "/sign-in"
    page.go_back()
    assert not foreign
    assert not [text for text in complaints if "410" not in text]  # the used link is told with its status
    context.close()


def test_by_keyboard_alone(browser: Browser, site: Live) -> None:
    context = context_of(browser, "en")
    page = context.new_page()
    page.goto(f"{site.url}/sign-in")
    for _ in range(15):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "address":
            break
    page.keyboard.type("no address")
    page.keyboard.press("Enter")
    error = page.get_by_role("alert").get_by_role("link")
    expect(error).to_be_visible()
    error.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "address"
    page.keyboard.press("Control+A")
    page.keyboard.type("keys-only@firm.example")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/sign-in/sent")
    context.close()


def test_two_browsers_and_one_is_ended_from_the_other(browser: Browser, site: Live) -> None:
    one, two = context_of(browser, "en"), context_of(browser, "en")
    first, second = one.new_page(), two.new_page()
    sign_in(first, site, "two@firm.example")
    n_mails = len(site.post.mails)
    first.goto(f"{site.url}/account")
    second.goto(f"{site.url}/sign-in")
    second.locator("#address").fill("two@firm.example")
    second.locator("main button[type=submit]").click()
    second.wait_for_url(f"{site.url}/sign-in/sent")
    for _ in range(200):
        if len(site.post.mails) > n_mails:
            break
        second.wait_for_timeout(50)
    second.goto(site.link_for("two@firm.example"))
    second.locator("main button[type=submit]").click()
    second.wait_for_url(re.compile("/account$"))
    first.reload()
    first.get_by_role("button", name=re.compile(r"^End\b")).first.click()
    expect(first.get_by_role("status").first).to_contain_text("That session has ended")
    second.goto(f"{site.url}/account")
    assert urlsplit(second.url).path == "/sign-in"
    # A page that was left open changes nothing any more.
    one.close()
    two.close()


def test_a_key_is_made_used_and_revoked(browser: Browser, site: Live) -> None:
    context = context_of(browser, "en", script=False)
    page = context.new_page()
    sign_in(page, site, "program@firm.example")
    page.get_by_role("link", name="See and make keys").click()
    page.get_by_label("Name").fill("report")
    page.get_by_label("Look up profiles").check()
    page.get_by_role("button", name="Make the key").click()
    key = page.locator("pre code").first.inner_text()
    bearer = {"Authorization": f"Bearer {key}"}
    assert (
        context.request.get(f"{site.url}/api/v1/me", headers=bearer).json()["address"]
        == "program@firm.example"
    )
    page.reload()  # the form is sent again, and makes no other key
    expect(page.locator("main")).to_contain_text("had been made already")
    expect(page.get_by_role("button", name=re.compile("^Revoke"))).to_have_count(1)
    page.get_by_role("button", name=re.compile("^Revoke")).click()
    assert context.request.get(f"{site.url}/api/v1/me", headers=bearer).status == 401
    context.close()


def test_data_is_taken_along_and_erased(browser: Browser, site: Live, tmp_path: Path) -> None:
    context = context_of(browser, "en")
    page = context.new_page()
    sign_in(page, site, "leaver@firm.example")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download your data").click()
    download.value.save_as(tmp_path / "own.json")
    assert "leaver@firm.example" in (tmp_path / "own.json").read_text(encoding="utf-8")
    page.get_by_role("link", name="Erase your account").click()
    page.get_by_label("Yes, erase everything").check()
    page.get_by_role("button", name="Erase my account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account has been erased")
    page.goto(f"{site.url}/account")
    assert urlsplit(page.url).path == "/sign-in"
    context.close()


def test_an_administrator_invites_and_sees_it_in_the_log(browser: Browser, site: Live) -> None:
    site.person("boss@desk.example", Grant(Role.ADMINISTRATOR), name="Boss")
    context = context_of(browser, "en", script=False)
    page = context.new_page()
    sign_in(page, site, "boss@desk.example")
    page.get_by_role("link", name="People").click()
    page.locator("#address").fill("officer@desk.example")
    page.locator("main form button[type=submit]").click()
    expect(page.get_by_role("status")).to_contain_text("The invitation has been made.")
    page.get_by_role("link", name="See who did what").click()
    expect(page.locator("tbody tr").first).to_contain_text("officer@desk.example")
    page.get_by_role("button", name="Check the whole log").click()
    expect(page.get_by_role("status")).to_contain_text("rows are as they were written")
    context.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_has_accessibility_faults_that_a_program_can_find_and_all_fit(
    browser: Browser, site: Live, language: str, width: int
) -> None:
    address = f"sees-all-{language}-{width}@desk.example"
    person_id = site.person(
        address, Grant(Role.ADMINISTRATOR), Grant(Role.OFFICER), name="A. Very Long-Name " * 4
    )
    context = context_of(browser, language, width=width)
    page = context.new_page()
    for path in ("/sign-in", "/sign-in/sent", "/sign-in/unknown", "/account/erased"):
        page.goto(site.url + path)
        check(page, width)
    page.goto(f"{site.url}/sign-in")
    page.locator("main button[type=submit]").click()
    check(page, width)
    sign_in(page, site, address)
    for path in (
        "/account", "/account?done=saved", "/account/keys", "/account/erase", "/people", f"/people/{person_id}", "/audit",
        "/audit?verify=true",
    ):  # fmt: skip
        page.goto(site.url + path)
        check(page, width)
    page.goto(f"{site.url}/account/keys")
    page.locator("main form.km-form button").click()
    check(page, width)
    page.locator("#name").fill("x")
    page.locator("#scope-read").check()
    page.locator("main form.km-form button").click()
    check(page, width)
    page.goto(f"{site.url}/people")
    page.locator("main form button[type=submit]").first.click()
    check(page, width)
    context.close()


def check(page: Page, width: int) -> None:
    found = Axe().run(page, options=AXE_RULES)
    assert found.violations_count == 0, page.url + found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
