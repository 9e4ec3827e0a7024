"""`kennismatch serve` as a process: its lock, its port, its log, its index."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import WELDING
from tests.api.servers import Server, free_port, kennismatch, serving, wait_until


@pytest.fixture
def server(data: Path, tmp_path: Path) -> Iterator[Server]:
    with serving(data, tmp_path / "server.log") as running:
        wait_until(running.is_ready)
        yield running


@pytest.fixture(scope="module")
def shared(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for tests that change nothing; its data folder is `data` beside its log."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copytree(prepared, folder / "data")
    with serving(folder / "data", folder / "server.log") as running:
        wait_until(running.is_ready)
        yield running


def test_it_names_its_address_and_answers(shared: Server) -> None:
    assert f"Kennismatch is at http://127.0.0.1:{shared.port}/" in shared.log.read_text()
    assert shared.match(WELDING)["matches"][0]["profile"]["id"] == "lasprocessen"


@pytest.mark.parametrize(("ask", "codes"), [(signal.SIGTERM, (0, -signal.SIGTERM)), (signal.SIGINT, (0,))])
def test_it_ends_in_peace(server: Server, ask: signal.Signals, codes: tuple[int, ...]) -> None:
    server.process.send_signal(ask)
    assert server.process.wait(30) in codes
    assert "Aborted" not in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


def test_a_second_server_on_the_folder_is_told_who_is_there(shared: Server) -> None:
    data = shared.log.with_name("data")
    second = kennismatch("--data", data, "serve", "--port", "0")
    assert second.returncode == 1
    assert f"process {shared.process.pid} holds serve.lock" in second.stderr
    assert "use that server, stop it first, or name another data folder with --data" in second.stderr
    assert "Traceback" not in second.stderr
    # Every other command works beside it, and leaves the lock as it is.
    status = json.loads(kennismatch("--data", data, "status", "--json").stdout)
    assert (status["server_pid"], status["writer_pid"]) == (shared.process.pid, None)
    assert kennismatch("--data", data, "backup", data.parent / "backup.tar.gz").returncode == 0
    restored = kennismatch("--data", data, "restore", data.parent / "backup.tar.gz", "--force")
    assert restored.returncode == 1
    assert "holds serve.lock" in restored.stderr


def test_a_port_in_use(data: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = taken.getsockname()[1]
        result = kennismatch("serve", "--data", data, KENNISMATCH_PORT=str(port))
    assert result.returncode == 1
    assert f"expected a free port {port} on 127.0.0.1, but another program listens there" in result.stderr
    assert "choose another port with --port or KENNISMATCH_PORT" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_an_address_that_is_not_ours(data: Path, host: str) -> None:
    result = kennismatch("serve", "--data", data, "--host", host, "--port", "0")
    assert result.returncode == 1
    assert result.stderr.startswith("kennismatch: expected ")
    assert "--host" in result.stderr


def test_the_text_of_a_need_is_in_no_log_and_no_address(shared: Server) -> None:
    secret = "zilverreigertandwiel"
    text = f"Wij maken een {secret} van dunwandig aluminium."
    shared.match(text)
    form = urllib.parse.urlencode({"text": text}).encode()
    with urllib.request.urlopen(f"{shared.url}/needs", form) as answer:
        assert secret in answer.read().decode()
        address = answer.url
    need_id = address.rpartition("/")[2]
    assert secret not in address
    shared.get(f"/profiles?q={secret}")
    shared.get(f"/{secret}")
    shared.get(f"/profiles/{secret}?mark={secret}")
    shared.ask(urllib.request.Request(f"{shared.url}/about", headers={"Referer": f"http://x/{secret}"}))
    shared.ask(
        urllib.request.Request(f"{shared.url}/api/v1/matches", data=f'{{"text": ["{secret}"]}}'.encode())
    )
    wait_until(lambda: shared.log.read_text().count('"event": "request"') >= 8)
    log = shared.log.read_text()
    assert secret not in log
    assert need_id not in log
    assert '"route": "/needs/{need_id}"' in log


def test_a_new_generation_made_beside_it_is_served_within_two_seconds(
    server: Server, data: Path, collection: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "collection"
    shutil.copytree(collection, folder)
    text = (folder / "groups.jsonl").read_text(encoding="utf-8")
    (folder / "groups.jsonl").write_text(
        text.replace("Acoustics and Vibration", "Quiet Machines"), encoding="utf-8"
    )
    assert kennismatch("--data", data, "import", folder).returncode == 0
    assert kennismatch("--data", data, "index").returncode == 0
    wait_until(lambda: '"generation":"g000002"' in server.get("/readyz")[1], seconds=2.0)
    names = [match["profile"]["name"] for match in server.match("noise of machines")["matches"]]
    assert "Quiet Machines" in names


def test_roll_back_beside_it(server: Server, data: Path) -> None:
    assert kennismatch("--data", data, "index", "--rebuild").returncode == 0
    wait_until(lambda: '"generation":"g000002"' in server.get("/readyz")[1], seconds=2.0)
    assert kennismatch("--data", data, "rollback").returncode == 0
    wait_until(lambda: '"generation":"g000001"' in server.get("/readyz")[1], seconds=2.0)


def test_an_index_that_somebody_went_back_to_stays_over_a_restart(
    data: Path, collection: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "collection"
    shutil.copytree(collection, folder)
    text = (folder / "groups.jsonl").read_text(encoding="utf-8")
    (folder / "groups.jsonl").write_text(text.replace("Acoustics", "Quietness"), encoding="utf-8")
    assert kennismatch("--data", data, "import", folder).returncode == 0
    assert kennismatch("--data", data, "index").returncode == 0
    assert kennismatch("--data", data, "rollback").returncode == 0
    with serving(data, tmp_path / "server.log") as server:
        wait_until(server.is_ready)
        wait_until(lambda: "index_rolled_back" in server.log.read_text())
        assert '"generation":"g000001"' in server.get("/readyz")[1]
        assert "went back from g000002" in kennismatch("--data", data, "status").stderr
        assert kennismatch("--data", data, "index").returncode == 0
        wait_until(lambda: '"generation":"g000003"' in server.get("/readyz")[1], seconds=2.0)


def test_the_live_generation_is_deleted_under_it(server: Server, data: Path) -> None:
    shutil.rmtree(data / "index" / "g000001")
    assert server.match(WELDING)["matches"][0]["profile"]["id"] == "lasprocessen"


@pytest.mark.parametrize("harm", ["deleted", "truncated", "of another model"])
def test_it_mends_an_index_that_cannot_be_used(data: Path, tmp_path: Path, harm: str) -> None:
    generation = data / "index" / "g000001"
    if harm == "deleted":
        shutil.rmtree(generation)
    elif harm == "truncated":
        (generation / "passages.faiss").write_bytes((generation / "passages.faiss").read_bytes()[:100])
    else:
        manifest = json.loads((generation / "manifest.json").read_text())
        manifest["encoder"] = manifest["encoder_fingerprint"] = "another"
        (generation / "manifest.json").write_text(json.dumps(manifest))
    with serving(data, tmp_path / "server.log") as server:
        wait_until(server.is_ready)
        assert server.match(WELDING)["matches"][0]["profile"]["id"] == "lasprocessen"
        assert server.match(WELDING)["generation"] != "g000001"


def test_records_that_changed_are_indexed_at_the_start(data: Path, collection: Path, tmp_path: Path) -> None:
    folder = tmp_path / "collection"
    shutil.copytree(collection, folder)
    text = (folder / "groups.jsonl").read_text(encoding="utf-8")
    (folder / "groups.jsonl").write_text(
        text.replace("Acoustics and Vibration", "Quiet Machines"), encoding="utf-8"
    )
    assert kennismatch("--data", data, "import", folder).returncode == 0
    with serving(data, tmp_path / "server.log") as server:
        wait_until(server.is_ready)
        wait_until(lambda: '"generation":"g000002"' in server.get("/readyz")[1])


def test_a_first_start_is_up_at_once_shows_progress_and_imports_the_demonstration(tmp_path: Path) -> None:
    with serving(tmp_path / "data", tmp_path / "server.log") as server:

        def is_up() -> bool:
            try:
                return server.get("/healthz")[0] == 200
            except OSError:
                return False

        wait_until(is_up)
        status, page = server.get("/?lang=en")
        assert status == 503
        assert re.search(r'km-step--now"><span>[^<]+</span><span role="status">', page)
        wait_until(lambda: not re.search('"stage":"(start|encoder|import)"', server.get("/readyz")[1]))
        assert server.get("/profiles")[0] == 200
        assert "65 profiles" in server.get("/profiles?lang=en")[1]
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) in (0, -signal.SIGTERM)
    said = server.log.read_text()
    assert "Importing profiles: 65 of 65" in said
    assert "Traceback" not in said
    assert not list((tmp_path / "data" / "index").glob(".building-*"))
