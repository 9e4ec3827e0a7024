"""The demonstration collection that comes with the program: fictional profiles, and needs to try."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

SEED = "vectors.npz"


@dataclass(frozen=True, slots=True)
class Example:
    """A need to try; `language` is "nl" or "en"."""

    text: str
    language: str


@contextmanager
def collection_folder() -> Iterator[Path]:
    """The collection as a folder on disk."""
    with as_file(files("corpora") / "demo") as folder:
        yield folder


def seed() -> Path | None:
    """File of vectors of its texts, made by the default encoder; None where the program came without."""
    with collection_folder() as folder:
        path = folder / SEED
        return path if path.exists() else None


@lru_cache(maxsize=1)
def profile_ids() -> frozenset[str]:
    """Ids of the fictional profiles."""
    return frozenset(str(line["id"]) for line in _lines("groups.jsonl"))


@lru_cache(maxsize=1)
def examples() -> tuple[Example, ...]:
    """Needs to try, in the order of the collection: those that share words with their answer, as most needs do."""
    return tuple(
        Example(str(line["text"]), str(line["language"]))
        for line in _lines("needs.jsonl")
        if not line.get("disjoint")
    )


def _lines(name: str) -> Iterator[dict[str, object]]:
    with (files("corpora") / "demo" / name).open(encoding="utf-8") as stream:
        for line in stream:
            if line.strip():
                yield json.loads(line)
