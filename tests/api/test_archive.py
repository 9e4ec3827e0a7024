"""`backup` and `restore`: everything or nothing, and nothing that does not belong."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from api import archive as archives
from api.archive import back_up, restore
from api.archive_file import MANIFEST, RECORDS, ArchiveError
from api.needs import new_need
from corpora.database import open_engine, reading, unit_of_work
from corpora.model import Profile
from corpora.need_store import Needs
from corpora.store import Records
from matcher.generations import Generation
from matcher.live import generation_names, live_name
from matcher.locks import LockError, hold
from matcher.model import Filters


@pytest.fixture
def backup(data: Path, tmp_path: Path) -> Path:
    """A backup of the prepared folder, with one need in it."""
    engine = open_engine(data / RECORDS)
    with unit_of_work(engine) as session:
        Needs(session).add(new_need("lassen", "nl", Filters(), 30))
    engine.dispose()
    back_up(data, tmp_path / "backup.tar.gz")
    return tmp_path / "backup.tar.gz"


def contents(folder: Path) -> tuple[list[Profile], int]:
    """The profiles and the number of needs."""
    engine = open_engine(folder / RECORDS)
    with reading(engine) as session:
        found = list(Records(session).profiles()), Records(session).counts().needs
    engine.dispose()
    return found


def remade(backup: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The backup with its files changed, in their order."""
    with tarfile.open(backup) as stream:
        files = {member.name: stream.extractfile(member).read() for member in stream.getmembers()}  # type: ignore[union-attr]
    change(files)
    out = backup.with_name("changed.tar.gz")
    with tarfile.open(out, "w:gz") as stream:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            stream.addfile(member, io.BytesIO(content))
    return out


def refuse(archive: Path, folder: Path, says: str) -> None:
    """The archive is refused with these words, and the folder stays as it is."""
    before = contents(folder) if (folder / RECORDS).exists() else None
    with pytest.raises(ArchiveError, match=says):
        restore(archive, folder, force=True)
    assert not list(folder.glob(".restore-*"))
    if before is None:
        assert not (folder / RECORDS).exists()
    else:
        assert contents(folder) == before
        Generation.open_current(folder)


def test_there_and_back(backup: Path, data: Path, tmp_path: Path) -> None:
    restore(backup, tmp_path / "other")
    assert contents(tmp_path / "other") == contents(data)
    assert contents(data)[1] == 1
    generation = Generation.open_current(tmp_path / "other")
    assert (generation.name, len(generation.profiles)) == ("g000001", 5)
    assert backup.stat().st_mode & 0o077 == 0


def test_it_replaces_only_with_force(backup: Path, data: Path) -> None:
    with pytest.raises(ArchiveError, match="holds data; name another one with --data, or replace"):
        restore(backup, data)
    restore(backup, data, force=True)
    assert live_name(data) == "g000002"
    assert Generation.open_current(data).name == "g000002"
    assert generation_names(data) == ["g000001", "g000002"]


def test_what_was_erased_since_stays_erased(backup: Path, data: Path) -> None:
    engine = open_engine(data / RECORDS)
    with unit_of_work(engine) as session:
        Records(session).delete_profile("akoestiek")
    engine.dispose()
    restore(backup, data, force=True)
    assert "akoestiek" not in {profile.id for profile in contents(data)[0]}


def test_not_under_a_server_or_an_index_builder(backup: Path, data: Path) -> None:
    for name in ("serve", "write"):
        with hold(data, name), pytest.raises(LockError):  # type: ignore[arg-type]
            restore(backup, data, force=True)


def test_damage_is_found_before_anything_is_replaced(backup: Path, data: Path) -> None:
    def flip(files: dict[str, bytes]) -> None:
        content = bytearray(files[RECORDS])
        content[5000] ^= 1
        files[RECORDS] = bytes(content)

    refuse(remade(backup, flip), data, "found other content; nothing was restored")


def test_a_part_is_missing(backup: Path, data: Path) -> None:
    def drop(files: dict[str, bytes]) -> None:
        files.popitem()

    refuse(remade(backup, drop), data, r"expected \d+ files in .*, found \d+; nothing was restored")


@pytest.mark.parametrize("cut", [0, 10, 2000, -3000])
def test_a_file_that_is_cut_off(backup: Path, data: Path, cut: int) -> None:
    short = backup.with_name("short.tar.gz")
    short.write_bytes(backup.read_bytes()[:cut])
    refuse(short, data, "found a file that cannot be read|found something else")


@pytest.mark.parametrize(
    "path",
    ["../outside", "/tmp/outside", "index/g000001/../../../outside", "index/g000009/manifest.json", "serve.lock",
     "index/CURRENT", "index/g000001", "index/g000001//x", "index/g000001/..\\x"],
)  # fmt: skip
def test_a_file_that_does_not_belong_is_refused(backup: Path, data: Path, path: str) -> None:
    def smuggle(files: dict[str, bytes]) -> None:
        manifest = json.loads(files[MANIFEST])
        manifest["items"].append({"path": path, "size_bytes": 1, "sha256": "0" * 64})
        files[MANIFEST] = json.dumps(manifest).encode()
        files[path] = b"x"

    refuse(remade(backup, smuggle), data, "found a file for")
    assert not list(backup.parent.rglob("outside"))


def test_a_file_beside_the_manifest_is_refused(backup: Path, data: Path) -> None:
    def smuggle(files: dict[str, bytes]) -> None:
        files["../outside"] = b"x"

    refuse(remade(backup, smuggle), data, "expected only the files of its manifest")


def test_a_link_is_refused(backup: Path, data: Path) -> None:
    with tarfile.open(backup) as stream:
        manifest = stream.extractfile(MANIFEST).read()  # type: ignore[union-attr]
    out = backup.with_name("link.tar.gz")
    with tarfile.open(out, "w:gz") as stream:
        head = tarfile.TarInfo(MANIFEST)
        head.size = len(manifest)
        stream.addfile(head, io.BytesIO(manifest))
        link = tarfile.TarInfo(RECORDS)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        stream.addfile(link)
    refuse(out, data, "expected only the files of its manifest")


def test_another_kind_of_file(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.tar.gz"
    other.write_text("no archive")
    refuse(other, data, "found a file that cannot be read")
    with tarfile.open(other, "w:gz") as stream:
        stream.addfile(tarfile.TarInfo("readme"))
    refuse(other, data, "expected a backup made by `kennismatch backup`")
    with pytest.raises(ArchiveError, match="found no file; check the name"):
        restore(tmp_path / "none.tar.gz", tmp_path / "empty")


def test_a_later_format(backup: Path, data: Path) -> None:
    def later(files: dict[str, bytes]) -> None:
        files[MANIFEST] = json.dumps({**json.loads(files[MANIFEST]), "format": 2}).encode()

    refuse(remade(backup, later), data, "expected a backup of format 1, found 2")


def test_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="expected records in"):
        back_up(tmp_path / "none", tmp_path / "backup.tar.gz")
    assert list(tmp_path.iterdir()) == []


def test_without_an_index_the_records_come_back(data: Path, tmp_path: Path) -> None:
    shutil.rmtree(data / "index")
    back_up(data, tmp_path / "backup.tar.gz")
    restore(tmp_path / "backup.tar.gz", tmp_path / "other")
    assert len(contents(tmp_path / "other")[0]) == 5
    assert live_name(tmp_path / "other") is None


@pytest.mark.parametrize("stop", ["_settle", "swap"])
def test_broken_off_half_way_leaves_records_and_index_whole(
    backup: Path, data: Path, stop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(data / RECORDS)
    with unit_of_work(engine) as session:
        Needs(session).add(new_need("later", "nl", Filters(), 30))
    engine.dispose()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(archives, stop, die)
        with pytest.raises(KeyboardInterrupt):
            restore(backup, data, force=True)
    # Before the rename of the records all is as it was; after it the records are the restored ones.
    assert contents(data)[1] == (2 if stop == "_settle" else 1)
    assert Generation.open_current(data).name == "g000001"
