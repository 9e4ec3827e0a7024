"""The identity provider of the tests, started and told what to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from tests.api.servers import free_port, wait_until


@dataclass(frozen=True, slots=True)
class RunningProvider:
    """It runs at `issuer`."""

    issuer: str

    def set(self, **given: Any) -> list[str]:
        """Tell it what to do from now on; returns the paths that it was asked for since the last time."""
        with requests.post(f"{self.issuer}/-/set", json=given, timeout=10) as answer:
            asked: list[str] = answer.json()["asked"]
        return asked

    def log_in(self, address: str, user: str = "", *, cancel: bool = False) -> str:
        """Do at its login page what a person does; returns where the browser is sent."""
        with requests.get(address, timeout=10) as page:
            assert page.status_code == 200, page.text
        data = {
            **dict(parse_qsl(urlsplit(address).query)),
            "user": user,
            **({"cancel": "yes"} if cancel else {}),
        }
        with requests.post(address, data=data, timeout=10, allow_redirects=False) as answer:
            return str(answer.headers["Location"])


@contextmanager
def provider_process(host: str = "127.0.0.1") -> Iterator[RunningProvider]:
    """A provider as a process; `host` is how it calls itself."""
    port = free_port()
    issuer = f"http://{host}:{port}"
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("openid_provider.py")), str(port), issuer]
    )

    def runs() -> bool:
        assert process.poll() is None
        try:
            with requests.get(f"{issuer}/jwks", timeout=5) as answer:
                return answer.status_code == 200
        except requests.ConnectionError:
            return False

    try:
        wait_until(runs)
        yield RunningProvider(issuer)
    finally:
        process.terminate()
        process.wait(10)
