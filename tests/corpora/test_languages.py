"""Which language a text is in; a short text keeps the one that is expected of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.languages import LANGUAGES, detect

LONG = {
    "nl": "Wij zoeken een partij die ons kan helpen om dunwandig aluminium te lassen zonder dat het vervormt.",
    "en": "We are looking for someone who can help us weld thin-walled aluminium without any distortion.",
    "de": "Wir suchen einen Partner, der uns beim verzugsfreien Schweißen von dünnwandigem Aluminium hilft.",
    "fr": "Nous cherchons un partenaire pour souder de l'aluminium à paroi mince sans aucune déformation.",
    "es": "Buscamos un socio que nos ayude a soldar aluminio de pared delgada sin que se deforme.",
    "it": "Cerchiamo un partner che ci aiuti a saldare alluminio a parete sottile senza deformazioni.",
}


@pytest.mark.parametrize("expected", ["nl", "en"])
@pytest.mark.parametrize("language", sorted(LONG))
def test_a_sentence_is_told_whatever_is_expected(language: str, expected: str) -> None:
    assert detect(LONG[language], expected) == language


def test_capitals_do_not_matter() -> None:
    assert detect(LONG["nl"].upper(), "en") == "nl"


@pytest.mark.parametrize(
    "text", ["", "   ", "laser", "CO2", "42 %", "\U0001f600", "CO2 sensor", "https://example.org/een/het"]
)
@pytest.mark.parametrize("expected", ["nl", "en", "de"])
def test_a_text_that_tells_nothing_keeps_what_is_expected(text: str, expected: str) -> None:
    assert detect(text, expected) == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Onze machine trilt", "nl"),
        ("Our machine vibrates", "en"),
        ("Hoe meet ik slijtage?", "nl"),
        ("How can wear be measured?", "en"),
        ("lassen zonder vervorming", "nl"),
        ("welding without distortion", "en"),
    ],
)
def test_a_few_words_are_told_by_their_small_words(text: str, language: str) -> None:
    other = "en" if language == "nl" else "nl"
    assert detect(text, other) == language


@given(st.text(max_size=300))
def test_any_text_has_a_language_of_the_list_or_the_expected(text: str) -> None:
    assert detect(text, "xx") in {*LANGUAGES, "xx"}
