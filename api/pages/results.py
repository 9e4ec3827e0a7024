"""What a need got, as the results page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from api.pages.anchors import document_link, profile_link
from api.pages.chances import band
from api.pages.filters import language_name, roadmap_labels
from api.pages.home import NeedForm
from api.pages.kinds import document_kind
from api.pages.language import Words
from corpora.model import ProfileKind
from matcher.generations import Generation
from matcher.model import Answer, Evidence, Match

NEAREST_SHOWN = 5
"""Matches shown where nobody fits."""

OPEN_INSTITUTES = 3
"""Institutes whose groups show at once, the first always, others only with more than a small chance."""

PAIRS_SHOWN = 2
"""Pieces of evidence that show at once; the others open at a click."""

HELP_SHOWN = 3


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A requirement of the need and the sentence that answers it; `link` leads to the sentence in its text.

    Where nothing answers anything, the nearest sentence is shown all the same: `answers` is False then.
    """

    aspect: str
    quote: str
    language: str
    title: str
    kind: str
    date: date | None
    link: str
    answers: bool


@dataclass(frozen=True, slots=True)
class MatchView:
    """A profile with its chance (0 to 1; `band` in words), why, and what it does not answer."""

    rank: int
    name: str
    link: str
    kind: ProfileKind
    organisation: str
    language: str
    region: str | None
    roadmaps: tuple[str, ...]
    probability: float
    band: str
    evidence: tuple[EvidenceView, ...]
    more_evidence: tuple[EvidenceView, ...]
    unmet: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InstituteView:
    """An institute with its profiles, best first; `open` says whether they show at once."""

    name: str
    probability: float
    matches: tuple[MatchView, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class KindBlock:
    """A few matches of another kind than was asked for."""

    kind: ProfileKind
    matches: tuple[MatchView, ...]


@dataclass(frozen=True, slots=True)
class HelpLink:
    """A desk where the need can be asked as well."""

    name: str
    organisation: str
    link: str


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """A need and what it got. `language_note` names the need's language where it is neither Dutch nor English."""

    template: ClassVar[str] = "results.html"
    title: str
    need_id: str
    need: str
    need_language: str
    language_note: str | None
    aspects: tuple[str, ...]
    expires: date
    form: NeedForm
    fits: bool
    fit_probability: float
    institutes: tuple[InstituteView, ...]
    others: tuple[KindBlock, ...]
    desks: tuple[HelpLink, ...]
    n_matches: int
    elapsed_ms: float


def institutes(answer: Answer, t: Words) -> tuple[InstituteView, ...]:
    """The answer's institutes; where nobody fits, those of the nearest few."""
    shown = len(answer.matches) if answer.fits else NEAREST_SHOWN
    views: list[InstituteView] = []
    for institute in answer.institutes:
        matches = tuple(match_view(match, t) for match in institute.matches if match.rank <= shown)
        if matches:
            views.append(
                InstituteView(
                    institute.name,
                    institute.probability,
                    matches,
                    not views or (len(views) < OPEN_INSTITUTES and band(institute.probability) != "weak"),
                )
            )
    return tuple(views)


def match_view(match: Match, t: Words) -> MatchView:
    """A match as the page shows it."""
    labels = roadmap_labels(t.language)
    evidence = tuple(_evidence_view(match, item, t) for item in match.evidence)
    return MatchView(
        rank=match.rank,
        name=match.profile.name,
        link=profile_link(match.profile.id),
        kind=match.profile.kind,
        organisation=match.profile.organisation,
        language=match.profile.language,
        region=match.profile.region,
        roadmaps=tuple(labels.get(code, code) for code in match.profile.roadmaps),
        probability=match.probability,
        band=band(match.probability),
        evidence=evidence[:PAIRS_SHOWN],
        more_evidence=evidence[PAIRS_SHOWN:],
        unmet=tuple(aspect.text for aspect in match.unmet),
    )


def _evidence_view(match: Match, evidence: Evidence, t: Words) -> EvidenceView:
    return EvidenceView(
        aspect=evidence.aspect,
        quote=evidence.quote,
        language=evidence.language,
        title=evidence.title,
        kind=document_kind(evidence.document_kind, t),
        date=evidence.date,
        link=document_link(
            match.profile.id, evidence.document_id, (evidence.quote_start, evidence.quote_end)
        ),
        answers=evidence.aspect_start not in {aspect.start for aspect in match.unmet},
    )


def other_kinds(answer: Answer, t: Words) -> tuple[KindBlock, ...]:
    """The blocks of other kinds."""
    return tuple(
        KindBlock(kind, tuple(match_view(match, t) for match in matches)) for kind, matches in answer.others
    )


def desks(generation: Generation, near: Sequence[Match], hidden: frozenset[str]) -> tuple[HelpLink, ...]:
    """Where else to ask: the support profiles that come nearest to the need, then others, by name."""
    first = [match.profile for match in near if match.profile.kind == ProfileKind.SUPPORT]
    named = {profile.id for profile in first}
    rest = sorted(
        (
            profile
            for profile in generation.profiles.values()
            if profile.kind == ProfileKind.SUPPORT and profile.id not in named and profile.id not in hidden
        ),
        key=lambda profile: (profile.name, profile.id),
    )
    return tuple(
        HelpLink(profile.name, profile.organisation, profile_link(profile.id))
        for profile in [*first, *rest][:HELP_SHOWN]
    )


def language_note(answer: Answer, t: Words) -> str | None:
    """The name of the need's language, where we are not made for it."""
    return None if answer.query.supported else language_name(answer.query.language, t)
