"""Commands on a full or read-only disk: one sentence, exit code 1, and all that was there is there afterwards."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from corpora.database import open_engine, reading
from corpora.store import Records
from matcher.generations import Generation
from matcher.live import live_name
from tests.matcher.zygote import can_mount

ROOT = Path(__file__).parents[2]

LIMITED = """
import resource, sys
from api.cli import app
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
app(prog_name="kennismatch")
"""
"""The command line with a limit on the size of each file, as a quota sets it."""

MOUNTED = """
import shutil, sys
from pathlib import Path
from api.cli import app
from tests.matcher.zygote import mount_tmpfs
folder, pages = Path(sys.argv.pop(1)), int(sys.argv.pop(1))
aside = folder.with_name("aside")
shutil.copytree(folder, aside)
used = sum(2 + path.stat().st_size // 4096 for path in aside.rglob("*"))
mount_tmpfs(str(folder), 4096 * (used + pages))
shutil.copytree(aside, folder, dirs_exist_ok=True)
try:
    app(prog_name="kennismatch")
finally:
    shutil.copytree(folder, folder.with_name("afterwards"))
"""
"""The command line on a file system of its own with so many free pages; what is left of it lies in `afterwards`."""


@pytest.fixture
def larger(collection: Path, tmp_path: Path) -> Path:
    """The collection with six hundred profiles more: some MB."""
    folder = tmp_path / "larger"
    shutil.copytree(collection, folder)
    lines = (folder / "groups.jsonl").read_text(encoding="utf-8").splitlines()
    group = json.loads(lines[0])
    for number in range(600):
        documents = [{**item, "id": f"{item['id']}-{number}"} for item in group["documents"]]
        lines.append(json.dumps({**group, "id": f"more-{number}", "documents": documents}))
    (folder / "groups.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def refused(program: str, *arguments: str | Path | int) -> str:
    """What a command says that finds no room: one message, no traceback."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("kennismatch: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def profiles_in(data: Path) -> int:
    """Profiles in the records, opened anew."""
    engine = open_engine(data / "kennismatch.sqlite")
    with reading(engine) as session:
        found = Records(session).count()
    engine.dispose()
    return found


def assert_whole_steps(data: Path) -> None:
    """An import stores a step at a time, all of it or nothing; before the first there were five profiles."""
    assert profiles_in(data) in {5, *range(100, 605, 100)}


def run_again(data: Path, larger: Path) -> None:
    """With room again, the same command brings the rest."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(2**40), "--data", str(data), "import", str(larger)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert profiles_in(data) == 605


class TestLimitOfEachFile:
    def test_import(self, data: Path, larger: Path) -> None:
        message = refused(LIMITED, 300_000, "--data", data, "import", larger)
        assert "the disk failed to read or write (often: full" in message
        assert_whole_steps(data)
        run_again(data, larger)

    def test_index(self, data: Path, larger: Path) -> None:
        refused(LIMITED, 20_000, "--data", data, "index", "--rebuild")
        assert live_name(data) == "g000001"
        assert len(Generation.open_current(data).profiles) == 5

    def test_backup(self, data: Path, tmp_path: Path) -> None:
        message = refused(LIMITED, 20_000, "--data", data, "backup", tmp_path / "kept" / "all.tar.gz")
        assert f"expected to write a backup in {tmp_path / 'kept'}, but" in message
        assert "make room on the disk or name another folder" in message
        assert not list((tmp_path / "kept").iterdir())
        assert profiles_in(data) == 5


if can_mount():  # elsewhere the tests above have to do

    class TestFullDisk:
        @pytest.mark.parametrize("pages", [0, 10, 40])
        def test_import(self, data: Path, larger: Path, pages: int) -> None:
            message = refused(MOUNTED, data, pages, "--data", data, "import", larger)
            assert "full; nothing was stored of this step; free some space" in message
            assert_whole_steps(data.with_name("afterwards"))
            run_again(data.with_name("afterwards"), larger)

        @pytest.mark.parametrize("pages", [0, 10])
        def test_index(self, data: Path, pages: int) -> None:
            message = refused(MOUNTED, data, pages, "--data", data, "index", "--rebuild")
            assert "make room on the disk" in message
            assert len(Generation.open_current(data.with_name("afterwards")).profiles) == 5
