"""Sentences: whole, in order, and not broken at abbreviations, numbers and references."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.sentences import sentence_spans


def sentences(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, language)]


@pytest.mark.parametrize("language", ["nl", "en", "de"])
@pytest.mark.parametrize(
    "whole",
    [
        "We use e.g. Lasers of 3.5 kW and i.e. Mirrors.",
        "We gebruiken bijv. Nd:YAG-lasers, d.w.z. Lasers van ca. 3 kW o.a. voor staal.",
        "As shown in Fig. 3 and Figs. 4 and 5, cf. Eq. 2, it fell.",
        "This was found by Smith et al. (2010) and by Jones et al. 2011 and al. in [3.1].",
        "The rate was 3.5 % at 1.000,50 euro, version 2.1.3, i.e. low.",
        "It follows from [3.1, 3.2] and [3. 4] that it holds.",
        "Dr. J. P. de Vries and prof. Jansen met ir. Bakker.",
        "Appl. Phys. Lett. 34 (2010) pp. 12-15, nr. 7, vol. 3.",
        "It needs approx. 30 min. at no. 7, max. 40 bar, min. 2 bar.",
        "Bijv. in afb. 3, blz. 7, m.b.v. de tabel t.o.v. 2019, evt. later.",
        "The address is https://example.org/a.b?c=d and www.example.org.",
        "Onderdelen zoals lagers, tandwielen, enz. worden gemeten.",
        "Hij vroeg: wat is dat? en ging door.",
    ],
)
def test_one_sentence_stays_one(whole: str, language: str) -> None:
    assert sentences(whole, language) == [whole]


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(
    "parts",
    [
        ["It fell.", "It rose."],
        ["Het werkt niet.", "Waarom?", "Niemand weet het!", "Toch gaat het door."],
        ["It costs 3.5 k€.", "That is much."],
        ["The U.K. is large.", "We work in the U.K. and in the U.S. too."],
        ["It was found.[3.1]", "The next came [3.2].", "So it ended."],
        ["We use lagers, tandwielen, enz.", "Daarna meten we."],
        ["This was found by Smith et al.", "The method works."],
        ["It has 12 blades.", "34 patients took part."],
        ['He said "stop."', "Then it stopped."],
        ["There is no.", "There is yes."],
        ["Ready?!", "(Not yet.)", "Now."],
    ],
)
def test_sentences_are_told_apart(parts: list[str], language: str) -> None:
    assert sentences(" ".join(parts), language) == parts


def test_a_missing_space_is_forgiven() -> None:
    assert sentences("The laser was cut.The beam was split.") == ["The laser was cut.", "The beam was split."]


def test_paragraphs_and_lists_end_sentences() -> None:
    text = "Heading\n\nA line\nthat goes on. Then:\n- first thing\n- second thing\n1. third\n"
    assert sentences(text) == [
        "Heading",
        "A line\nthat goes on.",
        "Then:",
        "- first thing",
        "- second thing",
        "1. third",
    ]


def test_numbers_of_a_list_go_with_what_follows() -> None:
    assert sentences("1. First we cut. 2. Then we weld.") == ["1. First we cut.", "2. Then we weld."]


def test_sentences_of_a_script_without_spaces() -> None:
    assert sentences("这是第一句。这是第二句。") == ["这是第一句。", "这是第二句。"]


@pytest.mark.parametrize("text", ["", " ", "\n\n\t \u00a0"])
def test_white_space_has_none(text: str) -> None:
    assert sentence_spans(text, "nl") == []


TEXT = st.one_of(
    st.text(max_size=400),
    st.text(alphabet="aB1 .!?,;[]()\n\"'-–…é", max_size=400),
    st.lists(st.sampled_from(["e.g.", "Fig.", "3.1", "[3]", "et al.", "Word", "word.", "\n\n", "? ", "U.K.", "•", "1."]), max_size=40).map(" ".join),
)  # fmt: skip


@given(TEXT, st.sampled_from(["nl", "en", "fi"]))
def test_spans_are_ordered_trimmed_and_leave_out_white_space_only(text: str, language: str) -> None:
    spans = sentence_spans(text, language)
    position = 0
    for start, end in spans:
        assert position <= start < end <= len(text)
        assert text[position:start].strip() == ""
        assert text[start:end] == text[start:end].strip()
        position = end
    assert text[position:].strip() == ""


@given(TEXT)
def test_the_same_text_gives_the_same_spans(text: str) -> None:
    assert sentence_spans(text, "nl") == sentence_spans(text, "nl")


JUNK = {
    "letters": "a" * 1_000_000,
    "brackets": "(" * 1_000_000,
    "words of brackets": ("(" * 59 + " ") * 16_667,
    "points": ". " * 500_000,
    "references": ".[1] " * 200_000,
    "line ends": "a\n" * 500_000,
    "spaces": "a" + " " * 1_000_000 + "b",
    "emoji": "\U0001f600\u200d" * 500_000,
    "mixed": "".join(random.Random(3).choices("abc (.)[]'\"!?-/:;12\n\u00e9", k=1_000_000)),
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK.keys())
def test_a_megabyte_of_junk_takes_seconds(junk: str) -> None:
    started = time.process_time()
    spans = sentence_spans(junk, "nl")
    assert time.process_time() - started < 30
    assert spans
