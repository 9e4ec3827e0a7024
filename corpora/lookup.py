"""Finding a profile by what people remember of it: a name, a piece of it, an acronym, a typing error."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE",
                          "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "þ": "th", "ı": "i"})
_NOT_WORD = re.compile(r"[^\w]+|_+")
_BRACKETED = re.compile(r"[(\[]([^()\[\]]{2,20})[)\]]")
_SMALL_WORDS = frozenset({
    "a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "the", "to", "with",
    "aan", "bij", "de", "den", "der", "des", "en", "het", "met", "op", "te", "ter", "tot", "uit", "van", "voor",
    "und", "fur", "die", "das", "et", "la", "le", "les", "du",
})

CUTOFF = 70.0
"""Below this similarity (0-100) a name is not shown: chosen on one and two typing errors in real names."""


@dataclass(frozen=True, slots=True)
class Name:
    """A profile as the look-up sees it; `name` and `organisation` as written."""

    profile_id: str
    name: str
    organisation: str


def fold(text: str) -> str:
    """Return lower case without diacritics or punctuation, words set apart by one space."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return _NOT_WORD.sub(" ", plain.casefold()).strip()


def acronyms(name: str) -> frozenset[str]:
    """Return the folded acronyms of a name: capitals in brackets, words in capitals, and its initials."""
    found = {fold(match) for match in _BRACKETED.findall(name) if sum(char.isupper() for char in match) >= 2}
    bare = _BRACKETED.sub(" ", name)
    words = [word for word in re.split(r"[^\w]+", bare) if word]
    found |= {fold(word) for word in words if 2 <= len(word) <= 8 and word.isupper() and word.isalpha()}
    initials = [fold(word)[:1] for word in words]
    short = [letter for letter, word in zip(initials, words, strict=True) if fold(word) not in _SMALL_WORDS]
    found |= {"".join(letters) for letters in (initials, short) if len(letters) >= 2}
    return frozenset(entry for entry in found if entry)


class NameIndex:
    """The names of all profiles, folded once, so that a look-up among 10,000 takes milliseconds."""

    def __init__(self, names: Sequence[Name]) -> None:
        self._ids = [name.profile_id for name in names]
        self._names = [fold(name.name) for name in names]
        organisations = sorted({name.organisation for name in names})
        number = {name: position for position, name in enumerate(organisations)}
        self._organisations = [fold(name) for name in organisations]
        self._organisation_of = np.array([number[name.organisation] for name in names], dtype=np.int64)
        self._by_acronym: dict[str, list[int]] = {}
        for row, name in enumerate(names):
            for acronym in acronyms(name.name):
                self._by_acronym.setdefault(acronym, []).append(row)
        self._organisations_by_acronym: dict[str, list[int]] = {}
        for position, organisation in enumerate(organisations):
            for acronym in acronyms(organisation):
                self._organisations_by_acronym.setdefault(acronym, []).append(position)

    def search(self, text: str, limit: int) -> list[tuple[str, float]]:
        """Return at most `limit` (profile id, score 0-100), best first, ties by name and then id.

        A name, an acronym, a part of a name and the organisation's name all count, in this order.
        """
        wanted = fold(text)[:200]
        if not wanted or not self._ids or limit < 1:
            return []
        scores = _likeness(wanted, self._names)
        if len(self._organisations):
            # A hit on the organisation alone stands below the same hit on a name.
            organisations = _likeness(wanted, self._organisations) * 0.9
            for position in self._organisations_by_acronym.get(wanted.replace(" ", ""), ()):
                organisations[position] = 90.0
            scores = np.maximum(scores, organisations[self._organisation_of])
        for row in self._by_acronym.get(wanted.replace(" ", ""), ()):
            scores[row] = max(scores[row], 99.0)
        rows = np.flatnonzero(scores >= CUTOFF)
        best = sorted(rows.tolist(), key=lambda row: (-scores[row], self._names[row], self._ids[row]))
        return [(self._ids[row], float(scores[row])) for row in best[:limit]]


def _likeness(wanted: str, names: Sequence[str]) -> npt.NDArray[np.float32]:
    # Whole-name likeness forgives typing errors; words in any order and pieces of a name are worth a
    # little less, and pieces count only from four characters on (anything contains "ai").
    whole = process.cdist([wanted], names, scorer=fuzz.ratio, dtype=np.float32)[0]
    words = process.cdist([wanted], names, scorer=fuzz.token_sort_ratio, dtype=np.float32)[0] * 0.98
    best = np.maximum(whole, words)
    if len(wanted) >= 4:
        piece = process.cdist([wanted], names, scorer=fuzz.partial_token_sort_ratio, dtype=np.float32)[0]
        inside = process.cdist([wanted], names, scorer=fuzz.partial_ratio, dtype=np.float32)[0]
        long_enough = np.array([len(name) >= len(wanted) - 2 for name in names])
        piece = np.where(long_enough, np.maximum(piece, inside), 0) * 0.95
        # A piece of four letters with one of them wrong fits half the directory: ask more of pieces.
        best = np.maximum(best, np.where(piece >= 80 * 0.95, piece, 0))
    likeness: npt.NDArray[np.float32] = best.astype(np.float32)
    return likeness
