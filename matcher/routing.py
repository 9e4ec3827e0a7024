"""Which kind of help a need asks for: research, people, equipment, money or start-up support.

A multinomial logistic model over words, pairs of words and cue phrases, so that every weight can be read, and what
spoke for a kind of help can be marked in the need. `routing.tsv` holds the weights and `routing-cues.toml` the phrases.
Where the caller has the need's vector anyway, a second such model over it (`routing-vectors.json`) joins in: many needs
name no kind of help by any word that was ever seen. `python -m benchmarks.routing` learns both. Research is the default
where nothing speaks for another.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corpora.model import ProfileKind
from matcher.words import analyse

KINDS = tuple(ProfileKind)
"""The columns of the weights."""

INTERCEPT = "(intercept)"
MAX_COUNT = 2
"""More phrases of one group than this say no more: a long need would otherwise always be sure."""

MAX_BECAUSE = 4
_MIN_LEAN = 0.12
"""A part of the text is shown as a reason from so much lead, in logits, over the mean of the kinds; below it, marked
words in the training needs were mostly topics."""

MAX_CHARS = 8_000
"""What follows in a longer text is not read: four pages say what is asked, and the lemmas of a pasted document would
take half a second."""

_WORDS_PER_UNIT = 10.0
_LONG_WORD_CHARS = 10
_WHOLE = re.compile(r"\S+")


class RoutingError(Exception):
    """The weights or phrases do not suit this program."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a need: `need_text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Route:
    """A kind of help, the chance that it is meant, and the parts of the text that speak for it, in their order."""

    kind: ProfileKind
    chance: float
    because: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Features:
    """What the model sees of a text: values by name, and where in the text each was found."""

    values: Mapping[str, float]
    spans: Mapping[str, tuple[Span, ...]]


@dataclass(frozen=True, slots=True)
class VectorModel:
    """Weights over the vectors of one encoder: `weights` is `(dim, len(KINDS))`, `intercept` `(len(KINDS),)`.

    `word_share` is what the logits of words and phrases count beside those of the vector.
    """

    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    word_share: float


@dataclass(frozen=True, slots=True)
class Meaning:
    """The vector of the whole need, `(dim,)`, as `Encoder.encode_queries` gives it, and the encoder's name."""

    vector: NDArray[np.float32]
    encoder: str


def routes(text: str, language: str, meaning: Meaning | None = None) -> tuple[Route, ...]:
    """All kinds of help, the most likely first; their chances sum to 1. Ties keep the order of `ProfileKind`.

    Args:
        text: any text; where nothing speaks for a kind of help, research comes first.
        language: ISO 639-1 code; phrases of both languages are tried where it is neither Dutch nor English.
        meaning: the first row of `Pipeline.encode`, where it is at hand: right far more often than words alone. An
            encoder that nothing was learned for is left aside.
    """
    weights = load_weights()
    found = features(text, language)
    logits = weights[INTERCEPT].copy()
    leans: list[tuple[str, NDArray[np.float64]]] = []
    for name, value in found.values.items():
        if name in weights:
            part = weights[name] * value
            logits += part
            leans.append((name, part - part.mean()))
    model = load_vector_models().get(meaning.encoder) if meaning is not None else None
    if model is not None and meaning is not None and _WHOLE.search(text):
        logits = model.word_share * logits + model.intercept + meaning.vector @ model.weights
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    return tuple(
        Route(
            KINDS[at], float(shares[at]), _because(found, [(name, float(lean[at])) for name, lean in leans])
        )
        for at in np.argsort(-shares, kind="stable")
    )


def features(text: str, language: str) -> Features:
    """Words, pairs of words and phrases of a text with their places, and its shape.

    Words and pairs weigh one over the root of their number, so that a long need is not surer than a short one.
    """
    text = text[:MAX_CHARS]
    values: dict[str, float] = {}
    spans: dict[str, tuple[Span, ...]] = {}
    placed = _placed_words(text, language)
    named = [(f"word {word}", span) for word, span in placed]
    named += [
        (f"pair {first} {second}", Span(start.start, end.end))
        for (first, start), (second, end) in pairwise(placed)
    ]
    places: dict[str, list[Span]] = {}
    for name, span in named:
        places.setdefault(name, []).append(span)
    scale = 1.0 / math.sqrt(max(1, len({word for word, _ in placed})))
    for name, where in places.items():
        values[name] = scale
        spans[name] = tuple(where)
    for group, hits in _cues(text, language).items():
        values[f"cue {group}"] = float(min(MAX_COUNT, len(hits)))
        spans[f"cue {group}"] = hits
    n_words = len(text.split())
    if n_words:
        values["shape length"] = min(3.0, n_words / _WORDS_PER_UNIT) / 3.0
        values["shape technical"] = sum(len(word) >= _LONG_WORD_CHARS for word, _ in placed) / max(
            1, len(placed)
        )
        values["shape question"] = float("?" in text)
    return Features(values, spans)


def _placed_words(text: str, language: str) -> list[tuple[str, Span]]:
    """The words of `matcher.words`, each with the printed word that it was read from."""
    placed: list[tuple[str, Span]] = []
    for whole in _WHOLE.finditer(text):
        words = analyse(whole.group(), language)
        if words:
            span = _bare(text, whole.start(), whole.end())
            placed.extend((word, span) for word in words)
    return placed


def _bare(text: str, start: int, end: int) -> Span:
    """The span without the marks at its ends."""
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return Span(start, end)


def _cues(text: str, language: str) -> dict[str, tuple[Span, ...]]:
    """Where phrases of each group stand; groups without any are left out."""
    found: dict[str, tuple[Span, ...]] = {}
    for group, pattern in load_cues(language if language in ("nl", "en") else "").items():
        hits = tuple(Span(*hit.span()) for hit in pattern.finditer(text))
        if hits:
            found[group] = hits
    return found


def _because(found: Features, leans: Sequence[tuple[str, float]]) -> tuple[Span, ...]:
    """The parts that speak most for a kind of help, without overlap, in the order of the text.

    What overlaps is one reason: its strengths add up, and the first, longest part of it is shown.
    """
    strong: list[tuple[float, Span]] = []
    for name, lean in sorted(leans, key=lambda item: (-item[1], item[0])):
        if lean < _MIN_LEAN:
            break
        strong += [(lean, span) for span in found.spans.get(name, ())[:MAX_BECAUSE]]
    chosen: list[Span] = []
    for _, span in strong:
        if len(chosen) == MAX_BECAUSE:
            break
        if all(span.end <= other.start or other.end <= span.start for other in chosen):
            chosen.append(span)
    return tuple(sorted(chosen, key=lambda span: span.start))


@cache
def load_weights() -> Mapping[str, NDArray[np.float64]]:
    """Feature to its weights, `(len(KINDS),)`, in logits.

    Raises:
        RoutingError: the columns are other kinds than this program knows.
    """
    lines = resources.files("matcher").joinpath("routing.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    expected = ["feature", *KINDS]
    if rows[0] != expected:
        raise RoutingError(
            f"expected routing.tsv with the columns {expected}, found {rows[0]}; "
            "learn it anew with `python -m benchmarks.routing`"
        )
    return {row[0]: np.array([float(cell) for cell in row[1:]]) for row in rows[1:]}


@cache
def load_vector_models() -> Mapping[str, VectorModel]:
    """Encoder name to what was learned for its vectors."""
    raw = json.loads(resources.files("matcher").joinpath("routing-vectors.json").read_text(encoding="utf-8"))
    return {
        name: VectorModel(np.array(entry["weights"]), np.array(entry["intercept"]), entry["word_share"])
        for name, entry in raw.items()
    }


@cache
def load_cues(language: str) -> Mapping[str, re.Pattern[str]]:
    """Group to one pattern of all its phrases, in a language, or in both where it is empty."""
    raw = tomllib.loads(resources.files("matcher").joinpath("routing-cues.toml").read_text(encoding="utf-8"))
    return {
        group: phrase_pattern(cues[language] if language else [*dict.fromkeys(cues["nl"] + cues["en"])])
        for group, cues in raw.items()
    }


def phrase_pattern(phrases: Sequence[str]) -> re.Pattern[str]:
    """One pattern of many phrases, the longest first; see `routing-cues.toml` for how a phrase is written."""
    each = []
    for phrase in sorted(phrases, key=lambda item: (-len(item), item)):
        words = re.escape(phrase).replace(r"\*", r"\w{0,30}").split(r"\ ")
        each.append(r"\s+".join(words).replace(r"\s+\.\.\s+", r"\s+(?:\S{1,30}\s+){0,3}?"))
    return re.compile(r"(?<!\w)(?:" + "|".join(each) + r")(?!\w)", re.IGNORECASE)
