"""Of which kind a name is, and the part that it plays for the company: from its words and those around it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from matcher.disclosure.model import Kind
from matcher.disclosure.reading import Word
from matcher.disclosure.vocabulary import people

_I = re.IGNORECASE
_COMPANY_WORD = re.compile(
    r"(?:techniek|technieken|technics|technology|technologies|tech|precision|precisie\w*|coatings?|groep|group|holding|systems?|systemen|solutions|engineering|engineers|industries|industrie|industry|machines|machinery|machinefabriek|fabriek|fabrics|works|werken|metaal\w*|metals|staal\w*|steel|plastics|kunststof\w*|kunststoffen|foundry|gieterij|instruments?|robotics|devices|medical|electronics|elektronik\w*|elektro\w*|hydrauliek|hydraulics|automation|automatisering|bouw\w*|constructies?|constructie\w*|las\w*|welding|shipyards?|services?|services|bedrijf|bedrijven|company|co|international|europe|nederland|holland|international|labs?|laboratories|design|products|producten|packaging|verpakking\w*|foods?|agro|farms?|stichting|woonstichting|coöperatie|cooperatie|gebroeders|gebr|koninklijke|weverij|drukkerij|bakkerij|brouwerij|zuivel\w*|ingenieurs\w*|adviseurs|advies|consult\w*|partners|partner|trucks|defence|aerospace|marine|energy|power|optics|photonics|sensors|software|data|motors?|drives|tools?|tooling|composites?|ceramics|glass|logistics|transport|installatie\w*|koeltechniek|apparatenbouw|machinebouw|orgelbouw|schuimtechniek|staltechniek|lastechniek|compost|tapes|polymers|chemicals|chemie|pharma|biotech|castings?|snacks|ovens|lines|orthopedie|zn|zonen|sons|cleantech|carrosserie|bv|kunststoftechniek|textiel\w*)$",
    _I,
)
_PERSON_BEFORE = re.compile(
    r"(?:\b(?:dhr|mevr|mw|mr|mrs|ms|dr|drs|ir|ing|prof|fam)\.?|\b(?:meneer|mevrouw|heer|de heer|miss|professor|mijn naam is|my name is|naam is|i am|i'm|ik ben|ben|this is|it is|met|contact(?:persoon| person)?(?: is)?:?|aanspreekpunt(?: is)?:?|ask for|vraag(?: dan)?(?: maar)? naar|vragen naar|t\.a\.v\.|attn\.?:?|van:|from:|broer|zus|zoon|dochter|vader|collega|colleague|brother|sister|son|daughter|father|wife|vrouw|man|engineer|ingenieur|directeur|director|manager|operator|eigenaar|owner|founder|oprichter|speak to|talk to|spreek|bel|call|mail|namens|behalf of)|\b(?:groet|groeten|groetjes|mvg|regards|greetings|cheers|thanks|bedankt|gr|best|hoogachtend|faithfully|sincerely|wishes|truly|dank|alvast)[.,!]*)\s*$",
    _I,
)
_PERSON_AFTER = re.compile(
    r"^,? (?:here|ben ik|from|van (?=[A-Z])|onze (?:\w+ )?(?:ingenieur|engineer|man|collega)|our (?:\w+ )?(?:guy|engineer|colleague|director|manager)|\((?:directeur|director|manager|eigenaar|owner|ceo|cto))",
    _I,
)
_SITE_AFTER = re.compile(
    r"^,? (?:estate|industrial|business park|building|campus|site|terrein|industrieterrein|bedrijventerrein|park|haven|harbou?r)\b",
    _I,
)
_SITE_BEFORE = re.compile(
    r"\b(?:terrein|\w*terrein|bedrijvenpark|campus|park|estate|aan de|aan het|op de|op het|op)\s*(?:the |de |het )?$",
    _I,
)
_CUSTOMER = re.compile(
    r"\b(?:klant|klanten|afnemer|afnemers|opdrachtgever|eindklant|customers?|clients?|end user|buyer|for|voor|polish for|aan|to|supply|grower|asked|van)\W*(?:\w+ ){0,2}\W?$",
    _I,
)
_STRONG_CUSTOMER = re.compile(
    r"\b(?:klant|klanten|afnemer|opdrachtgever|eindklant|customers?|clients?|buyer|supply|grower)\b", _I
)
_OWN = re.compile(
    r"\b(?:wij|we|we are|wij van|onze firma|ons bedrijf|company|firm|firma|bedrijf|made by us,?|founded|namens|behalf of|werk voor|work for|bij|at)\W*(?:\w+ ){0,1}\W?$",
    _I,
)
_PRODUCT_BEFORE = re.compile(
    r"\b(?:project|projectnaam|codenaam|codename|code name|werknaam|werktitel|working title|project name|product(?:naam)?|merk|merknaam|brand|trade name|type|model|serie|series|machine|robot|platform|systeem|system|software|pakket|pakketten|package|packages|controller|sensor|pump|pomp|drone|inspectiedrone|box|lamp|bike|bot|printer|print|matrijs|mould|rig|tool|app|versie|version|lijn|line|installatie|genaamd|genoemd|gedoopt|heet|heten|called|named|dubbed|name|naam|noemen (?:we |wij )?(?:het|hem|ze|dit)|call it|call this|makers of|maker van|onze|ons|our|de|het|the|een|an?|nieuwe|new|mes|cell|cel|prototype|intern)[ ,:(\"“‘'«]{0,4}(?:(?:is|de|het|the|intern|a|een|named|called|onze|our) ?[\"“‘'«]?)?$",
    _I,
)
_OURS = re.compile(r"\b(?:onze|ons|our)\s*$", _I)
_IN = re.compile(r"\b(?:te|in|uit|near|nabij|gevestigd in) $", _I)
_SITE_JUST_BEFORE = re.compile(r"\b\w*(?:terrein|bedrijvenpark|campus|estate) (?:de |het |the )?$", _I)
_TITLE = re.compile(
    r"\b(?:dhr|mevr|mw|mr|mrs|ms|dr|drs|ir|ing|prof|mevrouw|meneer|heer|naam is|name is)\b\.?\s*$", _I
)
_IS = re.compile(r"\b(?:we are|wij zijn|we zijn|is|heet|called) $", _I)
_MAX_PERSON_WORDS = 4


@dataclass(frozen=True, slots=True)
class Name:
    """A name and what stands around it: the words of it, the clause before, the text after.

    `cue` is the kind that a cue word gave it, `where` that of a place of the gazetteer, `legal` a legal form.
    """

    words: Sequence[Word]
    before: str
    after: str
    cue: Kind | None
    where: str | None
    legal: bool

    @property
    def texts(self) -> list[str]:
        """Its words."""
        return [word.text for word in self.words]

    @property
    def has_digit(self) -> bool:
        """Whether a digit is in it."""
        return any(char.isdigit() for text in self.texts for char in text)


def kind_and_part(name: Name) -> tuple[Kind, str]:
    """The kind of a name, and the part it plays: the first rule that fits says it."""
    if name.legal or (_is_of_a_company(name.texts) and not name.has_digit):
        return "company", _company_part(name.before)
    if name.where is not None:
        return "place", "far place" if name.where == "far" else "place"
    if _SITE_AFTER.search(name.after) or _SITE_JUST_BEFORE.search(name.before):
        return "place", "site"
    if _is_person(name):
        return "person", "person"
    if name.has_digit or name.cue == "product":
        return "product", _product_part(name.before, name.texts)
    return _by_what_stands_before(name)


def _by_what_stands_before(name: Name) -> tuple[Kind, str]:
    first = name.words[0]
    if _IN.search(name.before) and len(name.words) <= 2 and not first.mixed and not first.upper:
        return "place", "place"
    if name.cue == "company" and not _OURS.search(name.before):
        return "company", _company_part(name.before)
    if _SITE_BEFORE.search(name.before) and not first.mixed:
        return "place", "site"
    line = name.texts[-1].lower().endswith(("-lijn", "-serie", "-line", "-series"))
    if line or first.text.lower() == "project" or _PRODUCT_BEFORE.search(name.before):
        return "product", _product_part(name.before, name.texts)
    return name.cue or "company", _company_part(name.before)


def _is_of_a_company(texts: Sequence[str]) -> bool:
    return len(texts) > 1 and (
        _COMPANY_WORD.fullmatch(texts[0]) is not None or any(_COMPANY_WORD.search(text) for text in texts[1:])
    )


def _is_person(name: Name) -> bool:
    if name.cue is not None or name.has_digit:
        return name.cue == "person"
    lowered = [text.lower() for text in name.texts]
    if lowered[0] in people("first") and len(lowered) <= _MAX_PERSON_WORDS:
        return True
    if _PERSON_AFTER.match(name.after) and lowered[0] in people("last"):
        return True
    if all(word.mixed for word in name.words) or not _PERSON_BEFORE.search(name.before):
        return False
    titled = _TITLE.search(name.before) is not None
    return titled or any(text in people("first") or text in people("last") for text in lowered)


def _company_part(before: str) -> str:
    near = before[-30:]
    if _IS.search(near):
        return "company"
    if _STRONG_CUSTOMER.search(near) and _CUSTOMER.search(before):
        return "customer"
    if re.search(r"\b(?:leverancier|toeleverancier|supplier|vendor)\b", near, _I) or re.search(
        r"\b(?:supplied by|bought from|are from|delivered by|mould by|via)\s*$", near, _I
    ):
        return "supplier"
    if re.search(r"\b(?:samen met|together with|partner)\W*$", near, _I):
        return "partner"
    if not near.strip(' \n"“(-—,:') or _OWN.search(near):
        return "own"
    return "company"


def _product_part(before: str, texts: Sequence[str]) -> str:
    near = before[-30:].lower()
    if "project" in near or texts[0].lower() == "project":
        return "project"
    if re.search(r"\b(?:systeem|system|software|platform|controller|besturing)", near):
        return "system"
    if re.search(r"\b(?:part|onderdeel|matrijs|mould|no)\b", near):
        return "part"
    if re.search(r"\b(?:op een|op de|on a|with a|met een) *$", near):
        return "machine"
    if re.search(r"\b(?:pakket|pakketten|package|packages)\b", near):
        return "other product"
    return "product"
