"""Words for the lexical arm."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matcher.words import MAX_WORD_CHARS, analyse, fold


def test_inflected_forms_meet() -> None:
    assert analyse("trillingen", "nl") == analyse("trilling", "nl")
    assert analyse("alloys", "en") == analyse("alloy", "en")
    assert analyse("welded", "en") == analyse("welding", "en")


def test_a_compound_meets_its_parts_and_stays_whole() -> None:
    words = analyse("trillingsdemping", "nl")
    assert words[0] == "trillingsdemping"
    assert set(analyse("demping van trillingen", "nl")) <= set(words)


def test_a_derivation_is_not_opened() -> None:
    assert analyse("vervorming", "nl") == ["vervorming"]


def test_hyphens_are_taken_joined_and_apart() -> None:
    assert {"thinwalled", "thin", "wall"} <= set(analyse("thin-walled", "en"))


def test_diacritics_and_case_are_folded() -> None:
    assert fold("Geïntegreerde") == "geintegreerde"
    assert analyse("CAFÉ", "en") == analyse("cafe", "en")


def test_ways_of_asking_are_no_words() -> None:
    assert analyse("Wie kan ons helpen om te", "nl") == []
    assert analyse("We are looking for someone who can help", "en") == []


def test_an_unknown_language_is_still_folded() -> None:
    assert "schweissen" in analyse("Schweißen", "de")


@given(st.text(max_size=300), st.sampled_from(["nl", "en", "fr"]))
def test_any_text_gives_plain_short_words(text: str, language: str) -> None:
    for word in analyse(text, language):
        assert word
        assert " " not in word
        assert len(word) <= 4 * MAX_WORD_CHARS


def test_a_very_long_word_costs_no_time() -> None:
    assert len(analyse("a" * 200_000, "nl")) <= 2
