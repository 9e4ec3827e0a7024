"""Real servers, as processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from api.cli import app; app()"]


def wait_until(happens: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait until it happens; fail after so many seconds."""
    until = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kennismatch(
    *arguments: str | Path, folder: Path = ROOT, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, its address, and the file with what it says."""

    process: subprocess.Popen[bytes]
    url: str
    port: int
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        return self.ask(urllib.request.Request(self.url + path))

    def match(self, text: str) -> dict[str, Any]:
        """The answer of the JSON API."""
        request = urllib.request.Request(
            self.url + "/api/v1/matches",
            data=json.dumps({"text": text}).encode(),
            headers={"Content-Type": "application/json"},
        )
        status, body = self.ask(request)
        assert status == 200, body
        answer: dict[str, Any] = json.loads(body)
        return answer

    @staticmethod
    def ask(request: urllib.request.Request) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz")[0] == 200
        except (urllib.error.URLError, ConnectionError):
            assert self.process.poll() is None, self.log.read_text()
            return False


@contextmanager
def serving(data: Path, log: Path, *arguments: str, **variables: str) -> Iterator[Server]:
    """`kennismatch serve` on a data folder."""
    port = free_port()
    environment = {**os.environ, **variables}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*COMMAND, "--data", str(data), "serve", "--port", str(port), *arguments],
            cwd=ROOT,
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Server(process, f"http://127.0.0.1:{port}", port, log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)
