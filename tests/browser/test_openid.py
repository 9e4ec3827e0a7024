"""Signing in at an identity provider on another site, in a real browser: its rules on cookies and on forms hold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, expect

from tests.accounts.openid_process import RunningProvider, provider_process
from tests.accounts.openid_provider import CLIENT_ID, CLIENT_SECRET
from tests.browser.conftest import free_port, is_ready
from tests.browser.test_main_job import AXE_RULES


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    """Another site than ours: `localhost` and 127.0.0.1 are two to a browser."""
    with provider_process("localhost") as running:
        yield running


@pytest.fixture(scope="module")
def address(provider: RunningProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without profiles that sends people to the provider."""
    folder = tmp_path_factory.mktemp("openid")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    variables = {
        "KENNISMATCH_DEMONSTRATION": "false",
        "KENNISMATCH_BASE_URL": url,
        "KENNISMATCH_OPENID_ISSUER": provider.issuer,
        "KENNISMATCH_OPENID_CLIENT_ID": CLIENT_ID,
        "KENNISMATCH_OPENID_CLIENT_SECRET": CLIENT_SECRET,
        "KENNISMATCH_OPENID_NAME": "Campus",
    }
    provider.set(returns_to=f"{url}/openid/return")
    command = [
        str(Path(sys.executable).with_name("kennismatch")),
        "--data", str(folder / "data"), "serve", "--port", str(port),
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **variables}
        )
        try:
            until = time.monotonic() + 120
            while not is_ready(url):
                assert process.poll() is None, (folder / "server.log").read_text()
                assert time.monotonic() < until, (folder / "server.log").read_text()
                time.sleep(0.3)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    opened = browser.new_context(locale="nl-NL", java_script_enabled=request.param)
    yield opened
    opened.close()


def test_there_and_back_again_and_out(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    complaints: list[str] = []
    page.on(  # the provider has no icon, which is not ours to mend
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type == "error" and message.location["url"].startswith(address)
            else None
        ),
    )
    page.goto(f"{address}/sign-in?next=/about")
    page.get_by_role("link", name="Inloggen met Campus").click()
    page.get_by_label("User").fill("yvonne")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/about")
    page.get_by_role("link", name="Yvonne").click()
    expect(page.locator("main")).to_contain_text("yvonne@campus.example")
    page.get_by_role("banner").get_by_role("button", name="Uitloggen").click()
    expect(page.get_by_role("banner").get_by_role("link", name="Inloggen")).to_be_visible()
    assert not complaints


def test_who_cancels_is_told_what_to_do(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="nl-NL")
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    assert Axe().run(page, options=AXE_RULES).violations_count == 0
    page.get_by_role("link", name="Inloggen met Campus").click()
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url(re.compile("/openid/return"))
    expect(page.get_by_role("heading", level=1)).to_have_text("U bent niet ingelogd")
    assert Axe().run(page, options=AXE_RULES).violations_count == 0
    page.get_by_role("link", name="Opnieuw inloggen").click()
    page.wait_for_url(f"{address}/sign-in")
    context.close()
