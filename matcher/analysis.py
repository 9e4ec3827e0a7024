"""First stage: from the text of a need to a `Query` (language, requirements, roadmap tags)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from corpora.languages import detect
from corpora.sentences import sentence_spans
from corpora.taxonomy import load_taxonomy
from matcher.model import Aspect, NeedError, Query
from matcher.words import analyse as analyse_words

MAX_NEED_CHARS = 20_000
"""About ten pages; what is longer is a document, not a need."""

MAX_ASPECTS = 8
"""More requirements than a reader can follow are joined to the last."""

_LONG_CLAUSE_WORDS = 14
"""A sentence up to this long is one requirement; longer ones are looked at for clauses. Chosen on the tune
part: shorter clauses lose the context that gives them meaning."""

_SHORT_WORDS = 3
"""A requirement of so few words means little without the one before it."""

# What follows these words limits what stands before it, and is asked for by itself, however short.
_CONSTRAINT = re.compile(
    r"[,;]?\s+(?=(?:(?:en|and|ook|also)\s+)?(?:zonder|without|mits|provided that)\s)", re.IGNORECASE
)
_CLAUSE = re.compile(
    r"(?:;\s+|:\s+|,\s+(?=(?:en|maar|want|dus|of|and|but|yet|so|or|because|which|where|waarbij|omdat|terwijl|while|zodat|so that)\s)|\s+[-–—]\s+)",
    re.IGNORECASE,
)
# Ways of asking; they carry no requirement.
_LEAD_IN = re.compile(
    r"^(?:(?:wie|wat|welke \w+) (?:kan|kunnen) (?:ons |we |wij )?(?:helpen|ondersteunen|adviseren)(?: om| bij| met)?"
    r"|(?:wij|we) (?:zoeken|zijn op zoek naar)(?: (?:iemand|een partner|partners|hulp))?(?: (?:die|om|voor|bij|met))?"
    r"|(?:who|can (?:anyone|someone|anybody)|is there (?:anyone|someone) who can) (?:can |could )?"
    r"(?:help(?: us)?|advise(?: us)?|support(?: us)?)(?: to| with| in| on)?"
    r"|we (?:are looking for|look for|seek|are seeking)(?: (?:someone|a partner|partners|help))?(?: (?:who|to|with|for))?"
    r")\s+",
    re.IGNORECASE,
)
_TAIL = re.compile(r"[\s,;]+(?:en|of|maar|ook|and|or|but|also)$", re.IGNORECASE)
_SUPPORTED = ("nl", "en")


def analyse(text: str, language: str | None = None) -> Query:
    """Analyse a need.

    Args:
        text: the need as typed; kept as it is, so that requirements are spans of it.
        language: ISO 639-1 code when the caller knows it; detected otherwise.

    Raises:
        NeedError: there is nothing to match (`empty`, `too_short`, `no_words`) or far too much (`too_long`).
    """
    _check(text)
    found = language or detect(text, fallback="en")
    return Query(
        text=text,
        language=found,
        aspects=aspects(text, found),
        roadmaps=roadmap_tags(text, found),
        supported=found in _SUPPORTED,
    )


def _check(text: str) -> None:
    stripped = text.strip()
    if not stripped:
        raise NeedError("empty", "expected a need in words, found nothing; describe what you are looking for")
    if len(text) > MAX_NEED_CHARS:
        raise NeedError(
            "too_long",
            f"expected at most {MAX_NEED_CHARS} characters, found {len(text)}; "
            "keep to the problem and what you want to reach",
        )
    n_letters = sum(unicodedata.category(char).startswith("L") for char in stripped)
    n_odd = sum(
        unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") and char not in "\n\r\t" for char in stripped
    )
    if n_letters == 0 or n_odd > len(stripped) // 10:
        raise NeedError(
            "no_words", "expected words, found only symbols or binary data; describe the need in a sentence"
        )
    if n_letters < 3:
        raise NeedError(
            "too_short", "expected at least a word, found fewer than three letters; say a little more"
        )


def aspects(text: str, language: str) -> tuple[Aspect, ...]:
    """The separate requirements in a need, in order; at least one, at most `MAX_ASPECTS`."""
    found: list[Aspect] = []
    for start, end in sentence_spans(text, language):
        for lower, upper in _clauses(text, start, end):
            span = _trim(text, lower, upper)
            if span is not None and _has_content(text[span[0] : span[1]], language):
                found.append(Aspect(text[span[0] : span[1]], *span))
    if not found:
        start, end = _trim(text, 0, len(text)) or (0, len(text))
        return (Aspect(text[start:end], start, end),)
    if len(found) > MAX_ASPECTS:
        last = found[MAX_ASPECTS - 1]
        found[MAX_ASPECTS - 1 :] = [Aspect(text[last.start : found[-1].end], last.start, found[-1].end)]
    return tuple(found)


def in_context(query: Query) -> list[str]:
    """What is encoded for each requirement: itself, and where it is too short to mean much alone, what it limits.

    "zonder vervorming" asks for something else of a weld than of a sound; it is encoded with the clause before.
    """
    texts: list[str] = []
    for number, aspect in enumerate(query.aspects):
        short = number > 0 and len(aspect.text.split()) <= _SHORT_WORDS
        texts.append(query.text[query.aspects[number - 1].start : aspect.end] if short else aspect.text)
    return texts


def _clauses(text: str, start: int, end: int) -> Iterable[tuple[int, int]]:
    """Spans of one sentence: cut before a constraint, and at clauses where the sentence is long."""
    cuts = [start]
    for mark in _CONSTRAINT.finditer(text, start, end):
        if len(text[mark.end() : end].split()) >= 2:
            cuts.append(mark.end())
    if len(text[start:end].split()) > _LONG_CLAUSE_WORDS:
        for mark in _CLAUSE.finditer(text, start, end):
            if min(len(text[start : mark.start()].split()), len(text[mark.end() : end].split())) >= 4:
                cuts.append(mark.end())
    cuts = sorted({*cuts, end})
    return pairwise(cuts)


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The span without the way of asking at its head and the marks at its ends; None if nothing is left."""
    head = _LEAD_IN.match(text[start:end].lstrip())
    if head:
        start += len(text[start:end]) - len(text[start:end].lstrip()) + head.end()
    while start < end and not (text[start].isalnum() or text[start] in "(\"'“‘"):
        start += 1
    while end > start and not (text[end - 1].isalnum() or text[end - 1] in ")\"'”’%°"):
        end -= 1
    tail = _TAIL.search(text, start, end)
    if tail:
        end = tail.start()
    return (start, end) if start < end else None


def _has_content(text: str, language: str) -> bool:
    return any(len(word) > 2 and not word.isdigit() for word in analyse_words(text, language))


def roadmap_tags(text: str, language: str) -> tuple[str, ...]:
    """Codes of the HTSM roadmaps whose labels or aliases the text names, most named first, at most three."""
    words = analyse_words(text, language)
    names = _names_by_first_word(language if language in _SUPPORTED else "en")
    hits: Counter[_Name] = Counter()
    for at, word in enumerate(words):
        hits.update(name for name in names.get(word, ()) if tuple(words[at : at + len(name[0])]) == name[0])
    counts: dict[str, float] = defaultdict(float)
    for (name, codes), n_hits in sorted(hits.items()):
        for code in codes:
            # A name that many roadmaps share says less of each.
            counts[code] += n_hits * len(name) / len(codes)
    ranked = sorted(counts, key=lambda code: (-counts[code], code))
    return tuple(ranked[:3])


_Name = tuple[tuple[str, ...], tuple[str, ...]]
"""The analysed words of a name, and the codes of the roadmaps that bear it."""


@lru_cache(maxsize=len(_SUPPORTED))
def _names_by_first_word(language: str) -> Mapping[str, Sequence[_Name]]:
    """The names in a language by their first word, so that a text is gone through once and not once a name."""
    codes: dict[tuple[str, ...], tuple[str, ...]] = {}
    for term in load_taxonomy().roadmaps():
        labels = (term.label_nl, *term.aliases_nl) if language == "nl" else (term.label_en, *term.aliases_en)
        for label in labels:
            words = tuple(analyse_words(label, language))
            if words and term.code not in codes.get(words, ()):
                codes[words] = (*codes.get(words, ()), term.code)
    names: dict[str, list[_Name]] = {}
    for name in codes.items():
        names.setdefault(name[0][0], []).append(name)
    return names
