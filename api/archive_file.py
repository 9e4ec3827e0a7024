"""The file that holds a backup: what it says about itself, and unpacking it with every check.

Nothing in it is trusted: only the files of its manifest are taken, only at places where a backup has any.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from matcher.live import number

FORMAT = 1
MANIFEST = "kennismatch-backup.json"
RECORDS = "kennismatch.sqlite"
INDEX = "index"
MAX_MANIFEST_BYTES = 16 * 2**20
_CHUNK = 1 << 20


class ArchiveError(Exception):
    """A backup cannot be made or restored: what was expected, what was found, what to do."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file of the backup."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup says about itself; `generation` is None where nothing was indexed."""

    format: int
    created_at: str
    generation: str | None
    items: tuple[Item, ...]


def unpack(archive: Path, folder: Path) -> Contents:
    """Unpack a backup into an empty folder, checking every file against the manifest.

    Raises:
        ArchiveError: it is no backup, of another format, or damaged; or it holds a file that does not belong.
    """
    try:
        with tarfile.open(archive, mode="r|gz") as stream:
            contents = _read_manifest(stream, archive)
            expected = {item.path: item for item in contents.items}
            free = shutil.disk_usage(folder).free
            needed = sum(item.size_bytes for item in contents.items)
            if needed > free:
                raise ArchiveError(
                    f"expected {needed:,} bytes of free disk for the restored data, found {free:,}; make room"
                )
            while (member := stream.next()) is not None:
                item = expected.pop(member.name, None)
                if item is None or not member.isreg() or member.size != item.size_bytes:
                    raise ArchiveError(
                        f"expected only the files of its manifest in {archive}, found {member.name[:100]!r}; "
                        "nothing was restored; use another backup"
                    )
                source = stream.extractfile(member)
                if source is not None:
                    _write(source, folder / item.path, item)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and not archive.exists():
            raise ArchiveError(f"expected a backup at {archive}, found no file; check the name") from error
        raise ArchiveError(
            f"expected a whole backup in {archive}, found a file that cannot be read ({error}); "
            "nothing was restored; use another backup"
        ) from error
    if expected:
        raise ArchiveError(
            f"expected {len(contents.items)} files in {archive}, found {len(contents.items) - len(expected)}; "
            "nothing was restored; use another backup"
        )
    return contents


def _read_manifest(stream: tarfile.TarFile, archive: Path) -> Contents:
    member = stream.next()
    source = stream.extractfile(member) if member is not None and member.isreg() else None
    if member is None or source is None or member.name != MANIFEST or member.size > MAX_MANIFEST_BYTES:
        raise ArchiveError(
            f"expected a backup made by `kennismatch backup` in {archive}, found something else"
        )
    raw: dict[str, Any] = json.loads(source.read())
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = raw.get("format") if isinstance(raw, dict) else "none"
        raise ArchiveError(
            f"expected a backup of format {FORMAT}, found {found!r}; restore it with the version that made it"
        )
    try:
        items = tuple(
            Item(str(one["path"]), int(one["size_bytes"]), str(one["sha256"])) for one in raw["items"]
        )
        contents = Contents(FORMAT, str(raw["created_at"]), raw["generation"], items)
    except (KeyError, TypeError) as error:
        raise ArchiveError(
            f"expected a whole manifest in {archive}, found {error!r} missing; use another backup"
        ) from error
    for item in items:
        if not _belongs(item.path, contents.generation):
            raise ArchiveError(
                f"expected only records and one generation in {archive}, found a file for {item.path[:100]!r}; "
                "nothing was restored"
            )
    if RECORDS not in {item.path for item in items}:
        raise ArchiveError(f"expected records in {archive}, found none; use another backup")
    return contents


def _belongs(path: str, generation: str | None) -> bool:
    """Whether a path is one that a backup has: no other folder, nothing above its own."""
    parts = PurePosixPath(path).parts
    if path == RECORDS:
        return True
    inside = generation is not None and number(generation) > 0 and parts[:2] == (INDEX, generation)
    plain = "/".join(parts) == path and ".." not in parts and "\\" not in path and "\0" not in path
    return inside and plain and len(parts) > 2


def _write(source: IO[bytes], path: Path, item: Item) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("xb") as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
    if digest.hexdigest() != item.sha256:
        raise ArchiveError(
            f"expected {item.path} as it was backed up, found other content; nothing was restored; use another backup"
        )
