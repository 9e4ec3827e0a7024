"""The vocabularies of High Tech Systems & Materials: dated, editable data beside this file, in nl and en."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


class TaxonomyError(ValueError):
    """A vocabulary's file is wrong. The message says which, what was expected and what was found."""


@dataclass(frozen=True, slots=True)
class Term:
    """One entry: a roadmap, key technology, focal area or sector group.

    `aliases_*` are words and phrases that point to it. `roadmaps` are the codes of the roadmaps that it is
    linked to (none for a roadmap). `source` and `date` say where its name comes from and when it was valid.
    """

    code: str
    label_nl: str
    label_en: str
    aliases_nl: tuple[str, ...]
    aliases_en: tuple[str, ...]
    description_nl: str
    description_en: str
    source: str
    date: date
    scheme: str
    roadmaps: tuple[str, ...] = ()


class Taxonomy:
    """All vocabularies of a folder; codes are unique over all of them."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        """Read the vocabularies. Raises `TaxonomyError` for a missing field, a code twice or a dead link."""
        self._roadmaps = _read(folder / "roadmaps.toml")
        self._key_technologies = _read(folder / "key-technologies.toml")
        self._focal_areas = _read(folder / "focal-areas.toml")
        self._sector_groups = _read(folder / "sector-groups.toml")
        self._terms: dict[str, Term] = {}
        for term in self:
            if term.code in self._terms:
                raise TaxonomyError(
                    f"expected codes that are unique, found {term.code!r} in {self._terms[term.code].scheme} "
                    f"and in {term.scheme}; rename one"
                )
            self._terms[term.code] = term
        codes = {term.code for term in self._roadmaps}
        for term in self:
            if dead := [code for code in term.roadmaps if code not in codes]:
                raise TaxonomyError(
                    f"expected {term.code!r} to be linked to codes of roadmaps.toml, found {', '.join(dead)}; "
                    "correct its roadmaps"
                )

    def __iter__(self) -> Iterator[Term]:
        """Yield every term: roadmaps, key technologies, focal areas, sector groups."""
        yield from self._roadmaps
        yield from self._key_technologies
        yield from self._focal_areas
        yield from self._sector_groups

    def roadmaps(self) -> tuple[Term, ...]:
        """Return the HTSM roadmaps."""
        return self._roadmaps

    def key_technologies(self) -> tuple[Term, ...]:
        """Return the ten key technologies of the National Technology Strategy."""
        return self._key_technologies

    def focal_areas(self) -> tuple[Term, ...]:
        """Return the focal areas of the region."""
        return self._focal_areas

    def sector_groups(self) -> tuple[Term, ...]:
        """Return the sector groups of the Enterprise Europe Network."""
        return self._sector_groups

    def term(self, code: str) -> Term | None:
        """Return the term with that code; None when there is none."""
        return self._terms.get(code)


@cache
def load_taxonomy() -> Taxonomy:
    """Return the vocabularies that come with the program, read once."""
    return Taxonomy()


def _read(path: Path) -> tuple[Term, ...]:
    try:
        with path.open("rb") as file:
            data = tomllib.load(file)
    except FileNotFoundError as error:
        raise TaxonomyError(f"expected the vocabulary {path.name} in {path.parent}, found none") from error
    except tomllib.TOMLDecodeError as error:
        raise TaxonomyError(f"{path.name}: expected TOML, found an error: {error}; mend the file") from error
    return tuple(_term(path, data, entry) for entry in data.get("term", []))


def _term(path: Path, data: dict[str, Any], entry: dict[str, Any]) -> Term:
    try:
        return Term(
            code=entry["code"],
            label_nl=entry["nl"],
            label_en=entry["en"],
            aliases_nl=tuple(entry["aliases_nl"]),
            aliases_en=tuple(entry["aliases_en"]),
            description_nl=entry["description_nl"],
            description_en=entry["description_en"],
            source=entry.get("source", data["source"]),
            date=entry.get("date", data["date"]),
            scheme=data["scheme"],
            roadmaps=tuple(entry.get("roadmaps", ())),
        )
    except KeyError as error:
        raise TaxonomyError(
            f"{path.name}: expected the field {error.args[0]!r} in the term {entry.get('code', '?')!r}, "
            "found none; add it"
        ) from error
