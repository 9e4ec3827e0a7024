"""The evaluation collection: `groups.jsonl`, `needs.jsonl`, `qrels.tsv` in one folder.

Groups are read tolerantly: a broken line is reported and the rest goes on, because one bad record must not
keep 600 good ones out. Needs and judgements are read strictly: a figure measured on what happened to be
readable would be no figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from corpora.connectors.fields import (
    OrganisationIds,
    identifier,
    language_field,
    optional,
    parse_group,
    text_field,
)
from corpora.connectors.importing import ImportReport, Progress, import_profiles
from corpora.connectors.json_lines import (
    BrokenLine,
    CollectionError,
    JsonLine,
    LineError,
    decoded,
    read_objects,
    read_raw_lines,
    shown,
    size_bytes,
)
from corpora.database import reading
from corpora.directory_store import Directory
from corpora.model import Profile

__all__ = [
    "BrokenLine", "CollectionError", "CollectionNeed", "ImportReport", "Progress", "check_qrels",
    "import_collection", "read_collection", "read_needs", "read_qrels",
]  # fmt: skip

GROUPS = "groups.jsonl"
NEEDS = "needs.jsonl"
QRELS = "qrels.tsv"


@dataclass(frozen=True, slots=True)
class CollectionNeed:
    """A need of a collection."""

    id: str
    text: str
    language: str
    organisation: str | None = None


def read_collection(
    folder: Path, organisations: Mapping[str, str] | None = None
) -> Iterator[Profile | BrokenLine]:
    """Yield the profiles of a collection and the lines that were left out, in order, one line in memory.

    `organisations` gives ids that names already have (name to id). Raises `CollectionError` where
    `groups.jsonl` cannot be read at all.
    """
    for _, _, item in _read_groups(folder, OrganisationIds(organisations)):
        yield item


def import_collection(engine: Engine, folder: Path, progress: Progress | None = None) -> ImportReport:
    """Bring a collection into the records: new profiles added, changed ones replaced, others left alone.

    Profiles that the folder does not name stay. Safe to break off and run again: it works in units of about
    100 profiles, each stored whole or not at all. Raises `CollectionError` and `DatabaseError`.
    """
    with reading(engine) as session:
        known = Directory(session).organisation_ids()
    items = _read_groups(folder, OrganisationIds(known))
    return import_profiles(engine, items, GROUPS, size_bytes(folder / GROUPS), progress)


def read_needs(path: Path) -> Iterator[CollectionNeed]:
    """Yield the needs of a `needs.jsonl`. Raises `CollectionError`, also for a single broken line."""
    first_lines: dict[str, int] = {}
    for _, item in read_objects(path):
        if isinstance(item, BrokenLine):
            raise CollectionError(str(item))
        try:
            need = CollectionNeed(
                id=identifier(item.fields, "id"),
                text=text_field(item.fields, "text"),
                language=language_field(item.fields),
                organisation=optional(item.fields, "organisation"),
            )
            _require_new(first_lines, need.id, "need")
        except LineError as error:
            raise CollectionError(str(BrokenLine(path.name, item.line, str(error)))) from error
        first_lines[need.id] = item.line
        yield need


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Return need id -> group id -> grade (> 0 is relevant). Raises `CollectionError`."""
    qrels: dict[str, dict[str, int]] = {}
    for line, need_id, group_id, grade in _read_judgements(path):
        grades = qrels.setdefault(need_id, {})
        if grades.get(group_id, grade) != grade:
            raise CollectionError(
                f"{path.name}, line {line}: expected one grade for need {shown(need_id)} and group "
                f"{shown(group_id)}, found {grades[group_id]} and {grade}; remove one of the lines"
            )
        grades[group_id] = grade
    return qrels


def check_qrels(
    folder: Path, needs_file: Path | None = None, qrels_file: Path | None = None
) -> list[BrokenLine]:
    """Return the judgements that name a need or a group which the collection does not have.

    Raises `CollectionError` when one of the three files cannot be read.
    """
    path = qrels_file or folder / QRELS
    needs = {need.id for need in read_needs(needs_file or folder / NEEDS)}
    groups = {item.id for item in read_collection(folder) if isinstance(item, Profile)}
    unknown = []
    for line, need_id, group_id, _ in _read_judgements(path):
        for sort, value, known in (("need", need_id, needs), ("group", group_id, groups)):
            if value not in known:
                unknown.append(
                    BrokenLine(
                        path.name,
                        line,
                        f"expected a {sort} of the collection, found the unknown id {shown(value)}; "
                        f"correct the id, or add the {sort}",
                    )
                )
    return unknown


def _read_judgements(path: Path) -> Iterator[tuple[int, str, str, int]]:
    for line, end, raw in read_raw_lines(path):
        if isinstance(raw, BrokenLine):
            raise CollectionError(str(raw))
        try:
            text = decoded(raw, end - len(raw)).rstrip("\r\n")
        except LineError as error:
            raise CollectionError(str(BrokenLine(path.name, line, str(error)))) from error
        fields = text.split("\t") if "\t" in text else text.split()
        if len(fields) != 4 or not re.fullmatch(r"-?\d{1,9}", fields[3].strip()):
            raise CollectionError(
                f"{path.name}, line {line}: expected need_id, 0, group_id and a whole-number grade with tabs "
                f"between them, found {shown(text)}; mend the line"
            )
        yield line, fields[0].strip(), fields[2].strip(), int(fields[3])


def _read_groups(
    folder: Path, organisations: OrganisationIds
) -> Iterator[tuple[int, int, Profile | BrokenLine]]:
    """Yield line number, offset of its end (bytes), and the profile or the trouble."""
    if not folder.exists():
        raise CollectionError(f"expected a collection folder at {folder}, found nothing; check the path")
    if not folder.is_dir():
        raise CollectionError(
            f"expected a folder with {GROUPS} in it, found the file {folder}; name the folder that holds it"
        )
    groups: dict[str, int] = {}
    documents: dict[str, int] = {}
    for end, item in read_objects(folder / GROUPS):
        if isinstance(item, BrokenLine):
            yield item.line, end, item
            continue
        try:
            yield item.line, end, _group(item, organisations, groups, documents)
        except LineError as error:
            yield item.line, end, BrokenLine(GROUPS, item.line, str(error))


def _group(
    item: JsonLine, organisations: OrganisationIds, groups: dict[str, int], documents: dict[str, int]
) -> Profile:
    profile = parse_group(item.fields, organisations)
    _require_new(groups, profile.id, "group")
    for document in profile.documents:
        _require_new(documents, document.id, "document")
    # Claimed only now: a line that is left out keeps no id from a later one.
    groups[profile.id] = item.line
    documents.update((document.id, item.line) for document in profile.documents)
    return profile


def _require_new(first_lines: Mapping[str, int], key: str, sort: str) -> None:
    if key in first_lines:
        raise LineError(
            f"expected each {sort} to have its own id, found {shown(key)} again, first used on line "
            f"{first_lines[key]}; this line was left out: rename or remove one"
        )
