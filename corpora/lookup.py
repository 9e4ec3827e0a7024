"""Finding a profile by what people remember of it: a name, a piece of it, an acronym, a typing error."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

# fmt: off
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE",
                          "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "þ": "th", "ı": "i"})
# fmt: on
_NOT_WORD = re.compile(r"[^\w]+|_+")
_BRACKETED = re.compile(r"[(\[]([^()\[\]]{2,20})[)\]]")
# fmt: off
_SMALL_WORDS = frozenset({
    "a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "the", "to", "with",
    "aan", "bij", "de", "den", "der", "des", "en", "het", "met", "op", "te", "ter", "tot", "uit", "van", "voor",
    "und", "fur", "die", "das", "et", "la", "le", "les", "du",
})
# fmt: on

CUTOFF = 70.0
"""Below this similarity (0-100) a name is not shown: chosen on one and two typing errors in real names."""


_PIECE_CUTOFF = 80.0
_MIN_PIECE_CHARS = 4
# A piece of a name must fit better than a whole one, and have some length: anything contains "ai".

_MAX_WANTED_CHARS = 100


@dataclass(frozen=True, slots=True)
class Name:
    """A profile as the look-up sees it; `name` and `organisation` as written."""

    profile_id: str
    name: str
    organisation: str


def fold(text: str) -> str:
    """Return lower case without diacritics or punctuation, words set apart by one space."""
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
        text = "".join(char for char in plain if not unicodedata.combining(char))
    return _NOT_WORD.sub(" ", text.casefold()).strip()


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


class _Names:
    """Folded names, ready to be compared with what somebody typed."""

    def __init__(self, names: Sequence[str]) -> None:
        self.folded = [fold(name) for name in names]
        self._sorted = [_sorted_words(name) for name in self.folded]
        self._lengths = np.array([len(name) for name in self.folded], dtype=np.int64)
        self.by_acronym: dict[str, list[int]] = {}
        for row, name in enumerate(names):
            for acronym in acronyms(name):
                self.by_acronym.setdefault(acronym, []).append(row)

    def likeness(self, wanted: str) -> npt.NDArray[np.float32]:
        """Return how much each name looks like the folded text `wanted`: 0-100, shape (n_names,)."""
        words = _sorted_words(wanted)
        # The whole name forgives typing errors; the words in another order are worth a little less.
        best = np.maximum(
            _compared(wanted, self.folded, fuzz.ratio, CUTOFF),
            _compared(words, self._sorted, fuzz.ratio, CUTOFF) * 0.98,
        )
        if len(wanted) >= _MIN_PIECE_CHARS:
            piece = np.maximum(
                _compared(wanted, self.folded, fuzz.partial_ratio, _PIECE_CUTOFF),
                _compared(words, self._sorted, fuzz.partial_ratio, _PIECE_CUTOFF),
            )
            # A name shorter than what was typed is no place to find it in.
            best = np.maximum(best, np.where(self._lengths >= len(wanted) - 2, piece * 0.95, 0))
        likeness: npt.NDArray[np.float32] = best.astype(np.float32)
        return likeness


class NameIndex:
    """The names of all profiles, folded once, so that a look-up among 10,000 takes milliseconds."""

    def __init__(self, names: Sequence[Name]) -> None:
        self._ids = [name.profile_id for name in names]
        self._names = _Names([name.name for name in names])
        by_name = sorted(range(len(names)), key=lambda row: (self._names.folded[row], self._ids[row]))
        self._place = np.empty(len(names), dtype=np.int64)
        self._place[by_name] = np.arange(len(names))
        organisations = sorted({name.organisation for name in names})
        number = {name: position for position, name in enumerate(organisations)}
        self._organisations = _Names(organisations)
        self._organisation_of = np.array([number[name.organisation] for name in names], dtype=np.int64)

    def search(self, text: str, limit: int) -> list[tuple[str, float]]:
        """Return at most `limit` (profile id, score 0-100), best first, ties by name and then id.

        A name, an acronym, a part of a name and the organisation's name all count, in this order.
        """
        wanted = fold(text)[:_MAX_WANTED_CHARS]
        if not wanted or not self._ids or limit < 1:
            return []
        acronym = wanted.replace(" ", "")
        # A hit on the organisation alone stands below the same hit on a name.
        organisations = self._organisations.likeness(wanted) * 0.9
        organisations[self._organisations.by_acronym.get(acronym, [])] = 90.0
        scores = np.maximum(self._names.likeness(wanted), organisations[self._organisation_of])
        for row in self._names.by_acronym.get(acronym, ()):
            scores[row] = max(scores[row], 99.0)
        rows = np.flatnonzero(scores >= CUTOFF)
        best = rows[np.lexsort((self._place[rows], -scores[rows]))][:limit]
        return [(self._ids[row], float(scores[row])) for row in best.tolist()]


def _sorted_words(text: str) -> str:
    return " ".join(sorted(text.split()))


def _compared(
    wanted: str, names: Sequence[str], scorer: Callable[..., float], cutoff: float
) -> npt.NDArray[np.float32]:
    # What is below the cutoff comes out as 0, much faster than its score.
    scores: npt.NDArray[np.float32] = process.cdist(
        [wanted], names, scorer=scorer, score_cutoff=cutoff, dtype=np.float32
    )[0]
    return scores
