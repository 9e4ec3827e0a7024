"""Which texts a step sees. A step depends on the seed and its number alone, so that a run resumes exactly."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from embeddings.training import sources
from embeddings.training.sources import Asked, Translation
from embeddings.training.teacher import Teacher

T = TypeVar("T")
Kind = Literal["papers", "category", "described", "teams", "manuals", "field", "titles"]

SCHEDULE: tuple[Kind, ...] = (
    *(
        "category",
        "teams",
        "papers",
        "described",
        "manuals",
        "category",
        "teams",
        "titles",
        "papers",
        "teams",
    ),
    *(
        "category",
        "described",
        "papers",
        "teams",
        "field",
        "category",
        "described",
        "titles",
        "papers",
        "teams",
    ),
)
"""Twenty steps: needs on papers 8 (half within one subject, so that negatives are hard), on Dutch descriptions 3,
on teams 5, translations 2, titles 2."""

PAIRS = {"papers": 24, "category": 24, "described": 24, "teams": 16, "manuals": 40, "field": 48, "titles": 20}
HARD = (2, 14)
"""Ranks, from 0, among other teams' passages from which a hard negative is drawn: the first ones may be right."""


@dataclass(frozen=True, slots=True)
class Step:
    """Texts of one step. `passages[i]` answers `queries_*[i]`; further passages answer none.

    `english[i]` is an English text that says what `passages[i]` says, for the teacher.
    """

    kind: Kind
    queries_en: list[str]
    queries_nl: list[str]
    passages: list[str] = field(default_factory=list)
    english: list[str] = field(default_factory=list)


class Recipe:
    """All training material, and the steps made of it."""

    def __init__(self, seed: int, teacher: Teacher) -> None:
        self._seed = seed
        kept = sources.aside("passages-nl")
        self._works = sources.works()
        self._papers = [need for need in sources.paper_needs() if need.key not in kept]
        groups: dict[str, list[Asked]] = {}
        for need in self._papers:
            groups.setdefault(self._works[need.key].category, []).append(need)
        self._categories = [group for _, group in sorted(groups.items()) if len(group) >= PAIRS["category"]]
        self._described = [need for need in self._papers if need.passage_nl]
        train = sources.teams("train")
        self._teams = [need for need in sources.team_needs() if need.key in train]
        self._best, self._hard = mine(self._teams, teacher)
        rows_aside = sources.aside("translations")
        self._field = [t for i, t in enumerate(sources.field_translations()) if str(i) not in rows_aside]
        self._glossary = sources.glossary()
        self._manuals = sources.manuals()
        works_aside = sources.aside("works") | kept
        self._titled = [work for work in self._works.values() if work.id not in works_aside]

    def sizes(self) -> dict[str, int]:
        """How much there is of each kind."""
        return {
            "paper needs": len(self._papers),
            "subjects": len(self._categories),
            "Dutch descriptions": len(self._described),
            "team needs": len(self._teams),
            "manual sentences": len(self._manuals),
            "field translations": len(self._field),
            "terms": len(self._glossary),
            "titled works": len(self._titled),
        }

    def step(self, number: int) -> Step:
        """The step of this number, from 0."""
        kind = SCHEDULE[number % len(SCHEDULE)]
        round_, place = divmod(number, len(SCHEDULE))
        turn = round_ * Counter(SCHEDULE)[kind] + Counter(SCHEDULE[:place])[kind]
        rng = random.Random(f"{self._seed}-{number}")  # noqa: S311
        size = PAIRS[kind]
        match kind:
            case "papers":
                return self._asked(kind, self._turn(self._papers, kind, turn, size), rng, 0.5)
            case "category":
                weights = [len(group) for group in self._categories]
                group = rng.choices(self._categories, weights)[0]
                return self._asked(kind, rng.sample(group, size), rng, 0.5)
            case "described":
                return self._asked(kind, self._turn(self._described, kind, turn, size), rng, 1.0)
            case "teams":
                return self._team_step(self._turn(self._teams, kind, turn, size), rng)
            case "manuals":
                return _translated(kind, self._turn(self._manuals, kind, turn, size))
            case "field":
                half = size // 2
                terms = self._turn(self._glossary, "terms", turn, half)
                return _translated(kind, self._turn(self._field, kind, turn, size - half) + terms)
            case "titles":
                works = self._turn(self._titled, kind, turn, size)
                abstracts = [work.abstract for work in works]
                return Step(kind, [work.title for work in works], [], abstracts, abstracts)

    def _turn(self, items: list[T], name: str, turn: int, size: int) -> list[T]:
        """The `turn`-th `size` items of an order drawn anew each time all were seen."""
        epoch, place = divmod(turn, len(items) // size)
        order = list(range(len(items)))
        random.Random(f"{self._seed}-{name}-{epoch}").shuffle(order)  # noqa: S311
        return [items[i] for i in order[place * size : (place + 1) * size]]

    def _asked(self, kind: Kind, needs: list[Asked], rng: random.Random, dutch: float) -> Step:
        """Needs and the abstract, or with chance `dutch` the Dutch description where there is one."""
        english = [self._works[need.key].abstract for need in needs]
        passages = [
            need.passage_nl if need.passage_nl and rng.random() < dutch else text
            for need, text in zip(needs, english, strict=True)
        ]
        return Step(kind, [need.en for need in needs], [need.nl for need in needs], passages, english)

    def _team_step(self, needs: list[Asked], rng: random.Random) -> Step:
        inside = {need.key for need in needs}
        passages = [rng.choice(self._best[need.key]) for need in needs]
        for need in needs:
            free = [
                text for team, text in self._hard[need.key] if team not in inside and text not in passages
            ]
            if free:
                passages.append(rng.choice(free))
        return Step("teams", [need.en for need in needs], [need.nl for need in needs], passages, passages)


def _translated(kind: Kind, pairs: list[Translation]) -> Step:
    return Step(kind, [pair.en for pair in pairs], [pair.nl for pair in pairs])


def mine(
    needs: list[Asked], teacher: Teacher
) -> tuple[dict[str, list[str]], dict[str, list[tuple[str, str]]]]:
    """By team: the two passages that best answer its need, and other teams' passages that nearly do.

    Ranked by the teacher over the passages of the teams of these needs (the train part), in English.
    """
    teams = sorted({need.key for need in needs})
    passages = [(team, text) for team in teams for text in sources.team_passages()[team]]
    scores = teacher([need.en for need in needs]) @ teacher([text for _, text in passages]).T
    best: dict[str, list[str]] = {}
    hard: dict[str, list[tuple[str, str]]] = {}
    for need, row in zip(needs, scores, strict=True):
        ranked = [passages[i] for i in row.argsort(descending=True).tolist()]
        best[need.key] = [text for team, text in ranked if team == need.key][:2]
        hard[need.key] = [pair for pair in ranked if pair[0] != need.key][HARD[0] : HARD[1]]
    return best, hard
