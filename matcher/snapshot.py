"""The texts of a generation as they were indexed: quotes and offsets always come from here.

One SQLite file, written once and then only read. Rows number the
passages in the vector and the lexical index too; a small change keeps the rows of the profiles that it leaves
alone and numbers new passages above them.
"""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from corpora.model import Document, Organisation, Passage, Profile, ProfileKind
from embeddings.sqlite import sqlite3
from matcher.manifest import SNAPSHOT, Counts, DamagedGenerationError
from matcher.model import ProfileSummary

_SCHEMA = """
CREATE TABLE profiles (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, organisation_id TEXT NOT NULL,
  organisation TEXT NOT NULL, organisation_region TEXT, language TEXT NOT NULL, description TEXT NOT NULL,
  roadmaps TEXT NOT NULL, region TEXT, members TEXT NOT NULL, source TEXT, licence TEXT, content_hash TEXT NOT NULL
);
CREATE TABLE documents (
  id TEXT PRIMARY KEY, profile_id TEXT NOT NULL REFERENCES profiles(id), position INTEGER NOT NULL,
  kind TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, language TEXT NOT NULL, date TEXT, url TEXT,
  UNIQUE (profile_id, position)
);
CREATE TABLE passages (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, profile_id TEXT NOT NULL REFERENCES profiles(id),
  document_id TEXT REFERENCES documents(id), field TEXT NOT NULL, "start" INTEGER NOT NULL, "end" INTEGER NOT NULL,
  text TEXT NOT NULL, language TEXT NOT NULL
);
CREATE INDEX passages_profile ON passages (profile_id);
CREATE TABLE sentences (
  row INTEGER NOT NULL REFERENCES passages(row), ordinal INTEGER NOT NULL,
  "start" INTEGER NOT NULL, "end" INTEGER NOT NULL, PRIMARY KEY (row, ordinal)
) WITHOUT ROWID;
"""

_ADD_PROFILE = "INSERT INTO profiles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ADD_DOCUMENT = "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ADD_PASSAGE = "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ADD_SENTENCE = "INSERT INTO sentences VALUES (?, ?, ?, ?)"

# Children first: the foreign keys are on.
_REMOVE = (
    "DELETE FROM sentences WHERE row IN (SELECT row FROM passages WHERE profile_id = ?)",
    "DELETE FROM passages WHERE profile_id = ?",
    "DELETE FROM documents WHERE profile_id = ?",
    "DELETE FROM profiles WHERE id = ?",
)

_COUNTS = (
    "SELECT (SELECT count(*) FROM profiles), (SELECT count(*) FROM documents),"
    " (SELECT count(*) FROM passages), (SELECT count(*) FROM sentences)"
)
_PROFILE = (
    "SELECT id, kind, name, organisation_id, organisation, organisation_region, language, description, roadmaps,"
    " region, members, source, licence FROM profiles WHERE id = ?"
)
_DOCUMENT = "SELECT id, profile_id, kind, title, text, language, date, url FROM documents WHERE id = ?"
_DOCUMENTS = (
    "SELECT id, profile_id, kind, title, text, language, date, url FROM documents"
    " WHERE profile_id = ? ORDER BY position"
)
# Statements of their own: with "all or one" in a single one, SQLite would read the whole table for each profile.
_ALL = (
    'SELECT row, id, profile_id, document_id, field, "start", "end", text, language FROM passages ORDER BY row',
    'SELECT row, "start", "end" FROM sentences ORDER BY row, ordinal',
)
_ONE = (
    'SELECT row, id, profile_id, document_id, field, "start", "end", text, language FROM passages'
    " WHERE profile_id = ? ORDER BY row",
    'SELECT row, "start", "end" FROM sentences'
    " WHERE row IN (SELECT row FROM passages WHERE profile_id = ?) ORDER BY row, ordinal",
)
_SUMMARY = "SELECT id, name, kind, organisation_id, organisation, language, region, roadmaps FROM profiles ORDER BY id"


class SnapshotError(Exception):
    """A snapshot cannot be written: what SQLite found."""


class SnapshotWriter:
    """Writes a snapshot; nothing of it is durable, or of use, before `finish`.

    Every method raises `SnapshotError` where SQLite cannot write, above all on a full disk.
    """

    def __init__(self, path: Path) -> None:
        """Make a new snapshot at `path`, or go on with the copy of one that lies there."""
        new = not path.exists()
        with _writing():
            self._open(path, new)

    def _open(self, path: Path, new: bool) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        # A build that dies is thrown away whole, so a journal would only cost time; what is deleted is
        # overwritten, because it may have been erased for a reason.
        self._connection.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA secure_delete = ON"
        )
        self._connection.execute("PRAGMA foreign_keys = ON")
        if new:
            self._connection.executescript(_SCHEMA)
        self._connection.execute("BEGIN")
        last = self._connection.execute("SELECT max(row) FROM passages").fetchone()[0]
        self._next_row = 0 if last is None else int(last) + 1

    def remove(self, profile_id: str) -> None:
        """Remove a profile with its documents and passages; an unknown one is no error."""
        with _writing():
            for statement in _REMOVE:
                self._connection.execute(statement, (profile_id,))

    def add(self, profile: Profile, passages: Sequence[Passage], content_hash: str) -> list[int]:
        """Add a profile; returns the rows of its passages, in their order."""
        rows = list(range(self._next_row, self._next_row + len(passages)))
        with _writing():
            self._add(profile, list(zip(rows, passages, strict=True)), content_hash)
        self._next_row += len(rows)
        return rows

    def _add(self, profile: Profile, passages: Sequence[tuple[int, Passage]], content_hash: str) -> None:
        place = profile.organisation
        self._connection.execute(
            _ADD_PROFILE,
            (
                profile.id,
                profile.kind.value,
                profile.name,
                place.id,
                place.name,
                place.region,
                profile.language,
                profile.description,
                json.dumps(profile.roadmaps),
                profile.region,
                json.dumps(profile.members),
                profile.source,
                profile.licence,
                content_hash,
            ),
        )
        self._connection.executemany(
            _ADD_DOCUMENT,
            (
                (
                    item.id,
                    profile.id,
                    position,
                    item.kind,
                    item.title,
                    item.text,
                    item.language,
                    item.date.isoformat() if item.date else None,
                    item.url,
                )
                for position, item in enumerate(profile.documents)
            ),
        )
        self._connection.executemany(
            _ADD_PASSAGE,
            (
                (
                    row,
                    one.id,
                    one.profile_id,
                    one.document_id,
                    one.field,
                    one.start,
                    one.end,
                    one.text,
                    one.language,
                )
                for row, one in passages
            ),
        )
        self._connection.executemany(
            _ADD_SENTENCE,
            (
                (row, ordinal, start, end)
                for row, one in passages
                for ordinal, (start, end) in enumerate(one.sentences)
            ),
        )

    def finish(self) -> None:
        """Write everything and close."""
        with _writing():
            self._connection.execute("COMMIT")
            self._connection.close()

    def close(self) -> None:
        """Close without keeping; after `finish` nothing happens."""
        self._connection.close()


class Snapshot:
    """Reads a snapshot. Safe to use from several threads, also after the file has been removed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.close = weakref.finalize(self, connection.close)
        """Closes the file; done by itself when the snapshot is no longer used."""

    @classmethod
    def open(cls, folder: Path) -> Snapshot:
        """Open the snapshot of a generation's folder.

        Raises:
            DamagedGenerationError: it is missing or no snapshot.
        """
        try:
            # Immutable: nobody writes it any more, so neither locks nor journal are looked for.
            uri = (folder / SNAPSHOT).absolute().as_uri() + "?mode=ro&immutable=1"
            snapshot = cls(sqlite3.connect(uri, uri=True, check_same_thread=False))
            snapshot.counts()
        except sqlite3.DatabaseError as error:
            raise DamagedGenerationError(
                f"expected {SNAPSHOT} in index generation {folder.name}, found none that can be read ({error}); "
                "run `kennismatch index --rebuild`"
            ) from error
        return snapshot

    def counts(self) -> Counts:
        """How many profiles, documents, passages and sentences there are."""
        return Counts(*self._all(_COUNTS)[0])

    def hashes(self) -> dict[str, str]:
        """Content hash by profile id."""
        return dict(self._all("SELECT id, content_hash FROM profiles ORDER BY id"))

    def summaries(self) -> Iterator[ProfileSummary]:
        """What result lists show of every profile, by id."""
        for id_, name, kind, organisation_id, organisation, language, region, roadmaps in self._all(_SUMMARY):
            yield ProfileSummary(
                id_,
                name,
                ProfileKind(kind),
                organisation_id,
                organisation,
                language,
                region,
                tuple(json.loads(roadmaps)),
            )

    def profile(self, profile_id: str) -> Profile | None:
        """A profile with its documents, as it was indexed."""
        found = self._all(_PROFILE, (profile_id,))
        if not found:
            return None
        (id_, kind, name, organisation_id, organisation, organisation_region, language, description, roadmaps,
         region, members, source, licence) = found[0]  # fmt: skip
        documents = self._all(_DOCUMENTS, (profile_id,))
        return Profile(
            id=id_, kind=ProfileKind(kind), name=name,
            organisation=Organisation(organisation_id, organisation, organisation_region), language=language,
            description=description, documents=tuple(_document(item) for item in documents),
            roadmaps=tuple(json.loads(roadmaps)), region=region, members=tuple(json.loads(members)),
            source=source, licence=licence,
        )  # fmt: skip

    def document(self, document_id: str) -> Document | None:
        """A document, as it was indexed."""
        found = self._all(_DOCUMENT, (document_id,))
        return _document(found[0]) if found else None

    def passages(self, profile_id: str | None = None) -> list[tuple[int, Passage]]:
        """Passages with their rows, by row: all, or those of one profile."""
        passages, sentences = _ALL if profile_id is None else _ONE
        values = () if profile_id is None else (profile_id,)
        spans: dict[int, list[tuple[int, int]]] = {}
        for row, start, end in self._all(sentences, values):
            spans.setdefault(row, []).append((start, end))
        return [
            (
                row,
                Passage(id_, profile, document, field, start, end, text, language, tuple(spans.get(row, ()))),
            )
            for row, id_, profile, document, field, start, end, text, language in self._all(passages, values)
        ]

    def _all(self, sql: str, values: Sequence[str] = ()) -> list[Any]:
        # Any: the types of the columns are those of the schema above.
        with self._lock:
            return self._connection.execute(sql, values).fetchall()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise SnapshotError(str(error)) from error


def _document(columns: Sequence[Any]) -> Document:
    id_, profile_id, kind, title, text, language, day, url = columns
    return Document(
        id_, profile_id, kind, title, text, language, date.fromisoformat(day) if day else None, url
    )
