"""Files that say whether they are whole: written completely or not at all, with a checksum at the end.

A sealed file is a body followed by a trailer of 48 bytes: a magic of 8, the length of the body as an
unsigned 64-bit little-endian number, and its SHA-256. Readers of the body's own format (FAISS's) stop where the
body ends, so the trailer does not disturb them. One file, because two cannot be replaced in one step.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from embeddings.vectors import VectorIndexError

MAGIC = b"KMSEAL01"
TRAILER = struct.Struct("<8sQ32s")
AGAIN = "build the index again, or go back to the previous generation"


def write_sealed(path: Path, write_body: Callable[[Path], None]) -> None:
    """Let `write_body` write a temporary file beside `path`, seal it, and put it in place.

    Raises `VectorIndexError` if the disk is full or the folder cannot be written; `path` is then as it was.
    """
    try:
        temporary = path.with_name(f".{path.name}-{uuid4().hex}.tmp")
        try:
            write_body(temporary)
            _seal(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync(path.parent)
    except (OSError, RuntimeError) as error:  # FAISS reports a failed write as RuntimeError
        raise VectorIndexError(
            f"expected to write the vector index {path}, found: {error}; make room or give write access, and repeat"
        ) from error


def check_seal(path: Path) -> None:
    """Raise `VectorIndexError` unless `path` is a sealed file whose body is what was written."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size < TRAILER.size:
                raise VectorIndexError(
                    f"expected a vector index of at least {TRAILER.size} bytes in {path}, found {size}; {AGAIN}"
                )
            file.seek(size - TRAILER.size)
            magic, length, expected = TRAILER.unpack(file.read(TRAILER.size))
            if magic != MAGIC:
                raise VectorIndexError(
                    f"expected {MAGIC!r} at the end of the vector index {path}, found {magic!r}: "
                    f"the file is cut short or of another format; {AGAIN}"
                )
            if length != size - TRAILER.size:
                raise VectorIndexError(
                    f"expected a vector index of {length} bytes in {path}, found {size - TRAILER.size}; {AGAIN}"
                )
            file.seek(0)
            found = _digest(file, length)
    except OSError as error:
        raise VectorIndexError(f"expected a vector index in {path}, found: {error}; {AGAIN}") from error
    if found != expected:
        raise VectorIndexError(
            f"expected sha256 {expected.hex()} for the vector index {path}, found {found.hex()}; {AGAIN}"
        )


def _seal(path: Path) -> None:
    with path.open("r+b") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        digest = _digest(file, length)
        file.seek(length)
        file.write(TRAILER.pack(MAGIC, length, digest))
        file.flush()
        os.fsync(file.fileno())


def _digest(file: BinaryIO, length: int) -> bytes:
    """SHA-256 of the next `length` bytes, a MiB at a time: an index may be larger than memory allows twice."""
    digest = hashlib.sha256()
    while length > 0 and (block := file.read(min(length, 1 << 20))):
        digest.update(block)
        length -= len(block)
    return digest.digest()


def _sync(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
