"""The check, in order: read the text as it is seen, mark what its form tells, then names among the words left."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matcher.disclosure.model import Commonness, Finding
from matcher.disclosure.names import names
from matcher.disclosure.patterns import spots
from matcher.disclosure.reading import visible, words

# The phrase put in has an article of its own: one that stands before, and a title, make way for it.
_GIVES_WAY = re.compile(
    r"(?<![\w])(?:(?:de heer|mevrouw|meneer|de|het|een|onze|ons|the|an?|our|dhr\.|mevr\.|mw\.|mr\.?|mrs\.?|ms\.?|dr\.?|drs\.|"
    r"ir\.|ing\.|prof\.)[ ]{1,2}){1,3}$",
    re.IGNORECASE,
)
_GIVES_WAY_CHARS = 24
_SENTENCE_HEAD = re.compile(r"(?:^|[.!?…][\"'”’)]{0,2}\s+|\n\s*)[\"'“‘(]{0,2}$")


def findings(text: str, language: str, commonness: Commonness) -> tuple[Finding, ...]:
    """What in the text would give the company away, in order, without overlaps, in whole words.

    Any string will do. The wording is Dutch for `nl` and English for every other language; both languages are
    understood in either.
    """
    seen, origin = visible(text)
    by_form = spots(seen, language)
    taken = {at for spot in by_form for at in range(spot.start, spot.end)}
    named = names(seen, words(seen), taken, language, commonness)
    return tuple(
        Finding(origin[start], _end(text, origin, end), found.kind, found.suggestion)
        for start, end, found in _whole(seen, sorted([*by_form, *named], key=lambda found: found.start))
    )


def _whole(seen: str, found: Sequence[Finding]) -> list[tuple[int, int, Finding]]:
    """Widen every span to whole words, and join what overlaps then: the longest says what it is."""
    spans: list[tuple[int, int, Finding]] = []
    for finding in found:
        start, end = finding.start, finding.end
        floor = spans[-1][1] if spans else 0
        while start > floor and _inside(seen, start):
            start -= 1
        while _inside(seen, end):
            end += 1
        if spans and (start < floor or (start == floor and _inside(seen, start))):
            first, last, other = spans.pop()
            keep = finding if finding.end - finding.start > other.end - other.start else other
            spans.append((first, max(last, end), keep))
        else:
            spans.append((start, end, finding))
    return spans


def _inside(seen: str, at: int) -> bool:
    return 0 < at < len(seen) and _letter(seen[at - 1]) and _letter(seen[at])


def _letter(char: str) -> bool:
    return char.isalnum() or char == "_"


def _end(text: str, origin: Sequence[int], end: int) -> int:
    """Where a span ends in the text: marks that belong to its last letter go with it."""
    return origin[end] if end < len(origin) - 1 else len(text)


def abstract(text: str, found: Sequence[Finding]) -> str:
    """The text with every finding replaced by its suggestion: the draft of a public abstract."""
    pieces: list[str] = []
    at = 0
    for finding in found:
        kept = text[at : finding.start]
        article = _GIVES_WAY.search(kept[-_GIVES_WAY_CHARS:])
        if article and article.group():
            kept = kept[: len(kept) - len(article.group())]
        pieces.append(kept)
        suggestion = finding.suggestion
        if kept.endswith(" ") and kept.casefold().split()[-1:] == suggestion.casefold().split()[-1:]:
            # "onze klant X" says already what would be put in its place.
            pieces[-1] = kept.rstrip()
            at = finding.end
            continue
        if _SENTENCE_HEAD.search(("".join(pieces[-2:]))[-8:] if at or kept else ""):
            suggestion = suggestion[:1].upper() + suggestion[1:]
        pieces.append(suggestion)
        at = finding.end
    return "".join([*pieces, text[at:]])
