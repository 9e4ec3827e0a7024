"""Figures of an encoder on what was kept aside, to be set beside those of the models it started from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache

import numpy as np

from embeddings.encoders import Encoder, Vectors
from embeddings.training import sources
from embeddings.training.measure import mrr_at_10, ndcg_at_10, ranks_of, team_scores

Figures = dict[str, float]


def teams(encoder: Encoder, part: str, *, alone: bool = False) -> Figures:
    """Company needs of parts of the split (joined by +) to teams, nDCG@10 by language, dense arm alone.

    All 667 teams compete, or those of the part `alone`: a sixth of the time, to choose a checkpoint by.
    """
    names = sorted(sources.teams(part) if alone else sources.team_passages())
    texts = [sources.team_passages()[name] for name in names]
    passages = encoder.encode_passages([text for team in texts for text in team])
    bounds = [0, *np.cumsum([len(team) for team in texts]).tolist()]
    figures: Figures = {}
    for name in part.split("+"):
        chosen = sources.teams(name)
        needs = [need for need in sources.team_needs() if need.key in chosen]
        right = np.array([names.index(need.key) for need in needs])
        for language, asked in (("en", [n.en for n in needs]), ("nl", [n.nl for n in needs])):
            scores = team_scores(encoder.encode_queries(asked), passages, bounds)
            figures[f"{name} teams {language} nDCG@10"] = ndcg_at_10(ranks_of(scores, right))
        figures[f"{name} needs"] = len(needs)
    return figures


def descriptions(encoder: Encoder) -> Figures:
    """Needs to the 200 Dutch descriptions kept aside, all competing, nDCG@10."""
    kept = sources.aside("passages-nl")
    needs = [need for need in sources.paper_needs() if need.key in kept and need.passage_nl]
    passages = encoder.encode_passages([need.passage_nl or "" for need in needs])
    right = np.arange(len(needs))
    return {
        f"Dutch descriptions {language} nDCG@10": ndcg_at_10(
            ranks_of(encoder.encode_queries(asked) @ passages.T, right)
        )
        for language, asked in (("en", [n.en for n in needs]), ("nl", [n.nl for n in needs]))
    }


def translations(encoder: Encoder) -> Figures:
    """Share of 1,000 texts kept aside whose translation is the nearest, either way."""
    pairs = [t for i, t in enumerate(sources.field_translations()) if str(i) in sources.aside("translations")]
    en = encoder.encode_queries([pair.en for pair in pairs])
    nl = encoder.encode_queries([pair.nl for pair in pairs])
    right = np.arange(len(pairs))
    ways = {"en-nl": en @ nl.T, "nl-en": nl @ en.T}
    return {
        f"translation {way}": float(np.mean(ranks_of(scores, right) == 1)) for way, scores in ways.items()
    }


def titles(encoder: Encoder) -> Figures:
    """Titles of 5,000 works kept aside to their abstracts, MRR@10."""
    works = [sources.works()[key] for key in sorted(sources.aside("works"))]
    abstracts = encoder.encode_passages([work.abstract for work in works])
    scores = encoder.encode_queries([work.title for work in works]) @ abstracts.T
    return {"title to abstract MRR@10": mrr_at_10(ranks_of(scores, np.arange(len(works))))}


def sentences(encoder: Encoder) -> Figures:
    """STSb dev, Spearman: English, Dutch, and Dutch against English (both orders)."""
    en, nl = sources.similar_sentences("en"), sources.similar_sentences("nl")
    said = np.array([score for _, _, score in en])

    @cache
    def vectors(language: str, side: int) -> Vectors:
        return encoder.encode_queries(
            [row[0] if side == 0 else row[1] for row in (en if language == "en" else nl)]
        )

    def spearman(first: str, second: str) -> float:
        return _spearman((vectors(first, 0) * vectors(second, 1)).sum(1), said)

    return {
        "STSb en": spearman("en", "en"),
        "STSb nl": spearman("nl", "nl"),
        "STSb nl-en": (spearman("nl", "en") + spearman("en", "nl")) / 2,
    }


def _spearman(found: Vectors, said: Vectors) -> float:
    return float(np.corrcoef(_mean_ranks(found), _mean_ranks(said))[0, 1])


def _mean_ranks(values: Vectors) -> Vectors:
    """Ranks, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse], dtype=np.float32)


MEASURES: dict[str, Callable[[Encoder], Figures]] = {
    "descriptions": descriptions,
    "translations": translations,
    "sentences": sentences,
    "titles": titles,
    "tune-alone": lambda encoder: teams(encoder, "tune", alone=True),
    "tune": lambda encoder: teams(encoder, "tune"),
    "report": lambda encoder: teams(encoder, "report"),
    "tune+report": lambda encoder: teams(encoder, "tune+report"),
}


def compare(encoder: Encoder, names: Collection[str]) -> Figures:
    """The figures of these measures."""
    return {key: round(value, 4) for name in names for key, value in MEASURES[name](encoder).items()}
