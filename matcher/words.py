"""Words for the lexical arm: folded lemmas of Dutch and English, with compounds opened.

Lemmas come from simplemma's dictionaries. A Dutch compound that the dictionary does not know is opened into
known parts ("trillingsdemping" -> trilling, demping), so that it meets the same words written apart; the
whole word is kept beside its parts. Hyphenated words are taken both joined and apart.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from simplemma import is_known, lemmatize

ANALYSER_VERSION = "3"
"""Raise it whenever the same text would give other words: indexes of another version are refused."""

MAX_WORD_CHARS = 60
"""Longer runs of letters are no words; they are cut, so that rubbish costs no time."""

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_LINKS = ("", "s", "e", "en", "n")
_MIN_PART_CHARS = 4
_PREFIXES = frozenset(
    [
        "ver",
        "aan",
        "uit",
        "bij",
        "her",
        "mis",
        "ont",
        "oud",
        "vol",
        "wel",
        "toe",
        "tot",
        "men",
        "met",
        "per",
        "voor",
        "door",
        "over",
        "onder",
    ]
)
"""Known words that open far more derivations ("vervorming") than compounds."""
_OWN_STOP_NL = frozenset(
    [
        "wij",
        "we",
        "ons",
        "onze",
        "zoeken",
        "zoekt",
        "graag",
        "wie",
        "hoe",
        "kan",
        "kunnen",
        "willen",
        "helpen",
        "helpt",
        "hulp",
        "iemand",
    ]
)
_OWN_STOP_EN = frozenset(
    [
        "we",
        "our",
        "us",
        "looking",
        "look",
        "need",
        "needs",
        "want",
        "help",
        "helps",
        "someone",
        "who",
        "how",
        "can",
        "could",
    ]
)


@lru_cache(maxsize=2)
def _stop_words(language: str) -> frozenset[str]:
    """Stop words of spaCy, and words in which needs are dressed."""
    # Here, not above: spaCy takes seconds to load, and most commands read no words.
    from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH
    from spacy.lang.nl.stop_words import STOP_WORDS as DUTCH

    return frozenset(DUTCH) | _OWN_STOP_NL if language == "nl" else frozenset(ENGLISH) | _OWN_STOP_EN


def fold(word: str) -> str:
    """Lower case without diacritics: "Geïntegreerd" -> "geintegreerd"."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


@lru_cache(maxsize=100_000)
def _split(word: str) -> tuple[str, ...]:
    """The fewest known Dutch parts that make up the word, longest first part first; empty if there are none."""
    if len(word) < 2 * _MIN_PART_CHARS:
        return ()
    best: tuple[str, ...] = ()
    for cut in range(len(word) - _MIN_PART_CHARS, _MIN_PART_CHARS - 2, -1):
        head, tail = word[:cut], word[cut:]
        part = _part(head)
        if part is None:
            continue
        rest = (lemmatize(tail, lang="nl"),) if is_known(tail, lang="nl") else _split(tail)
        if rest and (not best or 1 + len(rest) < len(best)):
            best = (part, *rest)
            if len(best) == 2:
                break
    return best


def _part(head: str) -> str | None:
    for link in _LINKS:
        stem = head[: len(head) - len(link)] if link else head
        fits = len(stem) >= _MIN_PART_CHARS - 1 and head.endswith(link) and stem not in _PREFIXES
        if fits and is_known(stem, lang="nl"):
            return lemmatize(stem, lang="nl")
    return None


@lru_cache(maxsize=200_000)
def _analyse_word(word: str, language: str) -> tuple[str, ...]:
    lemma = lemmatize(word, lang=language)
    found = [lemma]
    if language == "nl" and len(word) >= 2 * _MIN_PART_CHARS:
        found += _split(lemma)
    return tuple(dict.fromkeys(fold(item) for item in found if item))


def analyse(text: str, language: str) -> list[str]:
    """The words of a text, in order, as they are indexed and searched.

    A language other than Dutch or English is analysed as English: folding still helps, lemmas hardly harm.
    """
    lang = "nl" if language == "nl" else "en"
    stop = _stop_words(lang)
    words: list[str] = []
    for found in _WORD.finditer(text):
        word = found.group().lower()[:MAX_WORD_CHARS]
        if word in stop:
            continue
        pieces = re.split(r"[-'’]", word)
        if len(pieces) > 1:
            words.append(fold("".join(pieces)))
        for piece in pieces:
            if piece and piece not in stop and (len(piece) > 1 or piece.isdigit()):
                words.extend(_analyse_word(piece, lang))
    return words
