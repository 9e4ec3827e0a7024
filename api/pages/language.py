"""In which language a person reads, and the words of the interface."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, get_args

from starlette.requests import Request

Language = Literal["nl", "en"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
COOKIE = "lang"
PARAMETER = "lang"
COOKIE_SECONDS = 365 * 24 * 3600
DEFAULT: Language = "nl"
"""For a browser that names neither: the region speaks Dutch."""


class Words:
    """The words of one language, by dotted key; a missing key or value raises `KeyError`."""

    def __init__(self, language: Language, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with `{name}` replaced by the values."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def count(self, key: str, n: int, **values: object) -> str:
        """The text for one (`key.one`) or for several (`key.other`); `{n}` is the number."""
        return self(f"{key}.{'one' if n == 1 else 'other'}", n=n, **values)

    def keys(self) -> frozenset[str]:
        """All keys."""
        return frozenset(self._texts)


@lru_cache(maxsize=len(LANGUAGES))
def words(language: Language) -> Words:
    """The words of `api/locale/<language>.toml`."""
    raw = tomllib.loads((files("api") / "locale" / f"{language}.toml").read_text(encoding="utf-8"))
    return Words(language, dict(_flat("", raw)))


def _flat(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _flat(f"{prefix}{key}.", value)
        else:
            found.append((prefix + key, value))
    return found


def chosen(request: Request) -> Language | None:
    """The language that this request switches to (`?lang=en`); None if it does not."""
    return _supported(request.query_params.get(PARAMETER, ""))


def language_of(request: Request) -> Language:
    """The language for this request: switched to, else chosen before, else the browser's, else Dutch."""
    return (
        chosen(request)
        or _supported(request.cookies.get(COOKIE, ""))
        or from_accept_language(request.headers.get("accept-language", ""))
        or DEFAULT
    )


def from_accept_language(header: str) -> Language | None:
    """The first of ours in order of preference (RFC 9110, 12.5.4); None where the header names none."""
    wanted: list[tuple[float, int, Language]] = []
    for at, part in enumerate(header[:500].split(",")):
        tag, _, parameters = part.strip().partition(";")
        language = _supported(tag.strip().lower().partition("-")[0])
        weight = _weight(parameters)
        if language is not None and weight > 0:
            wanted.append((-weight, at, language))
    return min(wanted)[2] if wanted else None


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _supported(code: str) -> Language | None:
    return next((language for language in LANGUAGES if language == code), None)
