"""From a need to explained pairings, on a small corpus with an encoder that counts words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from corpora.model import Document, Organisation, Profile, ProfileKind
from embeddings.cache import CachedEncoder, VectorCache
from matcher.answerable import SIGNS
from matcher.generations import Generation
from matcher.indexing import build_index
from matcher.model import Filters, Match, NeedError
from matcher.pipeline import STAGES, Pipeline, by_institute
from matcher.ranker import load_fit
from tests.fakes import BucketEncoder
from tests.matcher.conftest import store

NORTH = Organisation("north", "North University")
SOUTH = Organisation("south", "South Institute")
SUBJECTS = {
    "welding": (
        "en",
        NORTH,
        "Welding of thin aluminium plates. Laser welding keeps distortion of the plates small.",
    ),
    "optics": ("en", SOUTH, "Waveguides of silicon nitride guide light. Losses in the waveguides are small."),
    "lassen": (
        "nl",
        SOUTH,
        "Het lassen van dun aluminium. Bij laserlassen blijft de vervorming van de plaat klein.",
    ),
    "water": ("nl", NORTH, "Membranen zuiveren water. De membranen vervuilen door kalk."),
    "robots": ("en", NORTH, "Soft grippers handle fruit. A robot learns to grip from examples."),
}


def profile(name: str, kind: ProfileKind = ProfileKind.RESEARCH_GROUP) -> Profile:
    language, organisation, text = SUBJECTS[name.split("-")[0]]
    document = Document(f"{name}-d1", name, "publication", f"About {name}", text, language)
    return Profile(
        name,
        kind,
        f"Group {name}",
        organisation,
        language,
        "",
        (document,),
        ("photonics",) if name == "optics" else (),
    )


@pytest.fixture
def generation(engine: Engine, data: Path) -> Iterator[Generation]:
    store(engine, [*map(profile, SUBJECTS), profile("welding-hall", ProfileKind.FACILITY)])
    with VectorCache(data / "vectors.sqlite") as cache:
        build_index(engine, data, CachedEncoder(BucketEncoder(dim=512), cache))
    opened = Generation.open_current(data)
    yield opened
    opened.close()


FIT = replace(load_fit("general", len(SIGNS)), unmet_threshold=1.0)
"""Weights that ship, but a threshold of its own: the shipped one is fitted to larger corpora than six profiles."""


@pytest.fixture
def pipeline(generation: Generation) -> Pipeline:
    return Pipeline(generation, BucketEncoder(dim=512), fit=FIT)


NEED = "We want welding of aluminium plates without distortion. Waveguides of silicon nitride guide light."


def test_the_group_that_says_it_comes_first_and_says_why(pipeline: Pipeline) -> None:
    answer = pipeline.match("laser welding of thin aluminium plates")
    best = answer.matches[0]
    assert best.profile.id == "welding"
    assert best.rank == 1
    assert "elding" in best.evidence[0].quote
    assert best.evidence[0].document_id == "welding-d1"
    assert [match.score for match in answer.matches] == sorted(
        (m.score for m in answer.matches), reverse=True
    )


def test_quotes_equal_the_source_at_their_offsets(pipeline: Pipeline, generation: Generation) -> None:
    answer = pipeline.match(NEED)
    quotes = [quote for match in answer.matches for quote in match.evidence]
    assert quotes
    for quote in quotes:
        assert quote.document_id is not None
        assert generation.document(quote.document_id).text[quote.quote_start : quote.quote_end] == quote.quote
        assert NEED[quote.aspect_start : quote.aspect_end] == quote.aspect


def test_each_requirement_is_met_by_its_own_group_and_unmet_elsewhere(pipeline: Pipeline) -> None:
    matches = {match.profile.id: match for match in pipeline.match(NEED).matches}
    assert any("Waveguides" in aspect.text for aspect in matches["welding"].unmet)
    assert not any("Waveguides" in aspect.text for aspect in matches["optics"].unmet)


def test_research_groups_are_ranked_and_other_kinds_stand_apart(pipeline: Pipeline) -> None:
    answer = pipeline.match("welding of aluminium plates")
    assert {match.profile.kind for match in answer.matches} == {ProfileKind.RESEARCH_GROUP}
    assert [(kind, [m.profile.id for m in found]) for kind, found in answer.others] == [
        (ProfileKind.FACILITY, ["welding-hall"])
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(kinds=(ProfileKind.FACILITY,)), {"welding-hall"}),
        (Filters(organisations=("south",)), {"optics", "lassen"}),
        (Filters(languages=("nl",)), {"lassen", "water"}),
        (Filters(roadmaps=("photonics",)), {"optics"}),
        (Filters(regions=("nowhere",)), set()),
        (Filters(organisations=("south",), languages=("en",)), {"optics"}),
    ],
)
def test_filters(pipeline: Pipeline, filters: Filters, expected: set[str]) -> None:
    text = "lassen aluminium welding plates membranen water waveguides light"
    assert {match.profile.id for match in pipeline.match(text, filters=filters).matches} == expected


def test_institutes_roll_up_in_the_order_of_their_best_group(pipeline: Pipeline) -> None:
    answer = pipeline.match("laser welding of thin aluminium plates")
    assert answer.institutes == by_institute(answer.matches)
    assert next(institute.id for institute in answer.institutes) == "north"
    assert sum(len(institute.matches) for institute in answer.institutes) == len(answer.matches)
    for institute in answer.institutes:
        assert institute.score == institute.matches[0].score


def test_who_may_not_be_shown_is_not(generation: Generation) -> None:
    hidden = Pipeline(generation, BucketEncoder(dim=512), excluded=lambda: frozenset({"welding"}))
    assert "welding" not in {
        m.profile.id for m in hidden.match("laser welding of thin aluminium plates").matches
    }


def test_the_limit_holds(pipeline: Pipeline) -> None:
    assert len(pipeline.match(NEED, limit=2).matches) == 2


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_can_be_left_out(generation: Generation, stage: str) -> None:
    found = Pipeline(generation, BucketEncoder(dim=512), without=[stage])
    assert found.match("laser welding of thin aluminium plates").matches[0].profile.id == "welding"


def test_an_unknown_stage_is_refused(generation: Generation) -> None:
    with pytest.raises(ValueError, match=r"expected stages of dense, lexical, .* found magic"):
        Pipeline(generation, BucketEncoder(dim=512), without=["magic"])


def test_similarities_are_those_of_a_plain_computation(pipeline: Pipeline, generation: Generation) -> None:
    query = pipeline.analyse("laser welding of thin aluminium plates")
    vectors = pipeline.encode(query)
    scores = pipeline.similarities(frozenset(generation.profile_rows), vectors)
    own = [
        [
            float(vectors[0] @ generation.passage_matrix[list(generation.rows).index(row)])
            for row in generation.profile_rows[name]
        ]
        for name in scores.profile_ids
    ]
    temperature = 0.5 * np.std([value for values in own for value in values])
    soft = [temperature * np.log(np.mean(np.exp(np.array(values) / temperature))) for values in own]
    theme = [np.mean(values) for values in own]
    np.testing.assert_allclose(scores.raw, soft, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scores.whole, (soft - np.mean(soft)) / np.std(soft), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(scores.theme, (theme - np.mean(theme)) / np.std(theme), rtol=1e-3, atol=1e-3)


def test_the_same_need_gets_the_same_answer(pipeline: Pipeline) -> None:
    first, second = pipeline.match(NEED), pipeline.match(NEED)
    assert first.matches == second.matches


def test_what_is_no_need_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(NeedError):
        pipeline.match("  ")


def test_a_match_without_evidence_cannot_be_made(pipeline: Pipeline) -> None:
    match = pipeline.match(NEED).matches[0]
    with pytest.raises(ValueError, match="a match needs evidence"):
        Match(match.profile, 1, 1.0, 0.5, (), ())
