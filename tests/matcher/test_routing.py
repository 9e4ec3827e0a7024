"""Which kind of help a need asks for, what in the text says so, and that any text gets an answer."""

from __future__ import annotations

import json
import random
import string
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.model import ProfileKind
from embeddings.encoders import DEFAULT_ENCODER, Encoder, open_encoder
from matcher.routing import (
    MAX_BECAUSE,
    Meaning,
    load_cues,
    load_vector_models,
    load_weights,
    phrase_pattern,
    routes,
)

NEEDS = Path(__file__).with_name("routing.jsonl")
KIND_OF = {
    "research": ProfileKind.RESEARCH_GROUP,
    "student": ProfileKind.PROGRAMME,
    "facility": ProfileKind.FACILITY,
    "money": ProfileKind.INSTRUMENT,
    "startup": ProfileKind.SUPPORT,
}
NAMED = [
    ("nl", ProfileKind.RESEARCH_GROUP, "Waarom laat de coating los en welk mechanisme zit daarachter?"),
    ("en", ProfileKind.RESEARCH_GROUP, "Why does the coating come off, and what is the mechanism behind it?"),
    ("nl", ProfileKind.PROGRAMME, "Wij zoeken een stagiair werktuigbouwkunde voor een half jaar."),
    ("en", ProfileKind.PROGRAMME, "We are looking for an intern in mechanical engineering for half a year."),
    ("nl", ProfileKind.FACILITY, "Waar kunnen we een dag een klimaatkamer huren om een kast te testen?"),
    ("en", ProfileKind.FACILITY, "Where can we rent a climate chamber for a day to test a cabinet?"),
    ("nl", ProfileKind.INSTRUMENT, "Welke subsidie of lening is er voor ons prototype van 50.000 euro?"),
    ("en", ProfileKind.INSTRUMENT, "Which grant or loan is there for our 50,000 euro prototype?"),
    ("nl", ProfileKind.SUPPORT, "Ik wil met mijn uitvinding een bedrijf beginnen en zoek een coach."),
    ("en", ProfileKind.SUPPORT, "I want to start a company with my invention and look for a coach."),
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_encoder(DEFAULT_ENCODER)


def meaning(encoder: Encoder, text: str) -> Meaning:
    return Meaning(encoder.encode_queries([text])[0], encoder.name)


def test_needs_written_for_the_test_go_the_right_way(encoder: Encoder) -> None:
    needs = [json.loads(line) for line in NEEDS.read_text(encoding="utf-8").splitlines() if line.strip()]
    wrong = []
    for need in needs:
        first = routes(need["text"], need["language"], meaning(encoder, need["text"]))[0]
        if first.kind not in {KIND_OF[name] for name in need["routes"]}:
            wrong.append((need["id"], first.kind.value))
    assert 1 - len(wrong) / len(needs) >= 0.85, wrong


@pytest.mark.parametrize(("language", "kind", "text"), NAMED)
def test_a_named_kind_is_found_by_words_alone_and_with_the_vector(
    encoder: Encoder, language: str, kind: ProfileKind, text: str
) -> None:
    assert routes(text, language)[0].kind == kind
    assert routes(text, language, meaning(encoder, text))[0].kind == kind


@pytest.mark.parametrize(
    ("language", "text", "reason"),
    [
        ("nl", "Wij zoeken een stagiair voor de tekenkamer.", "stagiair"),
        ("en", "Is there a voucher for this?", "voucher"),
        ("nl", "Mogen wij uw klimaatkamer gebruiken?", "klimaatkamer"),
        ("en", "Two founders want to spin it out and look for a mentor.", "mentor"),
    ],
)
def test_the_reason_is_marked_in_the_text(language: str, text: str, reason: str) -> None:
    first = routes(text, language)[0]
    assert reason in [text[span.start : span.end] for span in first.because]


@pytest.mark.parametrize("language", ["nl", "en", "de"])
@pytest.mark.parametrize("text", ["", " \n", "xyzzy", "\x00", "🙂", "dunwandig aluminium", "مرحبا"])
def test_research_is_the_default(text: str, language: str) -> None:
    assert routes(text, language)[0].kind == ProfileKind.RESEARCH_GROUP


def test_a_third_language_is_read_with_the_phrases_of_both() -> None:
    assert routes("Wir suchen einen Inkubator, incubator, mentor", "de")[0].kind == ProfileKind.SUPPORT


@given(st.text(max_size=300), st.sampled_from(["nl", "en", "de", ""]))
def test_any_text_is_routed(text: str, language: str) -> None:
    found = routes(text, language)
    assert [route.kind for route in found] != []
    assert {route.kind for route in found} == set(ProfileKind)
    assert sum(route.chance for route in found) == pytest.approx(1.0)
    assert [route.chance for route in found] == sorted((route.chance for route in found), reverse=True)
    for route in found:
        assert len(route.because) <= MAX_BECAUSE
        last = 0
        for span in route.because:
            assert last <= span.start < span.end <= len(text)
            last = span.end


@pytest.mark.parametrize(
    "text",
    [
        "Wij zoeken een stagiair\x00 voor een subsidie",
        "\u202eWij zoeken een stagiair\u202c",
        "ﷺ שלום 100 €",
        "a\u0301" * 500,
        "\ud800",
        "<script>student</script>",
    ],
)
def test_odd_text_is_routed(text: str) -> None:
    for language in ("nl", "en"):
        assert sum(route.chance for route in routes(text, language)) == pytest.approx(1.0)


def test_an_encoder_that_nothing_was_learned_for_is_left_aside() -> None:
    text = "Where can we rent a climate chamber?"
    other = Meaning(np.ones(3, dtype=np.float32), "some-other-model")
    assert routes(text, "en", other) == routes(text, "en")


def random_words() -> str:
    chance = random.Random(0)
    words = ("".join(chance.choices(string.ascii_lowercase, k=chance.randint(2, 14))) for _ in range(4_000))
    return " ".join(words)[:20_000]


@pytest.mark.parametrize("language", ["nl", "en", "de"])
@pytest.mark.parametrize(
    "text",
    [
        random_words(),
        ("Waarom kost de meting met onze klimaatkamer een dag, and who pays for it? " * 300)[:20_000],
        "x" * 20_000,
        " " * 20_000,
        "waar " * 4_000,
        "-" * 20_000,
    ],
    ids=["random", "phrases", "one word", "spaces", "gaps", "dashes"],
)
def test_a_long_text_is_fast(text: str, language: str) -> None:
    routes("warm", language)
    start = time.process_time()
    routes(text, language)
    assert time.process_time() - start < 0.5


def test_phrases_are_whole_words_with_gaps_and_open_ends() -> None:
    pattern = phrase_pattern(["voucher*", "*kamer", "waar komt .. vandaan"])
    found = [
        hit.group()
        for hit in pattern.finditer("Vouchers, klimaatkamer; waar komt die ruis vandaan? kamertje")
    ]
    assert found == ["Vouchers", "klimaatkamer", "waar komt die ruis vandaan"]


def test_every_phrase_group_has_both_languages_and_a_weight() -> None:
    assert load_cues("nl").keys() == load_cues("en").keys()
    assert {f"cue {group}" for group in load_cues("nl")} <= load_weights().keys()


def test_weights_of_the_shipped_encoder_fit_it(encoder: Encoder) -> None:
    assert load_vector_models()[encoder.name].weights.shape == (encoder.dim, len(ProfileKind))


def test_serving_needs_no_scikit_learn() -> None:
    code = "import sys, matcher.routing as r; r.routes('x y', 'en'); sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
