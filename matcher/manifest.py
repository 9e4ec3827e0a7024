"""What a generation says about itself, and whether its files still are what it says."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

FORMAT_VERSION = 1
"""Raise it whenever this program could not read the files of an earlier generation."""

MANIFEST = "manifest.json"
SNAPSHOT = "snapshot.sqlite"
PASSAGES = "passages.faiss"
SENTENCES = "sentences.npy"
LEXICAL = "lexical"

Verify = Literal["size", "full"]
"""Compare the sizes of the files only, or their SHA-256 as well."""

REBUILD = "run `kennismatch index --rebuild`"


class GenerationError(Exception):
    """No generation can be opened: what was expected, what was found, what to do."""


class NoGenerationError(GenerationError):
    """Nothing has been indexed yet."""


class DamagedGenerationError(GenerationError):
    """Files are missing, changed or disagree; another generation may be whole."""


class OtherGenerationError(GenerationError):
    """The generation is whole, but of another format, analyser or encoder than those in use."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a generation holds."""

    profiles: int
    documents: int
    passages: int
    sentences: int


@dataclass(frozen=True, slots=True)
class FileSum:
    """Size and SHA-256 (hex) of a file."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a generation.

    `parent` is the generation that this one was made from by a small change (None after a full build),
    `changed_since_full` the number of profiles added, changed or removed since the last full build,
    `recipe` the version of how passages are cut and put to the encoder, and `has_sentences` says whether there are
    vectors of sentences (an index that is only measured needs none).
    """

    name: str
    encoder: str
    encoder_fingerprint: str
    dim: int
    analyser_version: str
    recipe: str
    has_sentences: bool
    counts: Counts
    files: dict[str, FileSum]
    created_at: str
    parent: str | None = None
    changed_since_full: int = 0
    format_version: int = FORMAT_VERSION

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into the folder."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `manifest.json`.

        Raises:
            DamagedGenerationError: it is missing or cannot be understood.
            OtherGenerationError: it is of another format.
        """
        try:
            raw: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            if raw["format_version"] != FORMAT_VERSION:
                raise OtherGenerationError(
                    f"expected an index of format {FORMAT_VERSION}, found format {raw['format_version']} "
                    f"in {folder.name}; {REBUILD}"
                )
            counts = Counts(**raw.pop("counts"))
            files = {name: FileSum(**item) for name, item in raw.pop("files").items()}
            return cls(counts=counts, files=files, **raw)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedGenerationError(
                f"expected {MANIFEST} in index generation {folder.name}, found none that can be read "
                f"({_short(error)}); {REBUILD}"
            ) from error

    def check_files(self, folder: Path, verify: Verify) -> None:
        """Compare the files of the folder with the manifest.

        Raises:
            DamagedGenerationError: a file is missing, or its size or checksum is another.
        """
        for name, expected in self.files.items():
            try:
                size = (folder / name).stat().st_size
                same = size == expected.size_bytes and (
                    verify == "size" or sha256(folder / name) == expected.sha256
                )
            except OSError as error:
                raise DamagedGenerationError(
                    f"expected the file {name} in index generation {folder.name}, found none that can be read "
                    f"({_short(error)}); {REBUILD}"
                ) from error
            if not same:
                found = f"{size} bytes" if size != expected.size_bytes else "other content of that size"
                raise DamagedGenerationError(
                    f"expected {name} in index generation {folder.name} to be as it was written "
                    f"({expected.size_bytes} bytes), found {found}; {REBUILD}"
                )


def sum_files(folder: Path) -> dict[str, FileSum]:
    """Size and checksum of every file below the folder, by its path in it; lock files and the manifest apart."""
    files: dict[str, FileSum] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST and path.suffix != ".lock":
            files[name] = FileSum(path.stat().st_size, sha256(path))
    return files


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync_tree(folder: Path) -> None:
    """Have everything below the folder, and the folder itself, written to the disk."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def sync(path: Path) -> None:
    """Have a file or a folder written to the disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _short(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"
