"""Files of one JSON object a line, read a line at a time, and what is wrong with them.

A trouble of one line is a `BrokenLine`, and reading goes on; a trouble of the whole file is a
`CollectionError`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

MAX_LINE_BYTES = 10_000_000
"""The largest line that is read: some 500 long documents of one group. More is a broken file."""

_SHOWN_CHARS = 60

_WRONG_STARTS = (
    (b"\xff\xfe\x00\x00", "UTF-32"), (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"), (b"{\x00", "UTF-16"), (b"\x00{", "UTF-16"),
    (b"\x1f\x8b", "gzip"), (b"PK\x03\x04", "zip"), (b"\xfd7zXZ", "xz"), (b"SQLite format 3", "SQLite"),
)  # fmt: skip
_BOM = b"\xef\xbb\xbf"


class CollectionError(ValueError):
    """A collection cannot be read at all. The message says what was expected, what was found, what to do."""


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that was left out: `line` counts from 1, `reason` says expected, found and what to do."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class JsonLine:
    """An object of the file: its line, the offset (bytes) where the line ends, and its fields."""

    line: int
    end_bytes: int
    fields: dict[str, Any]


class LineError(ValueError):
    """What is wrong with one line; becomes the reason of a `BrokenLine`."""


def shown(value: object) -> str:
    """Return a value as it is written in a message: short, on one line, without control characters."""
    text = ascii(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"


def read_objects(path: Path) -> Iterator[tuple[int, JsonLine | BrokenLine]]:
    """Yield, for each line that is not blank, the offset (bytes) of its end and the object or the trouble.

    A byte-order mark and CRLF line ends are accepted. Raises `CollectionError` where the file is missing,
    no file, unreadable, or not UTF-8 from its first bytes.
    """
    for number, end, raw in read_raw_lines(path):
        if isinstance(raw, BrokenLine):
            yield end, raw
            continue
        try:
            yield end, JsonLine(number, end, _parse(raw, end - len(raw)))
        except LineError as error:
            yield end, BrokenLine(path.name, number, str(error))


def read_raw_lines(path: Path) -> Iterator[tuple[int, int, bytes | BrokenLine]]:
    """Yield line number, offset of its end (bytes), and the line's bytes or why it cannot be read."""
    try:
        with path.open("rb") as file:
            _check_start(path, file)
            yield from _lines(path, file)
    except FileNotFoundError as error:
        raise CollectionError(
            f"expected the file {path.name} in {path.parent}, found none; check the folder's name, or "
            "export the collection again"
        ) from error
    except IsADirectoryError as error:
        raise CollectionError(
            f"expected {path} to be a file, found a folder; name the folder that holds {path.name}"
        ) from error
    except OSError as error:
        raise CollectionError(
            f"cannot read {path}: {error.strerror or error}; check that this user may read the file"
        ) from error


def size_bytes(path: Path) -> int:
    """Return a file's size, at least 1, so that a share of it can be taken."""
    return max(1, path.stat().st_size) if path.is_file() else 1


def _check_start(path: Path, file: BinaryIO) -> None:
    start = file.read(16)
    for sign, name in _WRONG_STARTS:
        if start.startswith(sign):
            remedy = (
                f"convert it, for example: iconv -f {name} -t UTF-8 {path.name}"
                if name.startswith("UTF")
                else "unpack it, or name the folder of the collection itself"
            )
            raise CollectionError(
                f"{path}: expected UTF-8 text, found {name} (by its first bytes, offset 0); {remedy}"
            )
    file.seek(len(_BOM) if start.startswith(_BOM) else 0, os.SEEK_SET)


def _lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, int, bytes | BrokenLine]]:
    number = 0
    end = file.tell()
    while raw := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        end += len(raw)
        if len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
            length = len(raw)
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(MAX_LINE_BYTES)
                length += len(raw)
            end += length - MAX_LINE_BYTES - 1
            yield (
                number,
                end,
                BrokenLine(
                    path.name,
                    number,
                    f"expected at most {MAX_LINE_BYTES:,} bytes in a line, found {length:,}; "
                    "split the group or shorten its texts",
                ),
            )
        elif raw.strip():
            yield number, end, raw


def _parse(raw: bytes, offset: int) -> dict[str, Any]:
    text = decoded(raw, offset).rstrip("\r\n")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise LineError(
            f"expected one JSON object, found an error at character {error.pos + 1} ({error.msg}): "
            f"{shown(text.strip())}; mend the line or export it again"
        ) from error
    except (RecursionError, ValueError) as error:
        raise LineError(
            "expected one JSON object, found nesting or a number beyond what can be read; mend the line"
        ) from error
    if not isinstance(value, dict):
        raise LineError(f"expected a JSON object, found {shown(value)}; write one object in braces a line")
    return value


def decoded(raw: bytes, offset: int) -> str:
    """Return a line as text. `offset` is where it starts in the file. Raises `LineError` if not UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LineError(
            f"expected UTF-8, found the byte 0x{raw[error.start]:02X} at byte {offset + error.start} of the "
            "file; the line may be in Windows-1252 or Latin-1: convert it, for example: "
            "iconv -f WINDOWS-1252 -t UTF-8"
        ) from error
