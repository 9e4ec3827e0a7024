"""What to put in the place of a finding: a phrase in the text's language that says its part, not its name."""

from __future__ import annotations

import re

_PHRASES = {
    "own": ("ons bedrijf", "our company"),
    "company": ("een bedrijf", "a company"),
    "customer": ("een klant", "a customer"),
    "supplier": ("een leverancier", "a supplier"),
    "partner": ("een partner", "a partner"),
    "product": ("ons product", "our product"),
    "other product": ("een product", "a product"),
    "machine": ("een machine", "a machine"),
    "part": ("een onderdeel", "a part"),
    "system": ("een eigen systeem", "a system of our own"),
    "project": ("een project", "a project"),
    "place": ("een plaats in de regio", "a town in the region"),
    "far place": ("een stad elders", "a city elsewhere"),
    "street": ("ons adres", "our address"),
    "postcode": ("onze postcode", "our postcode"),
    "site": ("een locatie in de regio", "a site in the region"),
    "person": ("een medewerker", "a colleague"),
    "e-mail": ("ons e-mailadres", "our e-mail address"),
    "phone": ("ons telefoonnummer", "our phone number"),
    "website": ("onze website", "our website"),
    "registration": ("ons registratienummer", "our registration number"),
    "account": ("ons rekeningnummer", "our bank account"),
    "patent": ("een octrooi", "a patent"),
    "order": ("een nummer", "a number"),
}
DECADES = ("tien", "twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig")
_RECENT, _CENTURY, _OLD = 2010, 2000, 1910
_SCALE = 1_000_000


def phrase(part: str, language: str) -> str:
    """The phrase for a part, in Dutch for `nl` and in English for every other language."""
    return _PHRASES[part][0 if language == "nl" else 1]


def rounded(number: float, language: str) -> str:
    """A number to one significant figure, with the thousands marked as the language does."""
    whole = int(number)
    digits = max(0, len(str(whole)) - 1)
    near = int(whole / 10**digits + 0.5) * 10**digits
    return f"{near:,}".replace(",", "." if language == "nl" else ",")


def about(number: float, language: str, unit: str = "") -> str:
    """About so many."""
    return f"{'ongeveer' if language == 'nl' else 'about'} {rounded(number, language)}{unit and ' ' + unit}"


def staff(number: int, language: str) -> str:
    """So many people, roughly."""
    if number < 10:
        return "een handvol mensen" if language == "nl" else "a handful of people"
    return about(number, language, "mensen" if language == "nl" else "people")


def money(number: float, language: str) -> str:
    """An amount of euros, roughly."""
    word = "ongeveer" if language == "nl" else "about"
    if number >= _SCALE:
        return f"{word} € {rounded(number / _SCALE, language)} {'miljoen' if language == 'nl' else 'million'}"
    return f"{word} €{' ' if language == 'nl' else ''}{rounded(number, language)}"


def year(number: int, word: str, language: str) -> str:
    """The time around a year, to follow on what `word` ("sinds", "in", or nothing) says of it."""
    dutch, lead = language == "nl", f"{word} " if word else ""
    since = word.lower() in ("sinds", "since", "vanaf")
    if number >= _RECENT and word:
        return (
            ("al een aantal jaren" if dutch else "for some years")
            if since
            else ("een aantal jaren geleden" if dutch else "some years ago")
        )
    if number >= _CENTURY:
        return lead + ("het begin van deze eeuw" if dutch else "the beginning of this century")
    if number < _OLD:
        return lead + ("meer dan een eeuw geleden" if dutch else "more than a century ago")
    decade = number % 100 // 10
    return lead + (f"de jaren {DECADES[decade - 1]}" if dutch else f"the 19{decade}0s")


def amount(text: str, language: str) -> float:
    """The number that a text writes, whichever mark it has for thousands; 0 where it writes none."""
    digits = re.sub(r"[^\d.,]", "", text).strip(".,")
    if not digits:
        return 0.0
    last = re.search(r"[.,](\d+)$", digits)
    marks = re.findall(r"[.,]", digits)
    decimal = last is not None and (len(last.group(1)) != 3 or (len(set(marks)) > 1 and len(marks) == 2))
    if decimal and last is not None:
        return float(re.sub(r"[.,]", "", digits[: last.start()]) + "." + last.group(1) if last.start() else 0)
    return float(re.sub(r"[.,]", "", digits)[:15])
