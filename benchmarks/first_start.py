"""From a clean clone to the first answer: clones this checkout, runs `make serve`, asks, and says how long it took.

    python -m benchmarks.first_start

The package cache is as warm as pip's is. Nothing of the clone stays.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEED = "Wie kan ons helpen om dunwandig aluminium te lassen zonder vervorming?"
TIMEOUT_S = 900.0


def ask(port: int) -> str | None:
    """Name of the best match, or None while the server cannot answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/matches",
        data=json.dumps({"text": NEED}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(json.load(answer)["matches"][0]["profile"]["name"])
    except (urllib.error.URLError, OSError):
        return None


def main() -> None:
    """Measure and print."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        environment = {**os.environ, "KENNISMATCH_PORT": str(port)}
        started = time.perf_counter()
        server = subprocess.Popen(["make", "serve"], cwd=clone, env=environment, start_new_session=True)
        installed = 0.0
        try:
            while (best := ask(port)) is None:
                assert server.poll() is None, "make serve ended"
                assert time.perf_counter() - started < TIMEOUT_S, "no answer in time"
                if not installed and (clone / ".venv" / "serve.stamp").exists():
                    installed = time.perf_counter() - started
                time.sleep(0.25)
            print(
                f"make serve: installed after {installed:.0f} s, first answer after {time.perf_counter() - started:.0f} s"
            )
            print(f"best match: {best}")
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=60)


if __name__ == "__main__":
    main()
