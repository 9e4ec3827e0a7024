"""The lexical arm: BM25 over words, on tantivy.

Two kinds of entry: one a passage (its words, and those of its title) and one a profile (all its words
together, the name apart). BM25 is Robertson & Zaragoza (2009) with tantivy's k1 = 1.2 and b = 0.75.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tantivy
from numpy.typing import NDArray

from corpora.model import Passage, Profile
from matcher.words import ANALYSER_VERSION, analyse

__all__ = ["ANALYSER_VERSION", "LexicalError", "LexicalIndex", "LexicalWriter", "weigh"]

_HEAP_BYTES = 64_000_000
_MAX_QUERY_WORDS = 200
"""Words of a need that are searched: the first of them."""

_MAX_SEARCHED = 400
"""Different words that are searched, translations included: the heaviest. Needs have some 60, long ones 130."""

_NAME_BOOST = 1.5
_TITLE_BOOST = 0.5


Words = Mapping[str, float] | Sequence[str]


class LexicalError(Exception):
    """A lexical index cannot be read: what was expected, what was found, what to do."""


def weigh(words: Sequence[str]) -> dict[str, float]:
    """Weight of each word of a need: the square root of its count.

    A word said twice in a need is hardly twice as important.
    """
    return {word: float(count) ** 0.5 for word, count in Counter(words[:_MAX_QUERY_WORDS]).items()}


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("profile", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("row", stored=False, indexed=True, fast=True)
    for name in ("words", "title", "all_words", "name"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


class LexicalWriter:
    """Writes the lexical part of a generation; one writer a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._index = tantivy.Index(_schema(), path=str(folder))
        self._writer = self._index.writer(heap_size=_HEAP_BYTES, num_threads=1)

    def add(self, profile: Profile, passages: Sequence[tuple[int, Passage]]) -> None:
        """Add a profile's passages under their rows, and the profile as a whole."""
        if not passages:
            return
        titles = {item.id: analyse(item.title, item.language) for item in profile.documents}
        everything: list[str] = []
        for row, passage in passages:
            words = analyse(passage.text, passage.language)
            title = titles.get(passage.document_id or "", []) if passage.field == "text" else []
            everything += words
            entry = tantivy.Document(profile=profile.id, row=row)
            entry.add_text("words", " ".join(words))
            entry.add_text("title", " ".join(title))
            self._writer.add_document(entry)
        for item in profile.documents:
            if item.text.strip():
                everything += titles[item.id]
        whole = tantivy.Document(profile=profile.id)
        whole.add_text("all_words", " ".join(everything))
        whole.add_text("name", " ".join(analyse(profile.name, profile.language)))
        self._writer.add_document(whole)

    def remove_profile(self, profile_id: str) -> None:
        """Remove all entries of a profile; an unknown one is no error."""
        self._writer.delete_documents_by_term("profile", profile_id)

    def commit(self) -> None:
        """Make everything durable and end the writer."""
        self._writer.commit()
        self._writer.wait_merging_threads()


class LexicalIndex:
    """Reads the lexical part of a generation. Safe to use from several threads."""

    def __init__(self, index: tantivy.Index) -> None:
        self._schema = index.schema
        self._searcher = index.searcher()

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """Open for reading.

        Raises:
            LexicalError: the folder holds no index that tantivy can read.
        """
        try:
            return cls(tantivy.Index.open(str(folder)))
        except (ValueError, OSError) as error:
            raise LexicalError(
                f"expected a lexical index in {folder.name}, found none that can be read ({error}); "
                "run `kennismatch index --rebuild`"
            ) from error

    def row_ids(self) -> NDArray[np.int64]:
        """All passage rows held, ascending: `(n_passages,)`."""
        rows = tantivy.Query.range_query(self._schema, "row", tantivy.FieldType.Integer, 0, 2**62)
        hits = self._searcher.search(rows, limit=max(1, self._searcher.num_docs)).hits
        values = self._searcher.fast_field_values("row", [address for _, address in hits])
        return np.array(sorted(int(value) for value in values if value is not None), dtype=np.int64)

    def search(
        self, words: Words, depth: int, allowed: Sequence[str] | None = None
    ) -> list[tuple[int, float]]:
        """The best `depth` passages for these words: `(row, BM25 score)`, best first, ties by row.

        Words are given with their weights, or as they were said (then `weigh` has its say).
        `allowed` restricts the search to the passages of these profiles.
        """
        hits = self._hits(words, (("words", 1.0), ("title", _TITLE_BOOST)), depth, allowed)
        rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        found = [(int(row), score) for row, (score, _) in zip(rows, hits, strict=True) if row is not None]
        return sorted(found, key=lambda item: (-item[1], item[0]))

    def search_profiles(
        self, words: Words, depth: int, allowed: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        """The best `depth` profiles for these words: `(profile id, BM25 score)`, best first, ties by id."""
        hits = self._hits(words, (("all_words", 1.0), ("name", _NAME_BOOST)), depth, allowed)
        found = [(str(self._searcher.doc(address).get_first("profile")), score) for score, address in hits]
        return sorted(found, key=lambda item: (-item[1], item[0]))

    def _hits(
        self,
        words: Words,
        fields: Sequence[tuple[str, float]],
        depth: int,
        allowed: Sequence[str] | None,
    ) -> list[tuple[float, tantivy.DocAddress]]:
        weights = words if isinstance(words, Mapping) else weigh(words)
        if not weights or depth < 1 or (allowed is not None and not allowed):
            return []
        terms: list[tuple[tantivy.Occur, tantivy.Query]] = []
        # Stable, so that of equally heavy words the first are kept.
        for word, weight in sorted(weights.items(), key=lambda item: -item[1])[:_MAX_SEARCHED]:
            for name, boost in fields:
                term = tantivy.Query.term_query(self._schema, name, word, index_option="freq")
                terms.append((tantivy.Occur.Should, tantivy.Query.boost_query(term, boost * weight)))
        query = tantivy.Query.boolean_query(terms)
        if allowed is not None:
            within = tantivy.Query.term_set_query(self._schema, "profile", list(allowed))
            query = tantivy.Query.boolean_query(
                [
                    (tantivy.Occur.Must, query),
                    (tantivy.Occur.Must, tantivy.Query.const_score_query(within, 0.0)),
                ]
            )
        return list(self._searcher.search(query, limit=depth, count=False).hits)
