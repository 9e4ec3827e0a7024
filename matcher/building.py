"""The files of one generation: texts, words, vectors of passages and of sentences.

Each is written whole or, where there is a parent, as the parent's with the new profiles in place of those that
changed or went.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from corpora.model import Document, Passage, Profile
from corpora.passages import split_profile
from embeddings.cache import CachedEncoder
from embeddings.encoders import Vectors
from embeddings.vectors.flat import FlatIndex
from matcher.generations import Generation
from matcher.lexical import LexicalError, LexicalWriter
from matcher.manifest import LEXICAL, PASSAGES, SENTENCES, SNAPSHOT
from matcher.snapshot import Snapshot, SnapshotWriter

RECIPE = "1"
"""Raise it whenever `passage_input` or the splitting changes: the next index run then builds everything anew."""

MAX_TITLE_CHARS = 120
"""So much of a document's title goes before each of its passages; more of it would drown the passage."""

CHUNK = 1024
"""Texts given to the encoder in one go: bounds the memory; the encoder has batches of its own."""

Progress = Callable[[str, int, int], None]
"""Called with the stage (import, passages, embed, sentences, lexical, check), what is done, and the total."""


def passage_input(profile: Profile, document: Document | None, passage: Passage) -> str:
    """The text form in which a passage is encoded."""
    if passage.field == "text" and document is not None and document.title.strip():
        return f"{document.title.strip()[:MAX_TITLE_CHARS]}. {passage.text}"
    return passage.text


def encoded_texts(profile: Profile, passages: Sequence[Passage]) -> tuple[list[str], list[str]]:
    """What an encoder is given for a profile: the text forms of its passages, and the sentences in them."""
    documents = {item.id: item for item in profile.documents}
    forms = [passage_input(profile, documents.get(item.document_id or ""), item) for item in passages]
    sentences = [
        item.text[start - item.start : end - item.start] for item in passages for start, end in item.sentences
    ]
    return forms, sentences


class Builder:
    """Writes the files of one generation into `folder`; `write_texts` comes first.

    `n_encoded` and `n_from_cache` count different texts that went through the encoder, or had before.
    """

    def __init__(
        self, folder: Path, parent: Generation | None, encoder: CachedEncoder, progress: Progress
    ) -> None:
        self._folder = folder
        self._parent = parent
        self._parent_folder = folder.parent / parent.name if parent else None
        self._encoder = encoder
        self._progress = progress
        self._gone: frozenset[str] = frozenset()
        self._added: list[str] = []
        self.n_encoded = 0
        self.n_from_cache = 0

    def write_texts(
        self, gone: Collection[str], profiles: Iterable[Profile], hashes: Mapping[str, str]
    ) -> None:
        """Write the snapshot.

        Args:
            gone: profiles of the parent that were removed or changed.
            profiles: those that are new or changed; all of them where there is no parent.
            hashes: content hashes by profile id, as the records had them when the runs were compared: where a
                record has changed since, the next run sees it.
        """
        self._gone = frozenset(gone)
        if self._parent_folder is not None:
            shutil.copyfile(self._parent_folder / SNAPSHOT, self._folder / SNAPSHOT)
        writer = SnapshotWriter(self._folder / SNAPSHOT)
        try:
            for profile_id in sorted(self._gone):
                writer.remove(profile_id)
            self._progress("passages", 0, len(hashes))
            for profile in profiles:
                writer.add(profile, split_profile(profile), hashes[profile.id])
                self._added.append(profile.id)
                self._progress("passages", len(self._added), len(hashes))
            writer.finish()
        finally:
            writer.close()

    def write_words(self, snapshot: Snapshot) -> None:
        """Write the lexical index."""
        if self._parent_folder is not None:
            shutil.copytree(
                self._parent_folder / LEXICAL, self._folder / LEXICAL, ignore=shutil.ignore_patterns("*.lock")
            )
        self._progress("lexical", 0, len(self._added))
        try:
            writer = LexicalWriter(self._folder / LEXICAL)
            for profile_id in sorted(self._gone):
                writer.remove_profile(profile_id)
            for done, (profile, passages) in enumerate(self._new(snapshot), start=1):
                writer.add(profile, passages)
                self._progress("lexical", done, len(self._added))
            writer.commit()
        except ValueError as error:  # so tantivy tells that it cannot write, above all on a full disk
            raise LexicalError(str(error)) from error

    def write_vectors(self, snapshot: Snapshot) -> None:
        """Write the vector index: vectors of the parent's passages that stay, then of the new ones."""
        rows: list[int] = []
        texts: list[str] = []
        for profile, passages in self._new(snapshot):
            rows += [row for row, _ in passages]
            texts += encoded_texts(profile, [passage for _, passage in passages])[0]
        index = FlatIndex(self._encoder.dim)
        if self._parent is not None:
            stays = self._stays(self._parent)
            index.add(self._parent.rows[stays], self._parent.passage_matrix[stays])
        for start, vectors in self._encoded("embed", texts):
            index.add(np.array(rows[start : start + len(vectors)], dtype=np.int64), vectors)
        index.save(self._folder / PASSAGES)

    def write_sentences(self, snapshot: Snapshot, wanted: bool) -> None:
        """Write the vectors of the sentences, `(n_sentences, dim)` float16, by row and place in the passage.

        `wanted` is whether there are to be any; else `(0, dim)` is written.
        """
        texts: list[str] = []
        if wanted:
            for profile, passages in self._new(snapshot):
                texts += encoded_texts(profile, [passage for _, passage in passages])[1]
        parts = [np.empty((0, self._encoder.dim), dtype=np.float16)]
        if self._parent is not None and wanted:
            # Rows that stay are all below the new ones, so what stays comes first, in its old order.
            stays = np.repeat(self._stays(self._parent), np.diff(self._parent.sentence_offsets))
            parts.append(self._parent.sentence_matrix[stays])
        parts += [vectors.astype(np.float16) for _, vectors in self._encoded("sentences", texts)]
        np.save(self._folder / SENTENCES, np.concatenate(parts), allow_pickle=False)

    def _stays(self, parent: Generation) -> list[bool]:
        return [profile not in self._gone for profile in parent.passage_profile]

    def _new(self, snapshot: Snapshot) -> Iterator[tuple[Profile, list[tuple[int, Passage]]]]:
        for profile_id in self._added:
            profile = snapshot.profile(profile_id)
            if profile is not None:
                yield profile, snapshot.passages(profile_id)

    def _encoded(self, stage: str, texts: Sequence[str]) -> Iterator[tuple[int, Vectors]]:
        """Encode in chunks: `(place of the first text, (n, dim))`."""
        self._progress(stage, 0, len(texts))
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            yield (
                start,
                self._encoder.encode_passages_with_progress(chunk, self._told(stage, start, len(texts))),
            )
            self._progress(stage, start + len(chunk), len(texts))

    def _told(self, stage: str, start: int, total: int) -> Callable[[int, int], None]:
        """Counts what the cache held (told first) and what was encoded (told afterwards), and passes it on."""
        known: list[int] = []

        def tell(done: int, different: int) -> None:
            if known:
                self.n_encoded += done - known[-1]
            else:
                self.n_from_cache += done
            known.append(done)
            self._progress(stage, start + done, total)

        return tell
