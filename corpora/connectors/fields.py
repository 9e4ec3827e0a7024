"""From the fields of a collection's group to a `Profile`: pure, and strict about types.

Texts pass through `corpora.characters.storable`, so that offsets hold and every database can keep them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from corpora.characters import is_storable, storable
from corpora.connectors.json_lines import LineError, shown
from corpora.lookup import fold
from corpora.model import Document, Organisation, Profile, ProfileKind

_MAX_ID_CHARS = 200
_MAX_NAME_CHARS = 1_000
_LANGUAGE = re.compile(r"^([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)*$")
_DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
_URL = re.compile(r"^https?://[^\s<>\"]+$", re.IGNORECASE)
_TYPES = {str: "a string", list: "a list", dict: "an object", bool: "true or false", int: "a number",
          float: "a number", type(None): "null"}  # fmt: skip


class OrganisationIds:
    """Gives every organisation an id made of its name; the same name always gets the same id."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        """Start from the ids that names already have (name to id), such as those in the records."""
        self._ids = dict(known or {})
        self._taken = set(self._ids.values())

    def organisation(self, name: str) -> Organisation:
        """Return the organisation of that name; white space and Unicode form do not make another one."""
        plain = " ".join(unicodedata.normalize("NFC", name).split())
        if plain not in self._ids:
            slug = slug_of(plain)
            if slug in self._taken:
                # "Fontys" and "FONTYS!" are two names: the later one carries a mark of its own.
                slug = f"{slug}-{hashlib.sha256(plain.encode()).hexdigest()[:8]}"
            self._ids[plain] = slug
            self._taken.add(slug)
        return Organisation(self._ids[plain], plain)


def slug_of(name: str) -> str:
    """Return a name in lower-case ASCII words joined by hyphens, at most 80 characters, never empty."""
    words = re.findall(r"[a-z0-9]+", fold(name))
    slug = "-".join(words)[:80].strip("-")
    return slug or f"organisation-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def parse_group(fields: Mapping[str, Any], organisations: OrganisationIds) -> Profile:
    """Return the profile of one group. Raises `LineError` with what was expected, found and to do."""
    profile_id = identifier(fields, "id")
    language = _language(fields, "")
    return Profile(
        id=profile_id,
        kind=_kind(fields),
        name=_name(fields, "name"),
        organisation=organisations.organisation(_name(fields, "organisation")),
        language=language,
        description=_text(fields, "description", ""),
        documents=_documents(fields, profile_id),
        roadmaps=tuple(dict.fromkeys(_strings(fields, "roadmaps"))),
        region=optional(fields, "region"),
        members=_strings(fields, "members"),
        source=optional(fields, "source"),
        licence=optional(fields, "licence"),
    )


def identifier(fields: Mapping[str, Any], name: str, where: str = "") -> str:
    """Return an id: a string without white space or control characters, of sane length."""
    value = _string(fields, name, where)
    if not value or len(value) > _MAX_ID_CHARS or not value.isprintable() or " " in value:
        raise LineError(
            f"expected {where}{name!r} to be 1 to {_MAX_ID_CHARS} characters without white space, "
            f"found {shown(value)}; give it a plain id"
        )
    return value


def text_field(fields: Mapping[str, Any], name: str) -> str:
    """Return a required text, kept as it is but for characters that cannot be stored."""
    return _text(fields, name, "")


def language_field(fields: Mapping[str, Any]) -> str:
    """Return the required language as a two- or three-letter code."""
    return _language(fields, "")


def optional(fields: Mapping[str, Any], name: str, where: str = "") -> str | None:
    """Return an optional string; absent, null and blank are all None."""
    value = fields.get(name)
    if value is None:
        return None
    return storable(_string(fields, name, where)).strip() or None


def _found(value: object) -> str:
    return _TYPES.get(type(value), type(value).__name__)


def _string(fields: Mapping[str, Any], name: str, where: str) -> str:
    if name not in fields:
        raise LineError(f"expected the field {where}{name!r}, found none; add it")
    value = fields[name]
    if not isinstance(value, str):
        raise LineError(
            f"expected {where}{name!r} to be a string, found {_found(value)} ({shown(value)}); put it in quotes"
        )
    return value


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    return storable(_string(fields, name, where))


def _name(fields: Mapping[str, Any], name: str) -> str:
    value = _text(fields, name, "").strip()
    if not value or len(value) > _MAX_NAME_CHARS:
        raise LineError(
            f"expected {name!r} to be a name of 1 to {_MAX_NAME_CHARS} characters, found {len(value)} "
            "characters; give it its name"
        )
    return value


def _language(fields: Mapping[str, Any], where: str) -> str:
    value = _string(fields, "language", where)
    match = _LANGUAGE.match(value.strip())
    if match is None:
        raise LineError(
            f"expected {where}'language' to be a code such as 'nl' or 'en', found {shown(value)}; "
            "use its ISO 639-1 code"
        )
    return match.group(1).lower()


def _kind(fields: Mapping[str, Any]) -> ProfileKind:
    value = fields.get("kind")
    if value is None:
        return ProfileKind.RESEARCH_GROUP
    if value not in list(ProfileKind):
        kinds = ", ".join(kind.value for kind in ProfileKind)
        raise LineError(f"expected 'kind' to be one of {kinds}, found {shown(value)}; use one of these")
    return ProfileKind(value)


def _strings(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise LineError(
            f"expected {name!r} to be a list of strings, found {_found(value)} ({shown(value)}); "
            'write it as ["…", "…"]'
        )
    return tuple(text for item in value if (text := storable(item).strip()))


def _documents(fields: Mapping[str, Any], profile_id: str) -> tuple[Document, ...]:
    if "documents" not in fields:
        raise LineError("expected the field 'documents', found none; add it, [] where there are none")
    value = fields["documents"]
    if not isinstance(value, list):
        raise LineError(
            f"expected 'documents' to be a list, found {_found(value)} ({shown(value)}); write it as [{{…}}, {{…}}]"
        )
    documents = tuple(_document(item, f"documents[{at}].", profile_id) for at, item in enumerate(value))
    seen: set[str] = set()
    for item in documents:
        if item.id in seen:
            raise LineError(
                f"expected each document to have its own id, found {shown(item.id)} twice in this group; "
                "rename or remove one"
            )
        seen.add(item.id)
    return documents


def _document(fields: Any, where: str, profile_id: str) -> Document:
    if not isinstance(fields, dict):
        raise LineError(
            f"expected {where[:-1]} to be an object, found {_found(fields)} ({shown(fields)}); "
            "write it in braces with its fields"
        )
    return Document(
        id=identifier(fields, "id", where),
        profile_id=profile_id,
        kind=_text(fields, "kind", where).strip(),
        title=_text(fields, "title", where),
        text=_text(fields, "text", where),
        language=_language(fields, where),
        date=_date(fields, where),
        url=_url(fields, where),
    )


def _date(fields: Mapping[str, Any], where: str) -> date | None:
    value = fields.get("date")
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str) and _DATE.match(value):
            return date.fromisoformat(value)
    except ValueError:
        pass  # the right shape, but no day of the calendar: reported below with the others
    raise LineError(
        f"expected {where}'date' to be a day as YYYY-MM-DD, found {shown(value)}; "
        "write it so, or null when the day is not known"
    )


def _url(fields: Mapping[str, Any], where: str) -> str | None:
    value = optional(fields, "url", where)
    # It becomes a link on a page: only web addresses, so that nothing can be run from it.
    if value is not None and not (_URL.match(value) and is_storable(value)):
        raise LineError(
            f"expected {where}'url' to begin with https:// or http:// and hold no space, "
            f"found {shown(value)}; write the full address, or null"
        )
    return value
