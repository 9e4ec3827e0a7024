"""The filters of a need, as a form shows them and as it sends them back."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import FormData

from api.pages.language import Language, Words
from corpora.model import ProfileKind
from corpora.taxonomy import load_taxonomy
from matcher.generations import Generation
from matcher.model import Filters

MAX_CHOSEN = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """A box to tick."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    """Boxes under one heading; `name` is the field that they send."""

    name: str
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class FilterForm:
    """All filters; `n_chosen` boxes are ticked."""

    groups: tuple[ChoiceGroup, ...]
    n_chosen: int


def filter_form(generation: Generation, filters: Filters, t: Words) -> FilterForm:
    """The filters that make sense for what is in the index: a group with one choice is left out."""
    profiles = generation.profiles.values()
    chosen = {
        "kinds": {kind.value for kind in filters.kinds},
        "roadmaps": set(filters.roadmaps),
        "organisations": set(filters.organisations),
        "regions": set(filters.regions),
        "languages": set(filters.languages),
    }
    kinds = {profile.kind for profile in profiles}
    offered = {
        "kinds": [(kind.value, t(f"kind.{kind.value}.many")) for kind in ProfileKind if kind in kinds],
        "roadmaps": roadmap_choices({code for profile in profiles for code in profile.roadmaps}, t.language),
        "organisations": _by_label({(item.organisation_id, item.organisation) for item in profiles}),
        "regions": _by_label({(item.region, item.region) for item in profiles if item.region}),
        "languages": _by_label({(item.language, language_name(item.language, t)) for item in profiles}),
    }
    groups = tuple(
        ChoiceGroup(
            name,
            t(f"filters.{name}"),
            tuple(Choice(value, label, value in chosen[name]) for value, label in choices),
        )
        for name, choices in offered.items()
        if len(choices) > 1
    )
    return FilterForm(groups, sum(map(len, chosen.values())))


def filters_from(form: FormData) -> Filters:
    """The filters that a form sends; what it cannot have offered is left out."""

    def values(name: str) -> tuple[str, ...]:
        return tuple(value for value in form.getlist(name)[:MAX_CHOSEN] if isinstance(value, str))

    kinds = {kind.value: kind for kind in ProfileKind}
    return Filters(
        kinds=tuple(kinds[value] for value in values("kinds") if value in kinds),
        roadmaps=values("roadmaps"),
        organisations=values("organisations"),
        regions=values("regions"),
        languages=values("languages"),
    )


def roadmap_choices(codes: set[str], language: Language) -> list[tuple[str, str]]:
    """Code and label of the roadmaps among `codes`, by label; an unknown code is its own label."""
    labels = roadmap_labels(language)
    return _by_label({(code, labels.get(code, code)) for code in codes})


def roadmap_labels(language: Language) -> dict[str, str]:
    """Label by code."""
    return {
        term.code: term.label_nl if language == "nl" else term.label_en for term in load_taxonomy().roadmaps()
    }


def language_name(code: str, t: Words) -> str:
    """What a language is called; its code where we have no name for it."""
    key = f"language.{code}"
    return t(key) if key in t.keys() else code  # noqa: SIM118 - words are no mapping


def _by_label(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(pairs, key=lambda pair: (pair[1].casefold(), pair[0]))
