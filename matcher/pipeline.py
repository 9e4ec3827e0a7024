"""The story, top to bottom: analyse -> retrieve -> fuse -> pool -> rank -> calibrate -> explain.

Each stage can be called alone and most can be left out (`without`), so that what each brings can be measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from corpora.model import ProfileKind
from embeddings.encoders import Encoder, Vectors
from matcher.analysis import analyse, in_context
from matcher.answerable import SIGNS, signs
from matcher.explain import evidence, unmet_aspects
from matcher.features import FEATURES, DenseScores, feature_matrix
from matcher.fusion import fuse
from matcher.generations import Generation
from matcher.model import Answer, Filters, InstituteMatch, Match, Query
from matcher.pooling import pool
from matcher.ranker import Fit, load_fit
from matcher.retrieval import Retrieved, Retriever, query_words

STAGES = ("dense", "lexical", "translation", "theme", "requirements", "fusion", "roadmaps")
"""What `without` can name: an arm, a part of one, or a group of the ranker's features."""

_FEATURES_OF_STAGE = {
    "dense": ("dense", "theme", "requirements"),
    "lexical": ("words",),
    "translation": (),
    "theme": ("theme",),
    "requirements": ("requirements",),
    "fusion": ("fused",),
    "roadmaps": ("roadmaps",),
}

OTHER_KINDS_SHOWN = 2
"""Matches shown of each kind that was not asked for."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates in order: `profile_ids`, `scores`, `features` and `chances` are aligned, best first."""

    profile_ids: tuple[str, ...]
    scores: NDArray[np.float64]
    features: NDArray[np.float64]
    dense: DenseScores
    positions: NDArray[np.int64]
    """`(n_candidates,)`: the place of each ranked candidate in `dense`."""
    signs: NDArray[np.float64]
    chances: NDArray[np.float64]


class Pipeline:
    """Answers needs from one generation. Safe to use from several threads."""

    def __init__(
        self,
        generation: Generation,
        encoder: Encoder,
        *,
        without: Collection[str] = (),
        fit: Fit | None = None,
        excluded: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        """Prepare to answer.

        Args:
            generation: what is searched.
            encoder: the encoder that the generation was built with.
            without: stages to leave out, of `STAGES`.
            fit: fitted weights; those that ship for this encoder by default.
            excluded: called for every need: ids of profiles that may not be shown (erased, opted out).

        Raises:
            ValueError: `without` names an unknown stage.
        """
        unknown = set(without) - set(STAGES)
        if unknown:
            raise ValueError(f"expected stages of {', '.join(STAGES)}, found {', '.join(sorted(unknown))}")
        self.generation = generation
        self.encoder = encoder
        self.fit = fit or load_fit(encoder.name, len(SIGNS))
        self._without = frozenset(without)
        self._excluded = excluded
        self._retriever = Retriever(generation)

    def match(
        self, text: str, *, language: str | None = None, filters: Filters = Filters(), limit: int = 20
    ) -> Answer:
        """From a need to explained pairings.

        Raises:
            NeedError: the text cannot be matched.
        """
        started = time.perf_counter()
        query = self.analyse(text, language)
        vectors = self.encode(query)
        kinds = filters.kinds or (ProfileKind.RESEARCH_GROUP,)
        ranking = self.rank(query, vectors, self._allowed(filters, kinds))
        matches = self.explain(query, vectors, ranking, limit)
        others: list[tuple[ProfileKind, tuple[Match, ...]]] = []
        if not filters.kinds:
            rest = tuple(kind for kind in ProfileKind if kind not in kinds)
            others = self._other_kinds(query, vectors, filters, rest)
        chance = self.fit.somebody_fits(ranking.signs) if matches else 0.0
        return Answer(
            query=query,
            matches=matches,
            institutes=by_institute(matches),
            others=tuple(others),
            fits=bool(matches) and chance >= self.fit.fit_threshold,
            fit_probability=chance,
            generation=self.generation.name,
            elapsed_ms=(time.perf_counter() - started) * 1e3,
        )

    def analyse(self, text: str, language: str | None = None) -> Query:
        """Language, requirements and roadmap tags of a need; raises `NeedError`."""
        return analyse(text, language)

    def encode(self, query: Query) -> Vectors:
        """`(1 + n_aspects, dim)`: the need and its requirements, in one go."""
        if len(query.aspects) == 1:
            # The one requirement is the need, less the way of asking: once is enough.
            return np.repeat(self.encoder.encode_queries([query.text]), 2, axis=0)
        return self.encoder.encode_queries([query.text, *in_context(query)])

    def retrieve(self, query: Query, vectors: Vectors, allowed: frozenset[str] | None) -> Retrieved:
        """Passages by meaning and by words."""
        return self._retriever.retrieve(
            query,
            vectors,
            allowed,
            dense="dense" not in self._without,
            lexical="lexical" not in self._without,
            translation="translation" not in self._without,
        )

    def words(self, query: Query) -> dict[str, float]:
        """Words that are searched for this need, with their weights."""
        return query_words(query, "translation" not in self._without)

    def similarities(self, profile_ids: frozenset[str], vectors: Vectors) -> DenseScores:
        """Exact similarities of these profiles with the need and its requirements."""
        return self._retriever.score(profile_ids, vectors)

    def fuse(self, retrieved: Retrieved) -> dict[str, float]:
        """Both arms' passages fused and pooled: profile id -> score."""
        return pool(fuse(retrieved.dense, retrieved.lexical))

    def rank(self, query: Query, vectors: Vectors, allowed: frozenset[str] | None) -> Ranking:
        """Retrieve, fuse, pool, and order the candidates by the ranker's score, ties by id."""
        retrieved = self.retrieve(query, vectors, allowed)
        profiles = self.generation.profiles
        dense = self.similarities(retrieved.profile_ids(), vectors)
        tags = frozenset(query.roadmaps)
        features = feature_matrix(
            dense,
            words=retrieved.words,
            fused=self.fuse(retrieved),
            roadmaps={
                item: len(tags.intersection(profiles[item].roadmaps)) / len(tags)
                for item in dense.profile_ids
                if tags
            },
        )
        for stage in self._without:
            features[:, [FEATURES.index(name) for name in _FEATURES_OF_STAGE[stage]]] = 0.0
        scores = self.fit.score(features, query.language)
        # Ids ascend in `dense`, so a stable sort breaks ties on id.
        order = np.argsort(-scores, kind="stable")
        return Ranking(
            profile_ids=tuple(dense.profile_ids[at] for at in order),
            scores=scores[order],
            features=features[order],
            chances=self.fit.chances(scores[order], len(self.generation.profile_rows)),
            dense=dense,
            positions=order,
            signs=signs(float(scores[order[0]]), len(self.generation.profile_rows))
            if len(order)
            else np.zeros(len(SIGNS)),
        )

    def explain(self, query: Query, vectors: Vectors, ranking: Ranking, limit: int) -> tuple[Match, ...]:
        """The first `limit` candidates with their chance, evidence and unmet requirements."""
        matches: list[Match] = []
        for profile, score, chance, at in zip(
            ranking.profile_ids, ranking.scores, ranking.chances, ranking.positions, strict=True
        ):
            if len(matches) >= limit:
                break
            unmet = unmet_aspects(query, ranking.dense.each[at], self.fit.unmet_threshold)
            quotes = evidence(self.generation, profile, query, vectors, unmet)
            if not quotes:
                continue
            matches.append(
                Match(
                    profile=self.generation.profiles[profile],
                    rank=len(matches) + 1,
                    score=float(score),
                    probability=float(chance),
                    evidence=quotes,
                    unmet=unmet,
                )
            )
        return tuple(matches)

    def _allowed(self, filters: Filters, kinds: Collection[ProfileKind]) -> frozenset[str]:
        excluded = self._excluded()
        return frozenset(
            profile.id
            for profile in self.generation.profiles.values()
            if profile.kind in kinds
            and profile.id in self.generation.profile_rows
            and profile.id not in excluded
            and (not filters.roadmaps or set(filters.roadmaps) & set(profile.roadmaps))
            and (not filters.organisations or profile.organisation_id in filters.organisations)
            and (not filters.regions or profile.region in filters.regions)
            and (not filters.languages or profile.language in filters.languages)
        )

    def _other_kinds(
        self, query: Query, vectors: Vectors, filters: Filters, kinds: Sequence[ProfileKind]
    ) -> list[tuple[ProfileKind, tuple[Match, ...]]]:
        allowed = self._allowed(filters, kinds)
        if not allowed:
            return []
        ranking = self.rank(query, vectors, allowed)
        blocks: list[tuple[ProfileKind, tuple[Match, ...]]] = []
        kind_of = {profile: self.generation.profiles[profile].kind for profile in ranking.profile_ids}
        for kind in kinds:
            chosen = [at for at, profile in enumerate(ranking.profile_ids) if kind_of[profile] == kind]
            part = Ranking(
                profile_ids=tuple(ranking.profile_ids[at] for at in chosen),
                scores=ranking.scores[chosen],
                features=ranking.features[chosen],
                chances=ranking.chances[chosen],
                dense=ranking.dense,
                positions=ranking.positions[chosen],
                signs=ranking.signs,
            )
            matches = self.explain(query, vectors, part, OTHER_KINDS_SHOWN)
            if matches:
                blocks.append((kind, matches))
        return blocks


def by_institute(matches: Sequence[Match]) -> tuple[InstituteMatch, ...]:
    """Roll matches up per institute, in the order of each institute's best match."""
    first: dict[str, int] = {}
    for match in matches:
        first.setdefault(match.profile.organisation_id, match.rank)
    ordered = sorted(matches, key=lambda match: (first[match.profile.organisation_id], match.rank))
    institutes = []
    for organisation, group in groupby(ordered, key=lambda match: match.profile.organisation_id):
        own = tuple(group)
        institutes.append(
            InstituteMatch(organisation, own[0].profile.organisation, own[0].score, own[0].probability, own)
        )
    return tuple(institutes)
