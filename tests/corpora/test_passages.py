"""Passages: the source text between their offsets, of about 60 to 120 words, sentences whole."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.connectors.collection import read_collection
from corpora.model import Document, Organisation, Passage, Profile, ProfileKind
from corpora.passages import LONG_SENTENCE_WORDS, MAX_WORDS, MIN_WORDS, split_profile


def profile(description: str = "", *documents: Document, language: str = "en") -> Profile:
    return Profile(
        "p", ProfileKind.RESEARCH_GROUP, "Group", Organisation("o", "O"), language, description, documents
    )


def document(text: str, title: str = "A title of it", language: str = "en") -> Document:
    return Document("d", "p", "publication", title, text, language)


def sentence(words: int, number: int = 0) -> str:
    return " ".join([f"Sentence{number}", *(f"word{at}" for at in range(words - 1))]) + "."


def sizes(passages: list[Passage]) -> list[int]:
    return [len(passage.text.split()) for passage in passages]


def check(passages: list[Passage], sources: dict[str, str]) -> None:
    """What holds of all passages, whatever the text."""
    for passage in passages:
        source = sources[passage.field]
        assert source[passage.start : passage.end] == passage.text == passage.text.strip()
        assert len(passage.text) <= 2 * MAX_WORDS * 10
        assert len(passage.text.split()) <= MAX_WORDS
        assert passage.sentences[0][0] == passage.start
        assert passage.sentences[-1][1] == passage.end
        position = passage.start
        for start, end in passage.sentences:
            assert position <= start < end <= passage.end
            assert source[position:start].strip() == ""
            position = end
    assert len({passage.id for passage in passages}) == len(passages)


def test_a_short_description_is_one_passage() -> None:
    (passage,) = split_profile(profile("  We weld thin sheets. We measure them too.\n"))
    assert passage == Passage(
        id="p#description:2-43", profile_id="p", document_id=None, field="description", start=2, end=43,
        text="We weld thin sheets. We measure them too.", language="en", sentences=((2, 22), (23, 43)),
    )  # fmt: skip


def test_a_document_is_split_by_its_text_and_not_its_title() -> None:
    (passage,) = split_profile(profile("", document("We weld thin sheets.")))
    assert (passage.id, passage.document_id, passage.field) == ("d#text:0-20", "d", "text")


def test_a_document_without_text_is_found_by_its_title() -> None:
    for empty in ("", "  \n", "--- ..."):
        (passage,) = split_profile(profile("", document(empty, "On welding thin sheets")))
        assert (passage.id, passage.field, passage.text) == (
            "d#title:0-22",
            "title",
            "On welding thin sheets",
        )


@pytest.mark.parametrize("text", ["", " \n\t\u00a0", "-- *** --", "\U0001f600 \U0001f600"])
def test_text_without_words_gives_none(text: str) -> None:
    assert split_profile(profile(text, document(text, text))) == []


def test_passages_come_in_the_order_of_the_profile() -> None:
    fields = [
        passage.field for passage in split_profile(profile("A b.", document("C d."), document("", "E f.")))
    ]
    assert fields == ["description", "text", "title"]


def test_sentences_are_packed_up_to_the_limit() -> None:
    text = " ".join(sentence(20, number) for number in range(18))
    assert sizes(split_profile(profile(text))) == [120, 120, 120]


def test_a_tiny_tail_is_evened_out() -> None:
    text = " ".join(sentence(20, number) for number in range(7))
    assert sizes(split_profile(profile(text))) == [60, 80]


def test_a_tail_of_sane_size_stays() -> None:
    text = " ".join(sentence(20, number) for number in range(9))
    assert sizes(split_profile(profile(text))) == [120, 60]


def test_a_paragraph_ends_a_passage_that_is_long_enough() -> None:
    text = sentence(70, 1) + "\n\n" + sentence(40, 2) + "\n\n" + sentence(40, 3)
    assert sizes(split_profile(profile(text))) == [70, 80]


def test_a_very_long_sentence_is_cut_at_a_clause() -> None:
    clause = " ".join(f"word{at}" for at in range(49))
    text = f"Begin {clause}, then {clause}, then {clause}, then {clause}."
    passages = split_profile(profile(text))
    check(passages, {"description": text})
    spans = [span for passage in passages for span in passage.sentences]
    assert all(len(text[start:end].split()) <= LONG_SENTENCE_WORDS for start, end in spans)
    assert [text[end - 1] for _, end in spans] == [",", ",", ",", "."]


def test_a_very_long_sentence_without_clauses_is_cut_at_a_space() -> None:
    text = " ".join(f"word{at}" for at in range(500))
    passages = split_profile(profile(text))
    check(passages, {"description": text})
    assert " ".join(passage.text for passage in passages) == text
    assert min(sizes(passages)) >= 20


def test_the_language_of_a_passage_is_its_own() -> None:
    english = "The group studies how thin sheets of metal bend when they are heated by a beam of light. "
    dutch = "De groep onderzoekt hoe dunne platen van metaal buigen wanneer ze door een lichtbundel worden verhit. "
    text = english * 6 + "\n\n" + dutch * 6
    passages = split_profile(profile(text, language="nl"))
    assert [passage.language for passage in passages] == ["en", "nl"]


def test_a_passage_that_tells_nothing_has_the_language_of_its_document() -> None:
    (passage,) = split_profile(profile("", document("", "CO2 laser", "nl")))
    assert passage.language == "nl"


TEXT = st.one_of(
    st.text(max_size=3_000),
    st.lists(st.integers(1, 200), max_size=12).map(lambda words: " ".join(map(sentence, words))),
    st.lists(st.sampled_from(["Word", "word,", "word.", "\n\n", "; ", "x" * 300, "3.1", "[2]", "é", "\U0001f600"]), max_size=300).map(" ".join),
)  # fmt: skip


@given(TEXT, TEXT)
def test_every_passage_is_the_source_between_its_offsets(text: str, title: str) -> None:
    passages = split_profile(profile(text, document(text, title)))
    check([item for item in passages if item.document_id is None], {"description": text})
    check([item for item in passages if item.document_id == "d"], {"text": text, "title": title})


@given(TEXT)
def test_no_word_is_lost_or_told_twice(text: str) -> None:
    passages = split_profile(profile(text))
    kept = "".join(passage.text for passage in passages)
    assert [char for char in kept if char.isalnum()] == [char for char in text if char.isalnum()]


@given(st.lists(st.integers(3, 60), min_size=1, max_size=40))
def test_only_texts_that_are_short_themselves_make_short_passages(words: list[int]) -> None:
    passages = split_profile(profile(" ".join(sentence(size, at) for at, size in enumerate(words))))
    # Sentences of at most 60 words can always be packed so that two neighbours make more than one passage.
    assert all(
        left + right > MAX_WORDS for left, right in zip(sizes(passages), sizes(passages)[1:], strict=False)
    )
    assert len(passages) <= 1 + sum(words) // MIN_WORDS


@pytest.mark.parametrize(
    "junk", ["x" * 1_000_000, "ab, " * 250_000, "a\n\n" * 333_333, ("y" * 1_199 + " ") * 833]
)
def test_a_megabyte_of_junk_takes_seconds(junk: str) -> None:
    started = time.process_time()
    passages = split_profile(profile(junk))
    assert time.process_time() - started < 30
    check(passages, {"description": junk})


def test_real_teams_give_passages_of_the_wanted_size(evaluation_data: Path) -> None:
    found = [
        item for item in read_collection(evaluation_data / "ref-teams-dev") if isinstance(item, Profile)
    ][:60]
    for item in found:
        by_document = {entry.id: {"text": entry.text, "title": entry.title} for entry in item.documents}
        for name, sources in by_document.items():
            check([passage for passage in split_profile(item) if passage.document_id == name], sources)
    texts = [passage for item in found for passage in split_profile(item) if passage.field == "text"]
    within = [MIN_WORDS <= size <= MAX_WORDS for size in sizes(texts)]
    assert sum(within) / len(within) > 0.9
