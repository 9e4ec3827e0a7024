"""Forms that names have: legal forms, particles, hyphens."""

from __future__ import annotations

import re

from matcher.disclosure.patterns import is_trade_code
from matcher.disclosure.reading import Word
from matcher.disclosure.vocabulary import is_term, is_word

LEGAL = re.compile(
    r"[ ,]{1,2}(?:B\.?V\.?|N\.?V\.?|V\.?O\.?F\.?|C\.?V\.?|U\.?A\.?|GmbH(?: & Co\.? KG)?|AG|KG|Ltd\.?|Limited|Inc\.?|LLC|PLC|plc|S\.?A\.?|S\.?r\.?l\.?|SpA|AB|A/S|Oy|ApS|Corp\.?|Co\.|[Zz]n\.?|[Zz]onen|Sons)(?![\w])"
)
AND_SONS = re.compile(
    r" (?:& ?|en |and |und )(?:[Zz]n|[Zz]oon|[Zz]onen|[Ss]ons?|[Cc]o|[Ss]öhne|[Bb]ro[st]?|[Dd]ochters?)(?!\w)"
)
PARTICLES = frozenset(
    [
        "van",
        "de",
        "den",
        "der",
        "ter",
        "ten",
        "te",
        "het",
        "von",
        "zu",
        "el",
        "al",
        "di",
        "da",
        "la",
        "le",
        "du",
        "op",
        "in",
        "bij",
        "und",
        "and",
        "en",
        "of",
        "&",
        "for",
        "the",
    ]
)
NO_LEFT = frozenset(
    [
        "klant",
        "contract",
        "order",
        "octrooi",
        "patent",
        "klanten",
        "leverancier",
        "afnemer",
        "opdrachtgever",
        "customer",
        "client",
        "supplier",
        "vendor",
        "partner",
        "matrijs",
        "model",
        "type",
        "project",
        "onderdeel",
        "part",
        "trailer",
        "brand",
        "firm",
        "company",
        "bedrijf",
        "contact",
        "site",
        "locatie",
        "vestiging",
        "machine",
        "contactpersoon",
        "aanspreekpunt",
        "industrieterrein",
        "bedrijventerrein",
        "glue",
        "paper",
        "packaging",
        "fish",
        "tel",
        "nice",
    ]
)
NAME_PARTICLES = frozenset(
    [
        "van",
        "de",
        "den",
        "der",
        "ter",
        "ten",
        "te",
        "von",
        "el",
        "al",
        "di",
        "da",
        "la",
        "le",
        "du",
        "op",
        "'t",
        "t",
    ]
)


def is_name_with_hyphen(word: Word, small: bool) -> bool:
    """Whether a word with a hyphen is a name; `small` says that sentences open with small letters here."""
    parts = [part for part in re.split("[-‑]", word.text) if part]
    if is_trade_code(word.text):
        return False
    for at, part in enumerate(parts):
        plain = part.islower() or part.isdigit() or len(part) < 2 or is_term(part) or is_trade_code(part)
        opener = at == 0 and word.opens and not small and part[1:].islower() and is_word(part.lower())
        if plain or opener:
            continue
        if part.isupper() and len(part) <= 3 and len(parts) > 1 and parts[-1].islower():
            continue  # "UD-tape": an abbreviation of the trade before a word of the language
        if (
            at
            and part.istitle()
            and is_word(part.lower())
            and parts[0][0].isupper()
            and is_word(parts[0].lower())
            and not word.capital
        ):
            continue
        return True
    return False
