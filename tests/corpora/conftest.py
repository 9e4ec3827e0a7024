"""Records in a folder of the test's own, and collections written line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from corpora.database import open_engine, unit_of_work, upgrade
from corpora.model import Organisation, Profile, ProfileKind
from corpora.store import Records


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(tmp_path / "data" / "kennismatch.sqlite")
    upgrade(opened)
    yield opened
    opened.dispose()


def profile(name: str, organisation: str = "University of Kent", **changes: object) -> Profile:
    """A profile that is right; `changes` replace some of its fields."""
    plain = Profile(
        id=name.lower().replace(" ", "-"),
        kind=ProfileKind.RESEARCH_GROUP,
        name=name,
        organisation=Organisation(organisation.lower().replace(" ", "-"), organisation),
        language="en",
        description="We measure.",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def put(engine: Engine, *profiles: Profile) -> None:
    """Put profiles into the records."""
    with unit_of_work(engine) as session:
        for item in profiles:
            Records(session).put_profile(item)


def group(number: int = 1, **changes: Any) -> dict[str, Any]:
    """The fields of a group that is right; `changes` replace some, `...` takes one away."""
    fields: dict[str, Any] = {
        "id": f"g{number}",
        "name": f"Group {number}",
        "organisation": "Technical University",
        "language": "en",
        "description": "We join thin sheets of aluminium.",
        "documents": [document(f"g{number}-d1")],
    }
    fields.update(changes)
    return {name: value for name, value in fields.items() if value is not ...}


def document(document_id: str, **changes: Any) -> dict[str, Any]:
    """The fields of a document that is right; `...` takes one away."""
    fields: dict[str, Any] = {
        "id": document_id,
        "kind": "publication",
        "title": "On welding",
        "text": "Distortion fell by half. The beam was split in two.",
        "language": "en",
        "date": "2024-02-29",
        "url": "https://example.org/welding",
    }
    fields.update(changes)
    return {name: value for name, value in fields.items() if value is not ...}


def write_groups(
    folder: Path, *lines: dict[str, Any] | str | bytes, end: bytes = b"\n", start: bytes = b""
) -> Path:
    """Write `groups.jsonl` into a folder: objects as JSON, the rest as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = []
    for line in lines:
        if isinstance(line, dict):
            line = json.dumps(line, ensure_ascii=False)
        raw.append(line.encode() if isinstance(line, str) else line)
    (folder / "groups.jsonl").write_bytes(start + b"".join(line + end for line in raw))
    return folder
