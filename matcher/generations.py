"""A generation of the index, as the pipeline reads it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from corpora.model import Document, Passage, Profile
from embeddings.encoders import Vectors
from embeddings.vectors import VectorIndex, VectorIndexError
from embeddings.vectors.flat import FlatIndex
from matcher.lexical import ANALYSER_VERSION, LexicalError, LexicalIndex
from matcher.live import GenerationWatcher, index_folder, live_name, previous_name, resolve, swap
from matcher.locks import hold
from matcher.manifest import (
    LEXICAL,
    PASSAGES,
    REBUILD,
    SENTENCES,
    DamagedGenerationError,
    GenerationError,
    Manifest,
    NoGenerationError,
    OtherGenerationError,
    Verify,
)
from matcher.model import ProfileSummary
from matcher.snapshot import Snapshot

__all__ = [
    "DamagedGenerationError",
    "Generation",
    "GenerationError",
    "GenerationWatcher",
    "NoGenerationError",
    "OtherGenerationError",
    "Sentences",
    "live_name",
    "rollback",
]


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of one profile, in the order of its rows.

    `spans` holds `(row, start, end)` with offsets into the passage's source text, `texts` what stands there,
    `vectors` `(n_sentences, dim)` float16.
    """

    spans: tuple[tuple[int, int, int], ...]
    texts: tuple[str, ...]
    vectors: NDArray[np.float16]


class Generation:
    """One generation, opened and checked. Immutable, safe to use from several threads.

    A passage has a *row*, its number in the files, and a *position* from 0 to n_rows - 1, its place among the
    rows in ascending order; rows have gaps after small changes. `rows[position] == row`.

    Attributes:
        name: "g000012".
        manifest: what it says about itself.
        profiles: summary by profile id, also of profiles without any text.
        rows: `(n_rows,)` int64, ascending.
        profile_rows: rows by profile id, ascending; only of profiles that have passages.
        passage_profile: profile id by position.
        vectors: the vector index, its ids are rows.
        passage_matrix: `(n_rows, dim)` float32, by position.
        sentence_matrix: `(n_sentences, dim)` float16; `(0, dim)` if it was built without sentences.
        sentence_offsets: `(n_rows + 1,)` int64; the sentences at position p are `offsets[p]:offsets[p + 1]`.
        lexical: the lexical index.
    """

    def __init__(
        self,
        manifest: Manifest,
        snapshot: Snapshot,
        vectors: FlatIndex,
        sentence_matrix: NDArray[np.float16],
        lexical: LexicalIndex,
        erased: Callable[[], frozenset[str]],
    ) -> None:
        self.name = manifest.name
        self.manifest = manifest
        self.encoder_fingerprint = manifest.encoder_fingerprint
        self.vectors: VectorIndex = vectors
        self.passage_matrix: Vectors = vectors.matrix()
        self.sentence_matrix = sentence_matrix
        self.lexical = lexical
        self.profiles: dict[str, ProfileSummary] = {item.id: item for item in snapshot.summaries()}
        self._snapshot = snapshot
        self._erased = erased
        passages = snapshot.passages()
        self._passages = [passage for _, passage in passages]
        self.rows = np.array([row for row, _ in passages], dtype=np.int64)
        self.passage_profile = [passage.profile_id for passage in self._passages]
        counts = [len(passage.sentences) for passage in self._passages]
        self.sentence_offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        grouped: dict[str, list[int]] = {}
        for row, passage in passages:
            grouped.setdefault(passage.profile_id, []).append(row)
        self.profile_rows = {profile: np.array(rows, dtype=np.int64) for profile, rows in grouped.items()}

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        expected_fingerprint: str | None = None,
        verify: Verify = "full",
        erased: Callable[[], frozenset[str]] = frozenset,
    ) -> Self:
        """Open a generation's folder and check it.

        Args:
            folder: the folder with its manifest.
            expected_fingerprint: of the encoder that will encode the needs; None opens it for any encoder.
            verify: compare sizes only, or checksums too.
            erased: called at reads of whole profiles: ids that were erased since the index was built.

        Raises:
            DamagedGenerationError: a file is missing or not as it was written, or the parts disagree.
            OtherGenerationError: it is of another format, analyser or encoder.
            GenerationError: this user may not write in its folder of words.
        """
        manifest = Manifest.read(folder)
        _check_versions(manifest, expected_fingerprint)
        manifest.check_files(folder, verify)
        if not os.access(folder / LEXICAL, os.W_OK):
            raise GenerationError(
                f"expected to be allowed to write in {folder / LEXICAL} (tantivy locks a file there while it opens), "
                "found it read-only; give this user the right to write there"
            )
        snapshot = Snapshot.open(folder)
        try:
            vectors = FlatIndex.load(folder / PASSAGES, manifest.dim)
            sentences: NDArray[np.float16] = np.load(folder / SENTENCES, allow_pickle=False)
            lexical = LexicalIndex.open(folder / LEXICAL)
        except (VectorIndexError, LexicalError, ValueError, OSError) as error:
            raise DamagedGenerationError(f"index generation {folder.name} cannot be read: {error}") from error
        generation = cls(manifest, snapshot, vectors, sentences, lexical, erased)
        generation.check_counts()
        return generation

    @classmethod
    def open_current(
        cls,
        data_folder: Path,
        *,
        expected_fingerprint: str | None = None,
        verify: Verify = "full",
        erased: Callable[[], frozenset[str]] = frozenset,
    ) -> Self:
        """Open the live generation; where it is damaged, the nearest earlier one that is whole, with a warning.

        The arguments are those of `open`.

        Raises:
            NoGenerationError: nothing has been indexed.
            GenerationError: no generation can be opened.
        """
        return resolve(
            data_folder,
            lambda folder: cls.open(
                folder, expected_fingerprint=expected_fingerprint, verify=verify, erased=erased
            ),
        )[1]

    def check_counts(self) -> None:
        """Compare the rows of the texts, the vectors and the words, and all counts with the manifest.

        Raises:
            DamagedGenerationError: they disagree.
        """
        counts = self._snapshot.counts()
        shape = (counts.sentences if self.manifest.has_sentences else 0, self.manifest.dim)
        checks: list[tuple[str, object, object, bool]] = [
            ("counts as in the manifest", self.manifest.counts, counts, self.manifest.counts == counts),
            ("as many vectors as passages", len(self.rows), len(self.vectors), self._same_rows(self.vectors.ids())),
            ("as many lexical entries as passages", len(self.rows), "others", self._same_rows(self.lexical.row_ids())),
            ("sentence vectors of shape", shape, self.sentence_matrix.shape, self.sentence_matrix.shape == shape),
            ("the sentences of all passages", counts.sentences, int(self.sentence_offsets[-1]),
             int(self.sentence_offsets[-1]) == counts.sentences),
        ]  # fmt: skip
        for what, expected, found, same in checks:
            if not same:
                raise DamagedGenerationError(
                    f"expected {what} ({expected}) in index generation {self.name}, found {found}; {REBUILD}"
                )

    def positions(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of `(n,)` rows, all of which must be held."""
        return np.searchsorted(self.rows, rows).astype(np.int64)

    def position(self, row: int) -> int:
        """Position of one row; an unknown row raises `KeyError`."""
        at = int(np.searchsorted(self.rows, row))
        if at == len(self.rows) or self.rows[at] != row:
            raise KeyError(f"generation {self.name} has no passage row {row}")
        return at

    def passage(self, row: int) -> Passage:
        """The passage of a row; an unknown row raises `KeyError`."""
        return self._passages[self.position(row)]

    def profile_of_row(self, row: int) -> str:
        """Id of the profile that a passage belongs to; an unknown row raises `KeyError`."""
        return self.passage_profile[self.position(row)]

    def sentences_of(self, profile_id: str) -> Sentences:
        """All sentences of a profile with their vectors; none for a profile without text.

        An index that was built without sentences (`manifest.has_sentences`) has none at all.
        """
        if not self.manifest.has_sentences:
            return Sentences((), (), self.sentence_matrix)
        spans: list[tuple[int, int, int]] = []
        texts: list[str] = []
        slices = [self.sentence_matrix[:0]]
        for row in self.profile_rows.get(profile_id, ()):
            at = self.position(row)
            passage = self._passages[at]
            spans += [(int(row), start, end) for start, end in passage.sentences]
            texts += [
                passage.text[start - passage.start : end - passage.start] for start, end in passage.sentences
            ]
            slices.append(self.sentence_matrix[self.sentence_offsets[at] : self.sentence_offsets[at + 1]])
        return Sentences(tuple(spans), tuple(texts), np.concatenate(slices))

    def document(self, document_id: str) -> Document:
        """A document as it was indexed; an unknown id raises `KeyError`."""
        found = self._snapshot.document(document_id)
        if found is None:
            raise KeyError(f"generation {self.name} has no document {document_id}")
        return found

    def profile(self, profile_id: str) -> Profile | None:
        """A whole profile with its documents, as it was indexed; None if there is none or it has been erased."""
        return None if profile_id in self._erased() else self._snapshot.profile(profile_id)

    def hidden(self) -> frozenset[str]:
        """Ids of profiles in this generation that have been erased since: not to be shown."""
        return self._erased() & self.profiles.keys()

    def hashes(self) -> dict[str, str]:
        """Content hash by profile id: what the next index run compares records with."""
        return self._snapshot.hashes()

    def close(self) -> None:
        """Close the file of texts now; otherwise it is closed when nobody uses the generation any more."""
        self._snapshot.close()

    def _same_rows(self, ids: NDArray[np.int64]) -> bool:
        return np.array_equal(self.rows, ids)


def rollback(data_folder: Path) -> str:
    """Make the previous generation the live one again; returns its name.

    It stays live, also over a restart of the server, until `kennismatch index` compares the records with it. The
    one that was live lies there until then.

    Raises:
        LockError: an importer or index builder is at work.
        GenerationError: there is no earlier generation, or it is damaged.
    """
    with hold(data_folder, "write"):
        name = live_name(data_folder)
        before = previous_name(data_folder, name)
        if before is None:
            raise NoGenerationError(
                f"expected a generation before {name or 'the live one'} to go back to, found none; "
                f"nothing was changed; {REBUILD} to make a new one"
            )
        Generation.open(index_folder(data_folder) / before).close()
        swap(data_folder, before, back_from=name)
        return before


def _check_versions(manifest: Manifest, expected_fingerprint: str | None) -> None:
    if manifest.analyser_version != ANALYSER_VERSION:
        raise OtherGenerationError(
            f"expected an index with words of analyser version {ANALYSER_VERSION}, found version "
            f"{manifest.analyser_version} in {manifest.name}; {REBUILD}"
        )
    if expected_fingerprint is not None and manifest.encoder_fingerprint != expected_fingerprint:
        raise OtherGenerationError(
            f"expected an index of the encoder {expected_fingerprint}, found one of {manifest.encoder} "
            f"({manifest.encoder_fingerprint}) in {manifest.name}; {REBUILD}, or choose that encoder"
        )
