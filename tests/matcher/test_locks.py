"""One server and one builder a data folder; the second is told who the first is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from matcher.locks import LockError, hold

ROOT = Path(__file__).parents[2]


def test_the_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from matcher.locks import hold\n"
        "with hold(Path(sys.argv[1]), 'serve'):\n    os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=False, timeout=60)
    assert (tmp_path / "serve.lock").read_text().strip().isdecimal()
    with hold(tmp_path, "serve"):
        assert (tmp_path / "serve.lock").read_text() == f"{os.getpid()}\n"


def test_server_and_builder_do_not_shut_each_other_out(tmp_path: Path) -> None:
    only = pytest.raises(LockError, match="expected to be the only server")
    with hold(tmp_path, "serve"), hold(tmp_path, "write"), only as second, hold(tmp_path, "serve"):
        pass
    assert second.value.pid == os.getpid()


def test_a_data_folder_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LockError, match="Not a directory"), hold(tmp_path / "file" / "data", "write"):
        pass


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(tmp_path, "write"):
        raise ZeroDivisionError
    with hold(tmp_path, "write"):
        pass
