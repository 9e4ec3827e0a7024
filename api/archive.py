"""A data folder as one file: a .tar.gz with a manifest of checksums before all else.

It holds the records and the live generation of the index. The cache of vectors is left out: it can be made again.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from api.accounts.restoring import SinceThen, settle_restored, since_then
from api.archive_file import FORMAT, INDEX, MANIFEST, RECORDS, ArchiveError, Contents, Item, unpack
from api.files import written_whole
from corpora.database import (
    DatabaseError,
    open_engine,
    reading,
    settle,
    sqlite_module,
    unit_of_work,
    upgrade,
)
from corpora.store import Records
from matcher.generations import Generation, GenerationError
from matcher.live import generation_names, index_folder, live_name, number, swap
from matcher.locks import hold
from matcher.manifest import Manifest, sha256, sync_tree


def back_up(data_folder: Path, out: Path) -> Contents:
    """Write a backup; a server and an index builder may be at work meanwhile.

    Raises:
        ArchiveError: there is nothing to back up, or no room for it; nothing is left there then.
        OSError: `out` cannot be written; nothing is left there either.
    """
    if not (data_folder / RECORDS).exists():
        raise ArchiveError(f"expected records in {data_folder}, found none; name the data folder with --data")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".backup-") as work:
        staging = Path(work)
        _copy_records(data_folder / RECORDS, staging / RECORDS)
        generation = _copy_generation(data_folder, staging)
        items = tuple(
            Item(path.relative_to(staging).as_posix(), path.stat().st_size, sha256(path))
            for path in sorted(staging.rglob("*"))
            if path.is_file()
        )
        contents = Contents(FORMAT, datetime.now(UTC).isoformat(timespec="seconds"), generation, items)
        # Read rights for the owner alone: the records hold needs that nobody else may see.
        with (
            written_whole(out, mode=0o600) as stream,
            tarfile.open(fileobj=stream, mode="w:gz", compresslevel=6) as archive,
        ):
            text = json.dumps(asdict(contents), indent=1).encode()
            member = tarfile.TarInfo(MANIFEST)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
            for item in items:
                archive.add(staging / item.path, item.path, recursive=False)
    return contents


def restore(archive: Path, data_folder: Path, *, force: bool = False) -> Contents:
    """Put a backup in the place of what the data folder holds.

    Everything is unpacked beside and verified first. Then the generation is put beside those that are there, the
    records are replaced in one rename, and the generation is named live. Killed before that rename, the old data is
    as it was; after it, the records are the restored ones, and the next index run brings the index in line. What
    has been erased since the backup was made stays erased; all sessions and links end, keys that were revoked stay so,
    and mail that waited in the backup is not sent again by itself.

    Raises:
        ArchiveError: the file is no whole backup, or the folder holds data and `force` is not given.
        LockError: a server or an index builder is at work on the folder.
    """
    data_folder.mkdir(parents=True, exist_ok=True)
    if not force and ((data_folder / RECORDS).exists() or generation_names(data_folder)):
        raise ArchiveError(
            f"expected an empty data folder, but {data_folder} holds data; name another one with --data, "
            "or replace what is there with --force"
        )
    with hold(data_folder, "serve"), hold(data_folder, "write"), _staging(data_folder) as staging:
        contents = unpack(archive, staging)
        _check_records(staging / RECORDS)
        _keep_erased(data_folder / RECORDS, staging / RECORDS)
        if contents.generation is not None:
            _check_generation(staging / INDEX / contents.generation)
        sync_tree(staging)
        name = _place_generation(staging, data_folder, contents.generation)
        _settle(data_folder / RECORDS)
        (staging / RECORDS).replace(data_folder / RECORDS)
        if name is not None:
            swap(data_folder, name)
    return contents


def _copy_records(source: Path, target: Path) -> None:
    """Copy the records as they are at one moment (SQLite's backup interface), while others may write."""
    module = sqlite_module()
    before, after = module.connect(source), module.connect(target)
    try:
        before.backup(after)
    except module.DatabaseError as error:
        raise _no_room(target.parent.parent, error) from error
    finally:
        after.close()
        before.close()


def _no_room(folder: Path, reason: object) -> ArchiveError:
    return ArchiveError(
        f"expected to write a backup in {folder}, but: {reason}; nothing was left there and the data is unchanged; "
        "make room on the disk or name another folder; if it is the records that are damaged, restore an earlier backup"
    )


def _copy_generation(data_folder: Path, staging: Path) -> str | None:
    """Copy the live generation; an index run that removes it meanwhile makes us take the next one."""
    for _ in range(5):
        name = live_name(data_folder)
        if not name:
            return None
        target = staging / INDEX / name
        try:
            shutil.copytree(index_folder(data_folder) / name, target, ignore=shutil.ignore_patterns("*.lock"))
            Generation.open(target).close()
        except (OSError, GenerationError) as error:
            shutil.rmtree(staging / INDEX, ignore_errors=True)
            if live_name(data_folder) == name:
                if isinstance(error, shutil.Error):  # a list of every file that failed
                    raise _no_room(staging.parent, error.args[0][0][2]) from error
                raise
        else:
            return name
    raise ArchiveError(
        "expected an index that stays while it is copied, found a new one each time; try again"
    )


@contextmanager
def _staging(data_folder: Path) -> Iterator[Path]:
    """A folder in the data folder, so that renames stay on one disk; what an earlier restore left there goes."""
    for left in data_folder.glob(".restore-*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=data_folder, prefix=".restore-") as work:
        yield Path(work)


def _check_records(path: Path) -> None:
    engine = open_engine(path)
    engine.dispose()
    module = sqlite_module()
    connection = module.connect(path)
    try:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except module.DatabaseError as error:
        found = str(error)
    finally:
        connection.close()
    if found != "ok":
        raise ArchiveError(f"expected whole records in the backup, found: {found[:200]}; use another backup")


def _keep_erased(now: Path, restored: Path) -> None:
    """Take back from the restored records what has been erased or has ended since the backup was made."""
    erased: frozenset[str] = frozenset()
    since: SinceThen | None = None
    if now.exists():
        try:
            engine = open_engine(now)
            upgrade(engine)
            with reading(engine) as session:
                erased, since = Records(session).tombstones(), since_then(session)
            engine.dispose()
        except DatabaseError:
            # Damaged records are a reason to restore; who was erased in them cannot be told.
            pass
    engine = open_engine(restored)
    upgrade(engine)
    with unit_of_work(engine) as session:
        records = Records(session)
        for profile_id in erased - records.tombstones():
            records.delete_profile(profile_id)
        settle_restored(session, since, datetime.now(UTC))
    settle(engine)
    engine.dispose()


def _check_generation(folder: Path) -> None:
    try:
        Generation.open(folder).close()
    except GenerationError as error:
        raise ArchiveError(
            f"expected a whole index in the backup, found: {error}; use another backup"
        ) from error


def _place_generation(staging: Path, data_folder: Path, name: str | None) -> str | None:
    """Put the generation beside those that are there, under the next number; returns its name."""
    if name is None:
        return None
    held = generation_names(data_folder)
    new = name if name not in held else f"g{max(map(number, held)) + 1:06d}"
    folder = staging / INDEX / name
    replace(Manifest.read(folder), name=new).write(folder)
    index_folder(data_folder).mkdir(exist_ok=True)
    folder.rename(index_folder(data_folder) / new)
    return new


def _settle(path: Path) -> None:
    """Write the log of the old records into them and remove it, so that it is never taken for the new ones' log."""
    if not path.exists():
        return
    module = sqlite_module()
    try:
        connection = module.connect(path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    except module.DatabaseError:
        # What is replaced may be damaged; its log goes with it.
        pass
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
