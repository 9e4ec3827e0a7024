"""The records of the check: what was found, and how common words are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["company", "product", "place", "person", "contact", "number"]
KINDS: tuple[Kind, ...] = ("company", "product", "place", "person", "contact", "number")

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A span `text[start:end]` that may give somebody away, and the wording to put in its place."""

    start: int
    end: int
    kind: Kind
    suggestion: str


class Commonness:
    """In how many profiles of the corpus each word stands, as it is spelled.

    What many groups write about is a word of the field and names nobody. An empty one says nothing of any word.
    """

    __slots__ = ("_n_profiles",)

    MIN_PROFILES = 3
    """A word of so many profiles is no name of one company; fewer may all write of the same one."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Count the words of `texts`, one text a profile."""
        self._n_profiles: Counter[str] = Counter()
        for text in texts:
            self._n_profiles.update(set(_WORD.findall(text)))

    def n_profiles(self, word: str) -> int:
        """The number of profiles that spell the word so."""
        return self._n_profiles[word]

    def is_common(self, word: str) -> bool:
        """Say whether the word, spelled so or in lower case, belongs to the field and not to somebody."""
        return max(self._n_profiles[word], self._n_profiles[word.lower()]) >= self.MIN_PROFILES
