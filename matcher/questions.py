"""The question behind the question: what a need leaves open that would tell most about who can help.

Four things make a need answerable: what it is for, what was tried, within which limits, and how far or by when. Each is
looked for by cues (`questions.toml`: phrases, figures with units, dates); what is missing is asked, the most telling
first. Nothing is asked that the text answers, and a complete need gets no question.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from corpora.languages import detect
from corpora.model import ProfileKind
from matcher.model import Query
from matcher.routing import Route, phrase_pattern

CODES = ("purpose", "tried", "limits", "stage")
"""What a complete need says; `kind` is asked besides where the kind of help is not clear."""

MAX_QUESTIONS = 3

NEAR = 0.15
"""The kinds of help are not clear from so little between the chances of the first two on."""
MIN_SECOND = 0.25
"""A second kind below this chance is not worth a question, however near."""

_LONG_WORDS = 60
"""Somebody who wrote so much has said most of it, perhaps in words that no cue knows: one gap is left alone."""
_LOOSE_WORDS = 30
"""From this length on, weaker signs are believed: complete needs that were written without looking at the cues were asked
up to three questions otherwise."""
_TOPIC_WORDS = 7
"""A longer part of the need does not read well within a question."""

# What is asked first where something goes wrong, and elsewhere: a wish says little before it is known what it is for.
_ORDER_WRONG = ("tried", "purpose", "limits", "stage")
_ORDER_WISH = ("purpose", "limits", "tried", "stage")
_ORDER_BY_KIND = {
    ProfileKind.FACILITY: ("purpose", "limits", "stage"),
    ProfileKind.PROGRAMME: ("purpose", "limits", "stage"),
    ProfileKind.INSTRUMENT: ("purpose", "limits", "stage"),
    ProfileKind.SUPPORT: ("stage", "limits", "purpose"),
}
"""Where somebody wants equipment, people or money, what was tried is beside the point."""

_NAMES_FOR = {"tried": "trouble", "limits": "material"}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked (`purpose`, `tried`, `limits`, `stage`, `kind`), in the need's language, with an example answer."""

    code: str
    text: str
    help: str


def questions(query: Query, routed: Sequence[Route] = ()) -> tuple[Question, ...]:
    """At most `MAX_QUESTIONS`, the most telling first; none for a complete need.

    Args:
        query: the analysed need; the questions are in Dutch where it is Dutch, else in English.
        routed: its kinds of help, where they are known (`matcher.routing.routes`).
    """
    said = answers(query.text, query.language)
    missing = [code for code in CODES if code not in said]
    if not missing or (len(missing) == 1 and len(query.text.split()) >= _LONG_WORDS):
        return ()
    kind = _clear_kind(routed)
    codes = [code for code in _order(query, kind) if code in missing]
    if _unclear(routed) and "kind" not in said:
        codes.insert(0, "kind")
    return tuple(_word(code, query, kind, routed) for code in codes[:MAX_QUESTIONS])


def answers(text: str, language: str) -> frozenset[str]:
    """The codes that a text says something about; in a text of some length weaker signs count too."""
    found = {code for code in (*CODES, "kind") if cue_count(text, code, language)}
    if len(text.split()) >= _LOOSE_WORDS:
        found |= {code for code in CODES if _cues(code, _supported(language), "loose").search(text)}
    return frozenset(found)


def cue_count(text: str, code: str, language: str) -> int:
    """How many phrases, figures or dates in a text speak to a code."""
    figures = _patterns().get(code)
    n_figures = sum(1 for _ in figures.finditer(text)) if figures else 0
    return n_figures + sum(1 for _ in _cues(code, _supported(language)).finditer(text))


def answered(text: str, code: str, answer: str, language: str | None = None) -> str:
    """The need with an answer to one of its questions, as one text that reads on.

    The answer becomes a sentence of its own. Where it does not say by itself what it answers ("fietsframes"), a few
    words before it do, for the reader, for the encoder, and so that the question is not asked again.

    Raises:
        ValueError: there is no question with this code.
    """
    if code not in (*CODES, "kind"):
        raise ValueError(f"expected a code of {(*CODES, 'kind')}, found {code!r}")
    said = " ".join(answer.split())
    if not said:
        return text
    spoken = _supported(language or detect(text, fallback="en"))
    if code not in answers(said, spoken):
        said = f"{_raw()['texts'][code][f'lead_{spoken}']} {said}"
    else:
        said = said[0].upper() + said[1:]
    before = text.rstrip()
    if before and before[-1] not in ".!?…":
        before = before.rstrip(",;:") + "."
    return f"{before} {said}{'' if said[-1] in '.!?…' else '.'}".strip()


def _order(query: Query, kind: ProfileKind | None) -> Sequence[str]:
    if kind in _ORDER_BY_KIND:
        return _ORDER_BY_KIND[kind]
    wrong = _cues("wrong", _supported(query.language)).search(query.text)
    return _ORDER_WRONG if wrong or _named("trouble", query) else _ORDER_WISH


def _clear_kind(routed: Sequence[Route]) -> ProfileKind | None:
    return routed[0].kind if routed and not _unclear(routed) else None


def _unclear(routed: Sequence[Route]) -> bool:
    return len(routed) > 1 and routed[1].chance >= MIN_SECOND and routed[0].chance - routed[1].chance < NEAR


def _word(code: str, query: Query, kind: ProfileKind | None, routed: Sequence[Route]) -> Question:
    """The question in words: about a part of the need, else for its kind of help, else in general."""
    texts: dict[str, str] = _raw()["texts"][code]
    language = _supported(query.language)
    example = texts[f"help_{language}"]
    if code == "kind":
        first, second = (_raw()["kinds"][f"{route.kind}_{language}"] for route in routed[:2])
        return Question(code, texts[language].format(first=first, second=second), example)
    by_kind = texts.get(f"{kind}_{language}")
    if by_kind is not None:
        return Question(code, by_kind, example)
    words = (
        _topic(query)
        if code == "purpose"
        else _named(_NAMES_FOR[code], query)
        if code in _NAMES_FOR
        else None
    )
    if words is None:
        return Question(code, texts[language], example)
    return Question(code, texts[f"words_{language}"].replace("{words}", words), example)


def _topic(query: Query) -> str | None:
    """The first requirement where it is short enough to be said back."""
    first = " ".join(query.aspects[0].text.split())
    return first if 2 <= len(first.split()) <= _TOPIC_WORDS and "“" not in first else None


def _named(names: str, query: Query) -> str | None:
    """The last word of a list that the need names, as it stands there: what a need limits comes at its end."""
    pattern = _names(names, _supported(query.language))
    found = [hit.group() for hit in pattern.finditer(query.text)]
    return found[-1].lower() if found else None


def _supported(language: str) -> str:
    return "nl" if language == "nl" else "en"


@cache
def _raw() -> dict[str, Any]:
    return tomllib.loads(resources.files("matcher").joinpath("questions.toml").read_text(encoding="utf-8"))


@cache
def _cues(code: str, language: str, strength: str = "cues") -> re.Pattern[str]:
    return phrase_pattern(_raw()[strength][code][language])


@cache
def _names(names: str, language: str) -> re.Pattern[str]:
    return phrase_pattern(_raw()["names"][names][language])


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {code: re.compile(pattern, re.IGNORECASE) for code, pattern in _raw()["patterns"].items()}
