"""Words of the other language: a lexicon learned from parallel text, so that words cross the language.

`lexicon.tsv.gz` is a trained model: P(translation | word) by IBM Model 1, learned, pruned and written by
`python -m benchmarks.lexicon`. Its words are those of `matcher.words.analyse`. A need's words are searched
together with their likely translations (as weighted terms of one query: Nie 2010).
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

from matcher.lexical import weigh

LEXICON = Path(__file__).with_name("lexicon.tsv.gz")
HEADER = "direction\tword\ttranslation\tprobability"

TRANSLATED_WEIGHT = 1.0
"""A certain translation weighs as much as the word itself. nDCG@10 of the lexical arm on the Dutch needs of tune
and train: .553 at 0.8, .565 at 1, .569 at 1.2, where English needs among English teams begin to lose."""

_DIRECTIONS = {"nl": b"nl-en", "en": b"en-nl"}


@cache
def _table() -> bytes:
    """The lines of the lexicon after its header, in order of direction and word.

    They stay text, and words are found in them by bisection: that loads in a tenth of the time, and takes a
    tenth of the memory, of a dictionary of them all.
    """
    header, _, table = gzip.decompress(LEXICON.read_bytes()).partition(b"\n")
    if header.decode() != HEADER:
        raise ValueError(
            f"expected {LEXICON.name} to begin with {HEADER!r}, found {header.decode()!r}; "
            "write it anew with `python -m benchmarks.lexicon`"
        )
    return table


@lru_cache(maxsize=20_000)
def translations(word: str, language: str) -> tuple[tuple[str, float], ...]:
    """Likely translations of a word, `(word of the other language, probability)`, the likeliest first.

    Empty for a word that the lexicon does not hold, or that is spelled alike in both languages, and for
    languages other than Dutch and English.
    """
    if language not in _DIRECTIONS:
        return ()
    table, key = _table(), b"%s\t%s\t" % (_DIRECTIONS[language], word.encode())
    low, high = 0, len(table)
    while low < high:
        middle = (low + high) // 2
        start = table.rfind(b"\n", 0, middle) + 1
        if table[start : start + len(key)] < key:
            low = table.find(b"\n", middle) + 1
        else:
            high = start
    found: list[tuple[str, float]] = []
    while table.startswith(key, low):
        end = table.find(b"\n", low)
        translation, probability = table[low + len(key) : end].split(b"\t")
        found.append((translation.decode(), float(probability)))
        low = end + 1
    return tuple(found)


def translate(words: Sequence[str], language: str) -> dict[str, float]:
    """Words to search for, with their weights: those of a need, and their translations.

    A translation weighs as its word, times its probability; of two words that it translates it takes the
    heavier (a compound and its parts often have one in common; their sum was measured to be worse, .547 to
    .565). What the need says itself keeps its own weight.
    """
    own = weigh(words)
    added: dict[str, float] = {}
    for word, weight in own.items():
        for translation, probability in translations(word, language):
            if translation not in own:
                there = TRANSLATED_WEIGHT * probability * weight
                added[translation] = max(added.get(translation, 0.0), there)
    return own | added
