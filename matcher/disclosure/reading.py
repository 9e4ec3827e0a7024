"""The text as it is seen, and its words: where they stand and whether they open a sentence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+(?:[-‑]\w+)*")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[A-Z]|ir|ing|dr|drs|mr|mrs|ms|prof|dhr|mevr|mw|bijv|bv|ca|nr|no|fam|incl|excl|e\.g|i\.e|vs|"
    r"resp|o\.a|t\.a\.v|gebr|st|zn|tel)\.$",
    re.IGNORECASE,
)
_OPENING = " \t\"'“”‘’«»*•"


@dataclass(frozen=True, slots=True)
class Word:
    """A word: `seen[start:end] == text`. `opens` says that a capital says nothing of it; `segment` counts sentences."""

    text: str
    start: int
    end: int
    opens: bool
    segment: int

    @property
    def capital(self) -> bool:
        """Whether it begins with a capital."""
        return self.text[0].isupper()

    @property
    def mixed(self) -> bool:
        """Whether a capital follows a small letter, as hardly any plain word has it ("RootWise")."""
        return re.search(r"[a-zà-ÿ][A-ZÀ-Ý]", self.text) is not None

    @property
    def upper(self) -> bool:
        """Whether it is all capitals, at least two."""
        return len(self.text) > 1 and self.text.isupper()


def visible(text: str) -> tuple[str, Sequence[int]]:
    """The text without what nobody sees (zero-width and direction marks, soft hyphens), composed.

    Returns `(seen, origin)`: `seen[i]` came from `text[origin[i]:origin[i + 1]]`; `origin` has one more entry
    than `seen` has characters.
    """
    if text.isascii():
        return text, range(len(text) + 1)
    seen: list[str] = []
    origin: list[int] = []
    for at, char in enumerate(text):
        if unicodedata.category(char) in ("Cf", "Mn"):
            if seen and unicodedata.category(char) == "Mn":
                composed = unicodedata.normalize("NFC", seen[-1] + char)
                seen[-1] = composed if len(composed) == 1 else seen[-1]
            continue
        seen.append(" " if char.isspace() and char != "\n" else char)
        origin.append(at)
    return "".join(seen), [*origin, len(text)]


def words(seen: str) -> list[Word]:
    """The words of the text, in order."""
    found: list[Word] = []
    end, segment = 0, 0
    for match in _WORD.finditer(seen):
        gap = seen[end : match.start()]
        closes = not found or _closes(seen, end, gap)
        segment += closes
        opens = closes or ":" in gap or "(" in gap or gap.strip() in ("—", "–", "-")
        found.append(Word(match.group(), match.start(), match.end(), opens, segment))
        end = match.end()
    return found


def _closes(seen: str, end: int, gap: str) -> bool:
    if "\n" in gap or "•" in gap:
        return True
    if not re.search(r"[.!?…][)\]\"'”’]*\s", gap):
        return False
    return not (gap.lstrip(")")[:1] == "." and _ABBREVIATION.search(seen[max(0, end - 8) : end] + "."))


def opens_small(found: Sequence[Word]) -> bool:
    """Whether the writer begins sentences with small letters: then a capital there does say something."""
    first: dict[int, Word] = {}
    for word in found:
        first.setdefault(word.segment, word)
    letters = [word for word in first.values() if word.text[0].isalpha()]
    return len(letters) > 1 and sum(word.text[0].islower() for word in letters) > len(letters) / 2
