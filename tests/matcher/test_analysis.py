"""What a need is taken to say: language, requirements, roadmap tags, and what is no need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.analysis import MAX_ASPECTS, MAX_NEED_CHARS, analyse, aspects, in_context
from matcher.model import NeedError

ALUMINIUM_NL = "Wie kan ons helpen om dunwandig aluminium te lassen zonder vervorming?"
ALUMINIUM_EN = "Who can help us to weld thin-walled aluminium without distortion?"


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        (ALUMINIUM_NL, "nl", ["dunwandig aluminium te lassen", "zonder vervorming"]),
        (ALUMINIUM_EN, "en", ["weld thin-walled aluminium", "without distortion"]),
        ("sensor", "en", ["sensor"]),
        (
            "Our line vibrates above 300 strokes a minute. We want to measure wear in the gearbox.",
            "en",
            ["Our line vibrates above 300 strokes a minute", "We want to measure wear in the gearbox"],
        ),
        (
            "Onze membranen vervuilen na twee weken en de doorstroom halveert, maar spoelen met loog tast ze aan.",
            "nl",
            [
                "Onze membranen vervuilen na twee weken en de doorstroom halveert",
                "maar spoelen met loog tast ze aan",
            ],
        ),
    ],
)
def test_requirements(text: str, language: str, expected: list[str]) -> None:
    assert [aspect.text for aspect in aspects(text, language)] == expected


def test_language_is_detected_and_may_be_given() -> None:
    assert analyse(ALUMINIUM_NL).language == "nl"
    assert analyse(ALUMINIUM_EN).language == "en"
    assert analyse(ALUMINIUM_EN, "nl").language == "nl"


def test_a_third_language_is_answered_but_said() -> None:
    query = analyse("Wer kann uns helfen, dünnwandiges Aluminium ohne Verzug zu schweißen?")
    assert query.language == "de"
    assert not query.supported


@pytest.mark.parametrize(
    "text", ["We need integrated photonics on silicon nitride", "Wij zoeken geïntegreerde fotonica"]
)
def test_roadmaps_are_tagged_in_both_languages(text: str) -> None:
    assert "photonics" in analyse(text).roadmaps


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("x", "too_short"),
        ("🙂🙃🙂", "no_words"),
        ("12345 67890", "no_words"),
        ("\x00\x01\x02\x03\x04abc\x05\x06", "no_words"),
        ("lassen " * 10_000, "too_long"),
    ],
)
def test_what_is_no_need(text: str, code: str) -> None:
    with pytest.raises(NeedError, match="expected") as caught:
        analyse(text)
    assert caught.value.code == code


def test_too_long_says_the_limit() -> None:
    with pytest.raises(NeedError, match=f"at most {MAX_NEED_CHARS} characters, found 50000"):
        analyse("x" * 50_000)


def test_html_is_text() -> None:
    query = analyse("<b>Wij zoeken</b> hulp bij het <script>lassen</script> van aluminium")
    assert all(query.text[aspect.start : aspect.end] == aspect.text for aspect in query.aspects)


def test_one_nul_among_words_is_still_a_need() -> None:
    assert analyse("Wij zoeken hulp bij het lassen\x00 van dun aluminium").language == "nl"


@given(st.text(min_size=1, max_size=400), st.sampled_from(["nl", "en"]))
def test_requirements_are_spans_in_order(text: str, language: str) -> None:
    found = aspects(text, language)
    assert 1 <= len(found) <= MAX_ASPECTS
    last = 0
    for aspect in found:
        assert text[aspect.start : aspect.end] == aspect.text
        assert aspect.start >= last
        last = aspect.end


def test_a_short_requirement_is_read_with_what_it_limits() -> None:
    assert in_context(analyse(ALUMINIUM_NL)) == [
        "dunwandig aluminium te lassen",
        "dunwandig aluminium te lassen zonder vervorming",
    ]
