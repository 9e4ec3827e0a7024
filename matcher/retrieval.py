"""Second stage: find passages, by meaning and by words, and score the profiles that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.encoders import Vectors
from matcher.features import DenseScores, standardise
from matcher.generations import Generation
from matcher.lexical import weigh
from matcher.lexicon import translate
from matcher.model import Query, ScoredPassage
from matcher.pooling import SOFTNESS, plain_mean, soft_mean
from matcher.words import analyse as analyse_words

DEPTH = 600
"""Passages taken from each arm for the whole need: enough for a run of 100 profiles."""

ASPECT_DEPTH = 60
"""Passages taken for each requirement."""

_BACKGROUND_PROFILES = 2_000
"""So many profiles, drawn once, tell what an ordinary similarity with this need is."""

_LEAST_TEMPERATURE = 1e-3
"""Of the soft mean, where all similarities are alike (a corpus of one passage)."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What the arms found: passages of each, best first; profiles by a requirement alone; the words' score of profiles."""

    dense: tuple[ScoredPassage, ...]
    by_requirement: frozenset[str]
    lexical: tuple[ScoredPassage, ...]
    words: dict[str, float]

    def profile_ids(self) -> frozenset[str]:
        """All profiles that any arm found."""
        found = {passage.profile_id for passage in (*self.dense, *self.lexical)}
        return frozenset(found | self.by_requirement | self.words.keys())


def query_words(query: Query, translation: bool = True) -> dict[str, float]:
    """Words to search for, with their weights: those of the need, and their translations if wanted."""
    words = analyse_words(query.text, query.language)
    return translate(words, query.language) if translation else weigh(words)


class Retriever:
    """Both arms over one generation."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._rows = generation.profile_rows
        self._ids = tuple(sorted(self._rows))
        rng = np.random.default_rng(0)
        n_background = min(_BACKGROUND_PROFILES, len(self._ids))
        drawn: Sequence[int] | NDArray[np.int64] = (
            rng.choice(len(self._ids), size=n_background, replace=False) if self._ids else []
        )
        self._background = frozenset(self._ids[at] for at in drawn)

    def rows_of(self, profile_ids: Sequence[str]) -> NDArray[np.int64]:
        """Rows of all passages of these profiles, ascending."""
        held = [self._rows[profile] for profile in profile_ids if profile in self._rows]
        return np.sort(np.concatenate(held)) if held else np.empty(0, dtype=np.int64)

    def retrieve(
        self,
        query: Query,
        vectors: Vectors,
        allowed: frozenset[str] | None,
        *,
        dense: bool = True,
        lexical: bool = True,
        translation: bool = True,
    ) -> Retrieved:
        """Search both arms.

        Args:
            query: the analysed need.
            vectors: `(1 + n_aspects, dim)`, the whole need first.
            allowed: ids of the profiles that may come back; None for all.
            dense: whether to search by meaning.
            lexical: whether to search by words.
            translation: whether words are searched in the other language too.
        """
        found_vectors: tuple[ScoredPassage, ...] = ()
        by_requirement: set[str] = set()
        if dense:
            rows = None if allowed is None else self.rows_of(sorted(allowed))
            index = self._generation.vectors
            found_vectors = self._ranked(*index.search(vectors[:1], DEPTH, rows)[0])
            owners = self._generation.passage_profile
            for ids, _ in index.search(vectors[1:], ASPECT_DEPTH, rows):
                by_requirement.update(owners[place] for place in self._generation.positions(ids))
        found_words: list[tuple[int, float]] = []
        profiles: list[tuple[str, float]] = []
        if lexical:
            words = query_words(query, translation)
            only = None if allowed is None else sorted(allowed)
            found_words = self._generation.lexical.search(words, DEPTH, only)
            profiles = self._generation.lexical.search_profiles(words, DEPTH, only)
        return Retrieved(
            dense=found_vectors,
            by_requirement=frozenset(by_requirement),
            lexical=self._ranked([row for row, _ in found_words], [score for _, score in found_words]),
            words=dict(profiles),
        )

    def _ranked(
        self, rows: Sequence[int] | NDArray[np.int64], scores: Sequence[float] | NDArray[np.float32]
    ) -> tuple[ScoredPassage, ...]:
        places = self._generation.positions(np.asarray(rows, dtype=np.int64))
        owners = self._generation.passage_profile
        return tuple(
            ScoredPassage(int(row), owners[place], float(score), rank)
            for rank, (row, place, score) in enumerate(zip(rows, places, scores, strict=True), start=1)
        )

    def score(self, profile_ids: frozenset[str], vectors: Vectors) -> DenseScores:
        """Exact similarities of these profiles' passages with the need and its requirements, standardised.

        Args:
            profile_ids: profiles with at least one passage each.
            vectors: `(1 + n_aspects, dim)`, the whole need first.
        """
        ids = sorted(profile_ids | self._background)
        if not ids:  # Nothing with text has been indexed.
            none = np.empty(0, dtype=np.float32)
            return DenseScores((), none, none, np.empty((0, len(vectors) - 1), dtype=np.float32), none)
        rows = [self._rows[profile] for profile in ids]
        starts = np.cumsum([0, *(len(item) for item in rows[:-1])]).astype(np.int64)
        positions = self._generation.positions(np.concatenate(rows))
        similarities = _similarities(self._generation.passage_matrix, positions, vectors)
        background = np.array([profile in self._background for profile in ids])
        usual = similarities[np.repeat(background, [len(item) for item in rows]), 0]
        raw = soft_mean(similarities[:, :1], starts, max(SOFTNESS * float(usual.std()), _LEAST_TEMPERATURE))[
            :, 0
        ]
        theme = plain_mean(similarities[:, :1], starts)[:, 0]
        best = np.maximum.reduceat(similarities[:, 1:], starts, axis=0)
        wanted = np.array([profile in profile_ids for profile in ids])
        return DenseScores(
            profile_ids=tuple(profile for profile in ids if profile in profile_ids),
            whole=standardise(raw, background)[wanted],
            theme=standardise(theme, background)[wanted],
            each=standardise(best, background)[wanted],
            raw=raw[wanted],
        )


def _similarities(matrix: Vectors, positions: NDArray[np.int64], vectors: Vectors) -> NDArray[np.float32]:
    """`matrix[positions] @ vectors.T`; where most rows are wanted, without a copy of the matrix."""
    if 2 * len(positions) > len(matrix):
        return (matrix @ vectors.T)[positions]
    return matrix[positions] @ vectors.T
