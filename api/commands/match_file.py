"""A file of needs in, a file of explained matches out; both CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.errors import CommandError
from api.files import written_whole
from api.progress import shown
from corpora.characters import storable
from matcher.explain import MAX_EVIDENCE
from matcher.model import Match, NeedError
from matcher.pipeline import Pipeline

MAX_TEXT_CHARS = 1_000_000
"""A longer field is a broken file, such as one whose quotation marks do not pair."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_EVIDENCE = ("aspect", "quote", "title", "date", "url", "document_id")

COLUMNS = (
    "need_id", "rank", "profile_id", "profile", "kind", "organisation", "score", "probability", "fits",
    *(f"{name}_{n}" for n in range(1, MAX_EVIDENCE + 1) for name in _EVIDENCE),
    "unmet", "problem",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NeedRow:
    """A need of the file."""

    id: str
    text: str
    language: str | None


def match_file(pipeline: Pipeline, needs: Path, out: Path, limit: int) -> tuple[int, int]:
    """Match every need; returns how many were matched and how many could not be.

    A row of the answer is one match, with up to `MAX_EVIDENCE` pieces of evidence, strongest first; a need that
    cannot be matched has one row that says why in `problem`. The file is written whole or not at all, with the
    separator that the needs have.

    Raises:
        CommandError: the needs cannot be read.
        OSError: the answer cannot be written.
    """
    rows, separator = read_needs(needs)
    n_failed = 0
    with written_whole(out) as stream, shown() as progress:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=True)
        writer = csv.DictWriter(text, COLUMNS, delimiter=separator, restval="")
        writer.writeheader()
        for done, need in enumerate(rows, start=1):
            try:
                answer = pipeline.match(storable(need.text), language=need.language, limit=limit)
            except NeedError as error:
                n_failed += 1
                writer.writerow(_safe({"need_id": need.id, "problem": str(error)}))
            else:
                writer.writerows(_safe(_row(need.id, match, answer.fits)) for match in answer.matches)
            progress("answer", done, len(rows))
        text.detach()
    return len(rows) - n_failed, n_failed


def read_needs(path: Path) -> tuple[list[NeedRow], str]:
    """The needs of a CSV file in UTF-8, with or without a byte order mark, and its separator (, or ;).

    Raises:
        CommandError: it is not such a file; says which line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(
            f"expected {path} to be in UTF-8, found another byte at place {error.start}; save it as CSV UTF-8"
        ) from error
    header = text.partition("\n")[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    csv.field_size_limit(MAX_TEXT_CHARS)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        missing = {"id", "text"} - set(reader.fieldnames or ())
        if missing:
            found = ", ".join(reader.fieldnames or ()) or "nothing"
            raise CommandError(
                f"expected columns id, text and perhaps language in {path}, found {found[:200]}"
            )
        return list(_rows(reader, path)), separator
    except csv.Error as error:
        raise CommandError(f"expected CSV in {path}, but line {reader.line_num} is not: {error}") from error


def _rows(reader: csv.DictReader[str], path: Path) -> Iterator[NeedRow]:
    seen: set[str] = set()
    for row in reader:
        id_, text = row["id"] or "", row["text"] or ""
        if not id_ or id_ in seen:
            found = "none" if not id_ else f"{id_!r} once more"
            raise CommandError(
                f"expected an id of its own for each need in {path}, found {found} at line {reader.line_num}"
            )
        seen.add(id_)
        language = (row.get("language") or "").strip().lower() or None
        yield NeedRow(id_, text, language)


def _row(need_id: str, match: Match, fits: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "need_id": need_id,
        "rank": match.rank,
        "profile_id": match.profile.id,
        "profile": match.profile.name,
        "kind": match.profile.kind.value,
        "organisation": match.profile.organisation,
        "score": f"{match.score:.4f}",
        "probability": f"{match.probability:.4f}",
        "fits": "yes" if fits else "no",
        "unmet": " | ".join(aspect.text for aspect in match.unmet),
    }
    for n, item in enumerate(match.evidence[:MAX_EVIDENCE], start=1):
        values = (item.aspect, item.quote, item.title, item.date, item.url, item.document_id)
        row |= {
            f"{name}_{n}": value for name, value in zip(_EVIDENCE, values, strict=True) if value is not None
        }
    return row


def _safe(row: dict[str, Any]) -> dict[str, Any]:
    """Keep a spreadsheet from taking a text for a formula (OWASP, "CSV injection"): put an apostrophe before it."""
    numbers = ("score", "rank", "probability")
    return {
        name: f"'{value}"
        if isinstance(value, str) and name not in numbers and value.startswith(_FORMULA)
        else value
        for name, value in row.items()
    }
