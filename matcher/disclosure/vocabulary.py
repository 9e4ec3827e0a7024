"""Which words are words, and which are names: dictionaries, terms of the field, gazetteers.

`terms.tsv` holds terms that simplemma lacks and that give nobody away: abbreviations, materials and eponyms as they
are spelled (`exact`), and words in lower case (`word`), most of them counted in abstracts of arXiv (CC0) and in needs
written for this project. `places.tsv` and `people.tsv` are lists of facts. All are read when first asked for.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_MAX_COMPOUND_CHARS = 40
_MIN_PART_CHARS = 4
_LINKS = ("", "s", "e", "en", "n")
# A word that ends so is a word of the trade, also where no dictionary holds it.
_ENDING = re.compile(
    r"(?:metry|metrie|graphy|grafie|scop[yi]e?|log(?:y|ie)|[iy][sz]ation|[iy][sz]ing|ability|ation|aties?|ingen|heid|"
    r"teit|ische?|baar|eren|eerd|ating|ment|ness|tion|ence|ance|ling|ding|ting|king|ning|ring)$"
)
_FORMULA = re.compile(r"(?:([A-Z][a-z]?|x|y)\d{0,3})+")


@cache
def terms(case: str) -> frozenset[str]:
    """The terms of one case: `exact`, `word`, `element` or `stop` (never the first of a name)."""
    return frozenset(term for term, of in _rows("terms.tsv") if of == case)


@cache
def people(part: str) -> frozenset[str]:
    """Names of people in lower case: `first` or `last`."""
    return frozenset(name.lower() for name, of in _rows("people.tsv") if of == part)


@cache
def places() -> dict[str, dict[tuple[str, ...], str]]:
    """First word -> the words of a place's name -> `region` or `far`; all in lower case."""
    found: dict[str, dict[tuple[str, ...], str]] = {}
    for name, where in _rows("places.tsv"):
        parts = tuple(re.findall(r"\w+(?:-\w+)*", name.lower()))
        found.setdefault(parts[0], {})[parts] = where
    return found


def _rows(name: str) -> list[tuple[str, str]]:
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()[1:]
    return [(line.split("\t")[0], line.split("\t")[1]) for line in lines]


@lru_cache(maxsize=100_000)
def in_dictionary(word: str) -> bool:
    """Whether a word in lower case stands in a dictionary of Dutch or English, or among the words of the field."""
    # Here, not above: simplemma takes a third of a second to load.
    from simplemma import is_known

    if word in terms("stop") or word in terms("word"):
        return True
    return is_known(word, lang="nl") or is_known(word, lang="en")


@lru_cache(maxsize=100_000)
def is_word(word: str) -> bool:
    """Whether a word in lower case is one of Dutch, English or the field, also compounded or derived."""
    if len(word) < 3 or word.isdigit() or in_dictionary(word):
        return True
    # Here, not above: it brings the lexical arm, which the check needs nothing of.
    from matcher.lexicon import translations

    if translations(word, "nl") or translations(word, "en"):
        return word not in people("first") and word not in people("last")
    return is_derived(word) or _is_compound(word)


def is_derived(word: str) -> bool:
    """Whether a word in lower case has an ending of the language, so that it needs no dictionary."""
    return len(word) > 6 and _ENDING.search(word) is not None


def _is_compound(word: str) -> bool:
    """Whether it can be cut in known parts of four letters and more, with the links that Dutch puts between."""
    if not 2 * _MIN_PART_CHARS <= len(word) <= _MAX_COMPOUND_CHARS:
        return False
    reached = {0}
    for end in range(_MIN_PART_CHARS, len(word) + 1):
        for start in [at for at in reached if at <= end - _MIN_PART_CHARS]:
            part = word[start:end]
            stems = [part] if end == len(word) else [part.removesuffix(link) for link in _LINKS]
            if any(len(stem) >= _MIN_PART_CHARS and in_dictionary(stem) for stem in stems):
                reached.add(end)
                break
    return len(word) in reached


def is_formula(word: str) -> bool:
    """Whether it is a chemical formula ("Al2O3", "GaN"); capitals alone are an abbreviation, not a formula."""
    if not (any(char.isdigit() or char.islower() for char in word)) or not _FORMULA.fullmatch(word):
        return False
    symbols = re.findall(r"[A-Z][a-z]?|x|y", word)
    return len(word) <= 16 and all(symbol in terms("element") for symbol in symbols)


def is_term(word: str) -> bool:
    """Whether it is an abbreviation, eponym, material or formula as the field spells it."""
    exact = terms("exact")
    singular = word[:-1] if word.endswith("s") else word
    return word in exact or singular in exact or is_formula(word)
