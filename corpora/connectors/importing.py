"""Profiles from a source into the records, in units of work that a crash cannot tear."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Engine

from corpora.connectors.json_lines import BrokenLine
from corpora.database import unit_of_work
from corpora.errors import DocumentTakenError, ErasedError, StoreError
from corpora.model import Profile
from corpora.store import Records

BATCH_PROFILES = 100
BATCH_BYTES = 8_000_000
"""A unit of work ends at whichever comes first: it bounds memory and how long the write lock is held."""

_MAX_POSTPONED = 1_000

Progress = Callable[[str, int, int], None]
"""Called after each unit of work with ("import", profiles done, profiles in all as the file's size tells)."""


@dataclass(slots=True)
class ImportReport:
    """What an import did. `erased` profiles were not let in again; they stand in `broken` too."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    erased: int = 0
    organisations: int = 0
    broken: list[BrokenLine] = field(default_factory=list)


Item = tuple[int, int, Profile | BrokenLine]
"""Line, offset of the line's end (bytes), and what was read there."""


def import_profiles(
    engine: Engine, items: Iterable[Item], file: str, total_bytes: int, progress: Progress | None = None
) -> ImportReport:
    """Store what `items` gives, `BATCH_PROFILES` at a time; the report counts what became of each."""
    report = ImportReport()
    organisations: set[str] = set()
    postponed: list[tuple[int, Profile]] = []
    done = 0
    for batch, end in _batches(items, report.broken):
        with unit_of_work(engine) as session:
            outcomes = [_put(Records(session), line, profile, file) for line, profile in batch]
        for (line, profile), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, DocumentTakenError) and len(postponed) < _MAX_POSTPONED:
                # The document may have moved here from a profile whose new version is yet to come.
                postponed.append((line, profile))
            else:
                _note(report, organisations, profile, outcome, file, line)
        done += len(batch)
        if progress is not None:
            # How many there are in all is told by the share of the bytes, exactly so at the end.
            progress("import", done, max(done, round(done * total_bytes / max(end, 1))))
    if postponed:
        with unit_of_work(engine) as session:
            outcomes = [_put(Records(session), line, profile, file) for line, profile in postponed]
        for (line, profile), outcome in zip(postponed, outcomes, strict=True):
            _note(report, organisations, profile, outcome, file, line)
    report.broken.sort(key=lambda broken: broken.line)
    report.organisations = len(organisations)
    return report


def _put(records: Records, line: int, profile: Profile, file: str) -> str | StoreError:
    # Each of these is raised before anything of the profile is written: the unit of work goes on.
    try:
        return records.put_profile(profile)
    except StoreError as error:
        return error


def _note(
    report: ImportReport,
    organisations: set[str],
    profile: Profile,
    outcome: str | StoreError,
    file: str,
    line: int,
) -> None:
    if isinstance(outcome, StoreError):
        report.broken.append(BrokenLine(file, line, str(outcome)))
        report.erased += isinstance(outcome, ErasedError)
        return
    organisations.add(profile.organisation.id)
    report.added += outcome == "added"
    report.changed += outcome == "changed"
    report.unchanged += outcome == "unchanged"


def _batches(
    items: Iterable[Item], broken: list[BrokenLine]
) -> Iterator[tuple[list[tuple[int, Profile]], int]]:
    """Yield profiles with their lines, and the offset reached; what is broken goes to `broken`."""
    batch: list[tuple[int, Profile]] = []
    start = end = 0
    for line, offset, item in items:
        end = offset
        if isinstance(item, BrokenLine):
            broken.append(item)
        else:
            batch.append((line, item))
        if len(batch) == BATCH_PROFILES or (batch and end - start >= BATCH_BYTES):
            yield batch, end
            batch, start = [], end
    if batch:
        yield batch, end
