"""Names in what is no sentence: a signature, the last line of a name alone, "loopback, info@loopback.nl"."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from matcher.disclosure.forms import NO_LEFT, PARTICLES
from matcher.disclosure.reading import Word
from matcher.disclosure.vocabulary import in_dictionary, is_term, is_word, terms

_MAX_WORDS = 6
_MAX_NAME_WORDS = 4
_LAST_SEGMENTS = 2
"""A signature stands in the last sentence, or in the one before it."""


def signed(seen: str, words: Sequence[Word], free: Sequence[bool], is_name: Sequence[bool]) -> set[int]:
    """The numbers of the words that sign the text; `free` says which may be names, `is_name` which are already."""
    last = words[-1].segment if words else 0
    found: set[int] = set()
    for segment, numbers in groupby(range(len(words)), key=lambda at: words[at].segment):
        members = list(numbers)
        if segment < last - _LAST_SEGMENTS or segment <= 1:
            continue
        if seen[words[members[-1]].end : words[members[-1]].end + 1] in ("?", "!"):
            continue
        if segment == last:
            found.update(_coined(seen, words, members, free))
        if len(members) <= _MAX_WORDS:
            head = _before_an_address(seen, words, members, free, is_name) if segment >= last - 1 else []
            found.update(head or (_alone(seen, words, members, free) if segment == last else []))
    return found


def _coined(seen: str, words: Sequence[Word], members: Sequence[int], free: Sequence[bool]) -> list[int]:
    """The first word where a comma follows and no dictionary has it, though its parts are words: "Pijpkracht, ..."."""
    word = words[members[0]]
    coined = word.text.istitle() and not in_dictionary(word.text.lower()) and not is_term(word.text)
    return [members[0]] if coined and free[members[0]] and seen.startswith(", ", word.end) else []


def _before_an_address(
    seen: str, words: Sequence[Word], members: Sequence[int], free: Sequence[bool], is_name: Sequence[bool]
) -> list[int]:
    """The words before the first comma, or in small letters before them all, where an address or place follows."""
    head: list[int] = []
    pieces = 1
    for at in members:
        if not free[at] or (is_name[at] and pieces > 1):
            break
        lower = words[at].text.lower()
        if (lower in terms("stop") and lower not in PARTICLES) or lower in NO_LEFT:
            return []
        head.append(at)
        pieces += seen.startswith(", ", words[at].end)
    at_address = len(head) < len(members) and (pieces > 1 or is_name[members[0]])
    if (
        not head
        or not at_address
        or len(head) > _MAX_NAME_WORDS
        or not seen.startswith(", ", words[head[-1]].end)
    ):
        return []
    return [at for at in head if not is_term(words[at].text)]


def _alone(seen: str, words: Sequence[Word], members: Sequence[int], free: Sequence[bool]) -> list[int]:
    """A last line of capitals alone, or of small letters with a word that is none of the language's."""
    content = [
        at
        for at in members
        if free[at]
        and words[at].text[0].isalpha()
        and words[at].text.lower() not in terms("stop") | NO_LEFT
        and not seen.startswith(":", words[at].end)
    ]
    if not content or len(content) > _MAX_NAME_WORDS:
        return []
    if all(words[at].capital or words[at].text.lower() in PARTICLES for at in members):
        return content if not any(is_term(words[at].text) for at in content) else []
    if any(words[at].capital for at in members):
        return []
    odd = any(not is_word(words[at].text) and not is_term(words[at].text) for at in content)
    return content if odd or (len(content) == 1 and not in_dictionary(words[content[0]].text)) else []
