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

    __slots__ = ("_n_profiles", "_n_texts")

    MIN_PROFILES = 3
    """A word of so many profiles is no name of one company; fewer may all write of the same one."""

    MIN_SHARE = 0.02
    """Of a large corpus it must be this share too: of 667 teams three write of a Baker, and of Shell."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Count the words of `texts`, one text a profile."""
        self._n_profiles: Counter[str] = Counter()
        self._n_texts = 0
        for text in texts:
            self._n_texts += 1
            self._n_profiles.update(set(_WORD.findall(text)))

    def n_profiles(self, word: str) -> int:
        """The number of profiles that spell the word so."""
        return self._n_profiles[word]

    def is_common(self, word: str) -> bool:
        """Say whether the word, spelled so, belongs to the field and not to somebody."""
        return self._n_profiles[word] >= max(self.MIN_PROFILES, self.MIN_SHARE * self._n_texts)
