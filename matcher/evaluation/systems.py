"""The systems that are compared: each arm alone, and the whole pipeline. A need in, a ranking out."""

from __future__ import annotations

from collections.abc import Callable

from embeddings.encoders import Vectors
from matcher.model import Query
from matcher.pipeline import Pipeline

System = Callable[[Pipeline, Query, Vectors, int], list[tuple[str, float]]]
"""(pipeline, analysed need, its `(1 + n_aspects, dim)` vectors, depth) -> (profile id, score), best first."""


def lexical(pipeline: Pipeline, query: Query, vectors: Vectors, depth: int) -> list[tuple[str, float]]:
    """BM25 of profiles as wholes."""
    return pipeline.generation.lexical.search_profiles(pipeline.words(query), depth)


def dense(pipeline: Pipeline, query: Query, vectors: Vectors, depth: int) -> list[tuple[str, float]]:
    """Soft mean of the passages against the whole need."""
    found = pipeline.retrieve(query, vectors[:1], None)
    scores = pipeline.similarities(found.profile_ids(), vectors)
    ranked = sorted(
        zip(scores.profile_ids, scores.raw.tolist(), strict=True), key=lambda item: (-item[1], item[0])
    )
    return ranked[:depth]


def whole(pipeline: Pipeline, query: Query, vectors: Vectors, depth: int) -> list[tuple[str, float]]:
    """The pipeline as `serve` runs it, all kinds of profile together."""
    ranking = pipeline.rank(query, vectors, None)
    return list(zip(ranking.profile_ids, ranking.scores.tolist(), strict=True))[:depth]


SYSTEMS: dict[str, System] = {"lexical": lexical, "dense": dense, "pipeline": whole}
