"""Words that a cue or a gazetteer makes names, whatever their capitals: "klant X", "called X", "zit in rijssen"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matcher.disclosure.forms import NAME_PARTICLES, is_name_with_hyphen
from matcher.disclosure.model import Kind
from matcher.disclosure.reading import Word
from matcher.disclosure.vocabulary import in_dictionary, is_derived, is_term, is_word, people, places, terms

_I = re.IGNORECASE
LABEL = re.compile(
    r"\b(?:company|firm|firma|bedrijf|contact|site|locatie|model|brand|merk|client|klant|customer|supplier|leverancier|naam|name|project|product|afzender|sender|van|from|aanspreekpunt|contactpersoon|plaats|location|opdrachtgever|partner|vestiging|machine|type)s?:\s*$",
    _I,
)
_NAMED = re.compile(
    r"\b(?:genaamd|gedoopt|heet(?! (?:het|ons|mijn|dat|niet|water|staal|of|en))|called|codename|codenaam|code name|werknaam|werktitel|working title|project name|projectnaam|merknaam|trade name|brand name|under the name|onder de naam|product is called|"
    r"(?:is|are|was) named|noemen (?:we |wij )?(?:het|hem|ze|dit)|wij noemen het|we call (?:it|this|them)|call it|brand|merk|model|type|typenaam|product|project)[ :,(]{1,3}(?:(?:is|de|het|the|intern|named|called) ){0,2}[\"“‘'«]?(?P<name>\w[\w-]{1,40})",
    _I,
)
_COMPANY_IS = re.compile(
    r"(?:^|[.,;:!?\n] ?)(?P<name>\w[\w-]{2,40}(?: \w[\w-]{1,40})?) (?:heet|is) (?:ons|mijn|het|our|my) (?:bedrijf|bedrijfje|company|firma|firm|toko|zaak|business)",
    _I,
)
_COMPANY_CUE = re.compile(
    r"\b(?:(?:ons |mijn |het |our |my |the )?(?:bedrijf|bedrijfje|company|firm|firma|zaak)(?: is| heet|'s name is| is called| called)?|wij zijn|we are|wij van|namens|klant|leverancier|afnemer|opdrachtgever|toeleverancier|concurrent|customer|client|supplier|vendor|competitor|partner|bij|voor|at|from|via|samen met)[ :(]{1,2}(?:heet |is )?(?P<particle>(?:de|van|van der|van den|van de|ter|ten) )?(?P<name>\w[\w-]{2,40})",
    _I,
)
_PERSON_CUE = re.compile(
    r"\b(?:mijn naam is|my name is|ik ben|i am|i'm|im|ask for|vraag(?: \w{2,5}){0,2} naar|vragen naar|collega|groet(?:en|jes)?|gr|mvg|regards|greetings|cheers|thanks|contact|met|bel|call|mail|dhr\.?|mevr\.?|mr\.?|mrs\.?|ms\.?)[,: \n]{1,3}(?P<name>[^\W\d_]{2,20}(?: (?:(?:van|de|der|den|ter|ten|el) ){0,2}[^\W\d_]{2,20})?)",
    _I,
)
_PLACE_BEFORE = re.compile(
    r"(?:\b(?:te|uit|nabij|near|gevestigd in|based in|located in|locatie:?|site:?|location:?|vestiging(?:en)?(?: in| te)?|plaats:?|kantoor in|hal in|hal op|fabriek in|plant in|shop in|office in|onze hal op|terrein|bedrijventerrein|industrieterrein|bedrijvenpark|campus|business park|park|estate|gemeente|stad|dorp|town of|village of|aan de|aan het|op de|op het|naar|haven van|port of|omgeving|regio|outside|around)|\b(?:in|at|op|to))\s*(?:the |de |het )?$",
    _I,
)
_PLACE_CUE = re.compile(r"(?:\b(?:in|te|uit|near|from|bij|zit in|based in)|,|^|[.\n])\s*$", _I)


def cued(seen: str, words: Sequence[Word]) -> dict[int, Kind]:
    """Words that a cue word makes names, also in small letters, with their kind."""
    starts = {word.start: at for at, word in enumerate(words)}
    found: dict[int, Kind] = {}
    rules: tuple[tuple[re.Pattern[str], Kind], ...] = (
        (_NAMED, "product"),
        (_COMPANY_IS, "company"),
        (_COMPANY_CUE, "company"),
    )
    for expression, kind in rules:
        for match in expression.finditer(seen):
            at = starts.get(match.start("name"))
            if at is not None and _may_be_cued(seen, words, at, match):
                found[at] = kind
                if expression is _COMPANY_CUE and _goes_on(seen, words, at):
                    found[at + 1] = kind
    for match in _PERSON_CUE.finditer(seen):
        at = starts.get(match.start("name"))
        if at is not None:
            found.update(dict.fromkeys(_person(words, at, match.end()), "person"))
    return found


def _goes_on(seen: str, words: Sequence[Word], at: int) -> bool:
    """Whether a name in small letters has a second word, which no dictionary has either."""
    if at + 1 >= len(words) or words[at].capital or seen[words[at].end : words[at + 1].start] != " ":
        return False
    after = words[at + 1].text
    return after.islower() and not in_dictionary(after) and after not in terms("stop")


def _may_be_cued(seen: str, words: Sequence[Word], at: int, cue: re.Match[str]) -> bool:
    word = words[at]
    lower = word.text.lower()
    if lower in terms("stop") or ("-" in word.text and not is_name_with_hyphen(word, small=True)):
        return False
    if cue.re is _COMPANY_IS or (cue.re is _NAMED and seen[word.start - 1] in "\"“‘'«"):
        return True
    if is_term(word.text) or any(char.isdigit() for char in word.text):
        return False
    if cue.re is _NAMED:
        return word.capital or not is_word(lower)
    if cue["particle"]:
        return lower in people("last") and (not in_dictionary(lower) or _goes_on(seen, words, at))
    # Who says what they are seldom takes a word that no dictionary has; what stands "bij" something often is one.
    return not (in_dictionary(lower) or is_derived(lower)) if _WHO.match(cue.group()) else not is_word(lower)


_WHO = re.compile(
    r"(?:ons |het |our |the )?(?:bedrijf|company|firm|klant|customer|client|supplier|leverancier|we are)", _I
)


def _person(words: Sequence[Word], at: int, end: int) -> list[int]:
    """The numbers of the words from `at` on that name a person, up to offset `end`; none if the first does not."""
    lower = words[at].text.lower()
    known = lower in people("first") or lower in people("last")
    if not known or lower in terms("stop") or not (words[at].capital or not in_dictionary(lower)):
        return []
    more = [number for number in range(at + 1, min(at + 5, len(words))) if words[number].start < end]
    return [at, *(n for n in more if words[n].text.lower() in people("last") | NAME_PARTICLES)]


def towns(seen: str, words: Sequence[Word]) -> dict[int, str]:
    """Words of places that the gazetteer holds: their number -> `region` or `far`."""
    found: dict[int, str] = {}
    lowered = [word.text.lower() for word in words]
    for at, word in enumerate(words):
        options = places().get(lowered[at])
        for name, where in options.items() if options else ():
            if tuple(lowered[at : at + len(name)]) != name:
                continue
            before = seen[max(0, word.start - 20) : word.start]
            ordinary = len(name) == 1 and in_dictionary(lowered[at])
            if word.capital:
                sure = not (ordinary and word.opens) or _PLACE_BEFORE.search(before) is not None
            else:
                sure = (
                    not ordinary
                    and len(lowered[at]) > 3
                    and (_PLACE_CUE.search(before) is not None or not is_word(lowered[at]))
                )
            if sure and not (is_term(word.text) and len(name) == 1):
                found.update(dict.fromkeys(range(at, at + len(name)), where))
    return found
