"""What passes between the stages of the pipeline, from the analysed need to the explained match."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from corpora.model import ProfileKind


class NeedError(ValueError):
    """A need cannot be matched. `code` is one of `empty`, `too_short`, `too_long`, `no_words`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Filters:
    """What the user wants to see; an empty tuple means no restriction.

    `languages` are the languages of the profile, `roadmaps` taxonomy codes, `organisations` ids.
    """

    kinds: tuple[ProfileKind, ...] = ()
    roadmaps: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aspect:
    """One requirement in a need: `need_text[start:end] == text`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Query:
    """The analysed form of a need. `language` may be any ISO 639-1 code; `supported` says nl or en."""

    text: str
    language: str
    aspects: tuple[Aspect, ...]
    roadmaps: tuple[str, ...] = ()
    supported: bool = True


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A retrieved passage: `row` is its row in the generation; ranks start at 1."""

    row: int
    profile_id: str
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A profile with its pooled score and the features that the ranker saw."""

    profile_id: str
    score: float
    features: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why: a requirement of the need and the sentence of theirs that answers it.

    `quote` equals the source text at `quote_start:quote_end`. `document_id` is None for the profile's own
    description. `similarity` is the inner product of the two vectors, -1 to 1.
    """

    aspect: str
    aspect_start: int
    aspect_end: int
    quote: str
    quote_start: int
    quote_end: int
    document_id: str | None
    document_kind: str
    title: str
    url: str | None
    date: date | None
    language: str
    similarity: float


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """What a result list shows of a profile."""

    id: str
    name: str
    kind: ProfileKind
    organisation_id: str
    organisation: str
    language: str
    region: str | None
    roadmaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """An explained pairing. A match without evidence cannot be made (`ValueError`).

    `probability` is the calibrated chance, 0 to 1, that this profile answers the need.
    """

    profile: ProfileSummary
    rank: int
    score: float
    probability: float
    evidence: tuple[Evidence, ...]
    unmet: tuple[Aspect, ...]

    def __post_init__(self) -> None:
        if not self.evidence:
            raise ValueError(f"a match needs evidence; {self.profile.id} has none")


@dataclass(frozen=True, slots=True)
class InstituteMatch:
    """Results rolled up per institute: its best match leads, the others follow, best first."""

    id: str
    name: str
    score: float
    probability: float
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a need gets.

    `matches` are of the kinds asked for (research groups unless the filters say otherwise), best first;
    `institutes` roll the same matches up. `others` holds a few matches for each other kind, each in a block
    of its own (empty when the filters name kinds). `fits` is False when nobody here fits: `matches` then
    are the nearest. `fit_probability` is the calibrated chance that somebody here fits.
    """

    query: Query
    matches: tuple[Match, ...]
    institutes: tuple[InstituteMatch, ...]
    others: tuple[tuple[ProfileKind, tuple[Match, ...]], ...]
    fits: bool
    fit_probability: float
    generation: str
    elapsed_ms: float
