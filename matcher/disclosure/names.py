"""Names of companies, products, places and people: by what the language is not, by cue words and by gazetteers.

A capital inside a sentence is a name unless the field spells the word so; at the head of a sentence a word must be
none of the language's; in small letters it needs a cue word or a gazetteer besides. Neighbours join to one name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from matcher.disclosure.cues import LABEL, cued, towns
from matcher.disclosure.forms import AND_SONS, LEGAL, NAME_PARTICLES, NO_LEFT, is_name_with_hyphen
from matcher.disclosure.fragments import signed
from matcher.disclosure.model import Commonness, Finding, Kind
from matcher.disclosure.parts import Name, kind_and_part
from matcher.disclosure.reading import Word, opens_small
from matcher.disclosure.vocabulary import in_dictionary, is_derived, is_term, is_word, people, terms
from matcher.disclosure.wording import phrase

_I = re.IGNORECASE
_BEFORE_CHARS = 40
_JOINT = re.compile(r" | ?& ?| ?\+ ?|\. |'|’|/|\.")
_UNIT = re.compile(
    r" ?(?:mm|cm|m|µm|um|nm|km|kg|g|Hz|kHz|MHz|GHz|kW|MW|W|V|A|N|kN|Nm|MPa|GPa|bar|rpm|K|°|%|ppm|dpi|uur|hours|keer|times|stuks|jaar|years|euro|ton|procent|per|graden|degrees|maanden|months|dagen|days|weken|weeks|minuten|minutes|bit|l|ml|d?B|m2|m3|people|mensen)(?!\w)"
)


@dataclass(slots=True)
class _Run:
    """Neighbouring words, `words[first:last + 1]`, that make one name."""

    first: int
    last: int


def names(
    seen: str, words: Sequence[Word], taken: Collection[int], language: str, commonness: Commonness
) -> list[Finding]:
    """The names among the words, save where `taken` holds their first character; offsets in `seen`."""
    free = [word.start not in taken and word.end - 1 not in taken for word in words]
    small = opens_small(words)
    forced = cued(seen, words)
    town = towns(seen, words)
    is_name = [
        free[at] and (at in forced or at in town or _named(word, small, commonness, seen))
        for at, word in enumerate(words)
    ]
    for at in range(len(words)):
        is_name[at] = is_name[at] or (free[at] and _acts(seen, words, at))
    for at in signed(seen, words, free, is_name):
        is_name[at] = True
    _repeat(words, free, is_name)
    return [
        _finding(seen, words, run, language, forced, town) for run in _runs(seen, words, free, is_name, town)
    ]


def _named(word: Word, small: bool, commonness: Commonness, seen: str) -> bool:
    """Whether the word alone is a name, by its form."""
    text = word.text
    if len(text) < 2 or (len(text) < 3 and word.mixed) or (not text[0].isalpha() and not word.mixed):
        return False
    lower = text.lower()
    common = commonness.is_common(text) or (word.opens and commonness.is_common(lower))
    if is_term(text) or (common and lower not in people("first") | people("last")):
        return False
    if "-" in text or "‑" in text:
        return is_name_with_hyphen(word, small)
    if any(char.isdigit() or "Ͱ" <= char <= "Ͽ" for char in text):
        return False
    if word.upper:
        return not (
            lower in terms("stop")
            or (
                in_dictionary(lower)
                and len(text) > 3
                and not _NAMED_BEFORE.search(seen[max(0, word.start - 30) : word.start])
            )
        )
    if word.mixed:
        return not is_word(lower) or text[0].isupper()
    return lower not in terms("stop") and _named_by_case(seen, word, small)


def _named_by_case(seen: str, word: Word, small: bool) -> bool:
    lower = word.text.lower()
    if not word.capital:
        return (small or seen[word.start - 1 : word.start] == "(") and _odd_in_small(seen, word)
    if word.opens and not small:
        if LABEL.search(seen[max(0, word.start - 25) : word.start]):
            return lower in people("first") or lower in people("last") or not in_dictionary(lower)
        return not is_word(lower) or (lower in people("first") and not in_dictionary(lower))
    return True


def _odd_in_small(seen: str, word: Word) -> bool:
    """Whether a word in small letters is a name of somebody, or one alone in brackets that is no word."""
    if is_word(word.text) or is_term(word.text):
        return False
    person = word.text in people("first") or word.text in people("last")
    return person or (seen[word.start - 1 : word.start] == "(" and seen.startswith(")", word.end))


_NAMED_BEFORE = re.compile(
    r"\b(?:name|naam|called|genaamd|heet|project|model|type|codenaam|codename|brand|merk)[ :,\"“(]{1,3}$", _I
)


def _acts(seen: str, words: Sequence[Word], at: int) -> bool:
    """Whether what follows a word says that it is somebody: a legal form, what it does, another first name."""
    word, lower = words[at], words[at].text.lower()
    if not word.capital or lower in terms("stop") or lower in NO_LEFT or is_term(word.text):
        return False
    if LEGAL.match(seen, word.end) or AND_SONS.match(seen, word.end) or _TRADE_AFTER.match(seen, word.end):
        return True
    if _SURNAME.match(seen, word.end) and lower in people("first"):
        return True
    if _PAIR.match(seen, word.end) and lower in people("first"):
        return at + 2 < len(words) and words[at + 2].text.lower() in people("first")
    verb = _DOES.match(seen, word.end) is not None
    has = _HAS.match(seen, word.end) is not None and not in_dictionary(lower) and not is_derived(lower)
    return (verb or has) and word.opens and word.text.istitle() and lower not in _EVERYBODY


_SURNAME = re.compile(r" (?:(?:van|de|der|den|ter|ten|el|al|von|di|da) ){0,2}[A-Z][a-zà-ÿ]{2}")
_PAIR = re.compile(r" (?:en|and|&) (?=[A-Z])")
_DOES = re.compile(
    r" (?:wil|zoekt|levert|bouwt|ontwikkelt|zegt|verkoopt|eist|vraagt|produceert|wants|builds|sells|develops|says|"
    r"supplies|delivers|asks|asked|is looking|are looking|insists|demands|manufactures)(?!\w)"
)
_HAS = re.compile(
    r" (?:has|had|makes|needs|uses|claims|supplied|processed|designs|maakt|gebruikt|doet|werkt|leverde)(?!\w)"
)
_TRADE_AFTER = re.compile(
    r", (?:de |een |the |a |an )?(?:\w+ )?(?:makers?|manufacturers?|producers?|suppliers?|specialists?|builders?|fabrikant|"
    r"producent|maker|bouwer|leverancier|specialist|founded|established|opgericht|gevestigd|based|machinefabriek)(?!\w)"
)
_EVERYBODY = frozenset(
    [
        "iedereen",
        "niemand",
        "management",
        "directie",
        "overheid",
        "gemeente",
        "provincie",
        "markt",
        "wet",
        "wetgeving",
        "inkoop",
        "verkoop",
        "productie",
        "everybody",
        "everyone",
        "nobody",
        "government",
        "law",
        "legislation",
        "regulation",
        "market",
        "industry",
        "marketing",
        "research",
        "literature",
        "datasheet",
        "literatuur",
        "onderzoek",
        "theorie",
        "theory",
        "praktijk",
    ]
)


def _repeat(words: Sequence[Word], free: Sequence[bool], is_name: list[bool]) -> None:
    """What is a name once is one wherever it stands with a capital, or is no word at all."""
    once = {
        word.text
        for word, name in zip(words, is_name, strict=True)
        if name and len(word.text) > 2 and not is_term(word.text)
    }
    for at, word in enumerate(words):
        if free[at] and not is_name[at] and word.text in once and word.text.lower() not in terms("stop"):
            is_name[at] = word.capital or not is_word(word.text)


def _runs(
    seen: str, words: Sequence[Word], free: Sequence[bool], is_name: Sequence[bool], town: dict[int, str]
) -> list[_Run]:
    runs: list[_Run] = []
    at = 0
    while at < len(words):
        if not is_name[at]:
            at += 1
            continue
        first = _left(seen, words, free, at, runs[-1].last if runs else -1)
        last = _right(seen, words, free, is_name, at, town)
        runs.append(_Run(first, last))
        at = last + 1
    return runs


def _joined(seen: str, left: Word, right: Word) -> bool:
    return _JOINT.fullmatch(seen, left.end, right.start) is not None


def _left(seen: str, words: Sequence[Word], free: Sequence[bool], at: int, floor: int) -> int:
    """Take in the head of a sentence and capitals of the field before a name ("Golden Root")."""
    while (
        at - 1 > floor
        and free[at - 1]
        and _joined(seen, words[at - 1], words[at])
        and words[at].segment == words[at - 1].segment
    ):
        word = words[at - 1]
        lower = word.text.lower()
        if (
            (lower in terms("stop") and (word.opens or lower not in NAME_PARTICLES))
            or lower in NO_LEFT
            or not word.capital
            or (word.opens and words[at].upper and is_word(lower))
            or (word.upper and is_term(word.text))
            or lower in ("dr", "ir", "ing", "mr", "mrs", "drs")
        ):
            break
        at -= 1
    return at


def _right(
    seen: str,
    words: Sequence[Word],
    free: Sequence[bool],
    is_name: Sequence[bool],
    at: int,
    town: dict[int, str],
) -> int:
    """Take in names after a name, also over particles, a number and a legal form."""
    last = at
    while last + 1 < len(words) and _joined(seen, words[last], words[last + 1]):
        word = words[last + 1]
        if seen[words[last].end : word.start] in ("'", "’") and word.text.lower() in ("s", "t"):
            break
        if ". " in seen[words[last].end : word.start] and word.opens:
            break
        if not free[last + 1]:
            break
        lower = word.text.lower()
        capital = word.capital and lower not in terms("stop") and not word.opens
        number = (
            word.text[0].isdigit()
            and word.text.isalnum()
            and len(word.text) < 6
            and not _UNIT.match(seen, word.end)
            and last not in town
        )
        if is_name[last + 1] or capital or number:
            last += 1
            continue
        if lower in NAME_PARTICLES or seen[word.end : word.end + 1] == "&":
            ahead = last + 2
            while ahead < len(words) and words[ahead].text.lower() in NAME_PARTICLES and ahead < last + 4:
                ahead += 1
            if (
                ahead < len(words)
                and is_name[ahead]
                and words[last].capital == words[ahead].capital
                and free[ahead]
                and seen[words[last].end : words[ahead].start].count(" ") <= 4
                and not re.search(r"[,.;:\n]", seen[words[last].end : words[ahead].start])
                and _particle_fits(words, last, lower)
            ):
                last = ahead
                continue
        break
    return last


def _particle_fits(words: Sequence[Word], last: int, lower: str) -> bool:
    """Whether a particle joins: in "Joost van der Meulen" it does, in "Aurora van Lumenta" not."""
    return lower not in ("in", "bij") and (
        words[last].text.lower() in people("first") or lower in ("ter", "ten", "el", "al", "de", "den", "der")
    )


def _finding(
    seen: str,
    words: Sequence[Word],
    run: _Run,
    language: str,
    forced: Mapping[int, Kind],
    town: Mapping[int, str],
) -> Finding:
    start, end = words[run.first].start, words[run.last].end
    form = LEGAL.match(seen, end) or AND_SONS.match(seen, end)
    end = form.end() if form else end
    end += _DOTTED.search(seen, start, end) is not None and seen.startswith(".", end)
    numbers = range(run.first, run.last + 1)
    before = seen[max(0, start - _BEFORE_CHARS) : start].split("\n\n")[-1]
    name = Name(
        words=words[run.first : run.last + 1],
        before=before if _TITLED.search(before) else re.split(r"[.!?;] ", before)[-1],
        after=seen[end : end + _BEFORE_CHARS],
        cue=next((forced[at] for at in numbers if at in forced), None),
        where=min(town[at] for at in numbers) if all(at in town for at in numbers) else None,
        legal=form is not None or LEGAL.search(seen, start, end) is not None,
    )
    kind, part = kind_and_part(name)
    return Finding(start, end, kind, phrase(part, language))


_DOTTED = re.compile(r"\b[A-Z]\.[A-Z]$")
_TITLED = re.compile(r"\b(?:ir|dr|ing|mr|mrs|dhr|mevr|drs|prof|mw)\. ?$", re.IGNORECASE)
