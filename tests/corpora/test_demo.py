"""The shipped demonstration corpus keeps its promises: size, spread, originality, honest judgements.

Everything is read here from the files themselves, without the collection reader, so that a fault there cannot
hide one here. Overlap of words has an implementation of its own too, instead of `matcher.words.analyse`: that
one keeps the best way to open a compound, which is right for searching, whereas "shares no word" must hold for
every way to open it; and a fault in the analyser must not make its own demonstration look good.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from simplemma import is_known, lemmatize
from spacy.lang.en.stop_words import STOP_WORDS as STOP_EN
from spacy.lang.nl.stop_words import STOP_WORDS as STOP_NL

DEMO = Path(__file__).parents[2] / "corpora" / "demo"
CORPUS_DATE = date(2026, 3, 31)
"""The day at which the corpus pretends to stand; its README says so."""

Json = dict[str, Any]

KINDS = {"research_group", "facility", "programme", "instrument", "support"}
DOCUMENT_KINDS = {"publication", "project", "patent", "equipment", "course", "news"}
ROADMAPS = {
    "advanced-instrumentation",
    "aeronautics",
    "automotive",
    "electronics",
    "embedded-systems",
    "healthcare",
    "high-tech-materials",
    "ict",
    "lighting",
    "nanotechnology",
    "photonics",
    "printing",
    "quantum",
    "security",
    "semiconductor-equipment",
    "smart-industry",
    "solar",
    "space",
}


def read_jsonl(name: str) -> list[Json]:
    return [json.loads(line) for line in (DEMO / name).read_text(encoding="utf-8").splitlines()]


PROFILES = read_jsonl("groups.jsonl")
NEEDS = read_jsonl("needs.jsonl")
DOCUMENTS = [document for profile in PROFILES for document in profile["documents"]]
GROUPS = [profile for profile in PROFILES if profile["kind"] == "research_group"]
BY_ID = {profile["id"]: profile for profile in PROFILES}
DISJOINT = [need for need in NEEDS if need.get("disjoint")]


def read_qrels() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (DEMO / "qrels.tsv").read_text(encoding="utf-8").splitlines():
        need, iteration, profile, grade = line.split("\t")
        assert iteration == "0", line
        assert profile not in found[need], f"judged twice: {line}"
        found[need][profile] = int(grade)
    return dict(found)


QRELS = read_qrels()


def prose() -> Iterator[tuple[str, str]]:
    """(where, text) of every description and every document."""
    for profile in PROFILES:
        yield f"{profile['id']} description", profile["description"]
        for document in profile["documents"]:
            yield document["id"], document["text"]


def everything() -> Iterator[tuple[str, str]]:
    """All prose, and names, titles and needs as well."""
    yield from prose()
    for profile in PROFILES:
        yield f"{profile['id']} name", f"{profile['name']}; {profile['organisation']}"
    for document in DOCUMENTS:
        yield f"{document['id']} title", document["title"]
    for need in NEEDS:
        yield need["id"], need["text"]


class TestSize:
    def test_profiles_institutes_and_groups(self) -> None:
        assert len(PROFILES) >= 60
        assert len({profile["organisation"] for profile in PROFILES}) >= 12
        assert len(GROUPS) >= 40
        assert {profile["kind"] for profile in PROFILES} == KINDS

    def test_half_of_the_profiles_in_each_language(self) -> None:
        count = Counter(profile["language"] for profile in PROFILES)
        assert set(count) == {"nl", "en"}
        assert 0.45 <= count["nl"] / len(PROFILES) <= 0.55

    def test_half_of_the_documents_in_each_language(self) -> None:
        count = Counter(document["language"] for document in DOCUMENTS)
        assert set(count) == {"nl", "en"}
        assert 0.45 <= count["nl"] / len(DOCUMENTS) <= 0.55

    def test_a_research_group_in_every_roadmap(self) -> None:
        assert {roadmap for group in GROUPS for roadmap in group["roadmaps"]} == ROADMAPS

    @pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile["id"])
    def test_documents_and_their_length(self, profile: Json) -> None:
        assert 6 <= len(profile["documents"]) <= 12
        assert 40 <= len(profile["description"].split()) <= 75
        lengths = {item["id"]: len(item["text"].split()) for item in profile["documents"]}
        assert not {key: length for key, length in lengths.items() if not 80 <= length <= 150}


class TestShape:
    def test_profiles_are_in_order_with_unique_ids_and_names(self) -> None:
        ids = [profile["id"] for profile in PROFILES]
        assert ids == sorted(set(ids))
        assert len({profile["name"] for profile in PROFILES}) == len(PROFILES)
        for profile in PROFILES:
            assert profile["region"] == "Salverland"
            assert set(profile["roadmaps"]) <= ROADMAPS

    def test_documents_have_unique_ids_and_titles_and_known_kinds(self) -> None:
        assert len({document["id"] for document in DOCUMENTS}) == len(DOCUMENTS)
        assert len({document["title"].casefold() for document in DOCUMENTS}) == len(DOCUMENTS)
        assert {document["kind"] for document in DOCUMENTS} == DOCUMENT_KINDS
        fields = {"id", "kind", "title", "text", "language", "date", "url"}
        assert all(set(document) == fields for document in DOCUMENTS)

    def test_dates_are_real_and_not_after_the_day_of_the_corpus(self) -> None:
        days = [date.fromisoformat(document["date"]) for document in DOCUMENTS]
        assert date(2017, 1, 1) <= min(days)
        assert max(days) <= CORPUS_DATE

    def test_there_are_no_urls(self) -> None:
        assert all(document["url"] is None for document in DOCUMENTS)
        assert not [where for where, text in everything() if re.search(r"https?:|www\.", text)]

    def test_texts_are_tidy(self) -> None:
        untidy = re.compile(r"\s\s|^\s|\s$|\s[.,;:!?](?:\s|$)|[�\x00-\x1f]|\.\.(?!\.)")
        assert not [(where, text) for where, text in everything() if untidy.search(text)]
        for _, text in everything():
            assert unicodedata.is_normalized("NFC", text)


class TestNobodyIsNamed:
    @pytest.mark.parametrize(
        ("what", "pattern"),
        [
            ("e-mail address", r"[\w.+-]+@[\w-]+\.\w+"),
            ("telephone number", r"(?<![\d.,])(?:\+\d{2,3}[ -]?|0)\d{1,3}[ -]\d{3}[ -]?\d{2}[ -]?\d{2}\b"),
            ("telephone number", r"(?<![\d.,])(?:\+\d{2}|0)\d{8,9}\b"),
            (
                "title with a surname",
                r"(?<!\d )\b(?:[Dd]r|[Dd]rs|[Ii]r|[Ii]ng|[Pp]rof|[Mm]r|[Mm]rs|[Mm]s|[Dd]hr|[Mm]w|[Mm]evr|[Dd]ipl\.?-[Ii]ng)"
                r"\.?\s+(?:[Vv]an\s+|[Dd]en?\s+|[Dd]er\s+)*[A-Z][\w'’-]+",
            ),
            (
                "form of address with a surname",
                r"\b(?:[Pp]rofessor|[Dd]octor|[Dd]e [Hh]eer|[Mm]eneer|[Mm]evrouw)\s+(?:[Vv]an\s+|[Dd]en?\s+|[Dd]er\s+)*"
                r"[A-Z][\w'’-]+",
            ),
            (
                "initials with a surname",
                r"(?<![\d°] )(?<![°/])(?<!\ben )\b(?:[A-Z]\.\s?){1,3}(?:van\s+|den?\s+|der\s+)*[A-Z][a-z]+",
            ),
        ],
    )
    def test_no_trace_of_a_person(self, what: str, pattern: str) -> None:
        found = [(where, hit.group()) for where, text in everything() for hit in re.finditer(pattern, text)]
        assert not found, what

    def test_profiles_carry_no_members(self) -> None:
        assert not [profile["id"] for profile in PROFILES if profile.get("members")]


class TestNothingIsSaidTwice:
    def test_no_sentence_twice(self) -> None:
        where: dict[str, list[str]] = defaultdict(list)
        for place, text in prose():
            for sentence in re.split(r"(?<=[.!?])\s+", text):
                where[" ".join(re.findall(r"\w+", sentence.casefold()))].append(place)
        assert not {sentence: places for sentence, places in where.items() if len(places) > 1}

    def test_no_twelve_words_in_a_row_twice(self) -> None:
        where: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for place, text in prose():
            words = re.findall(r"\w+", text.casefold())
            for start in range(len(words) - 11):
                where[tuple(words[start : start + 12])].append(place)
        assert not {shingle: places for shingle, places in where.items() if len(places) > 1}

    @pytest.mark.parametrize("language", ["nl", "en"])
    def test_texts_open_in_many_ways(self, language: str) -> None:
        texts = [document["text"] for document in DOCUMENTS if document["language"] == language]
        openings = Counter(tuple(text.casefold().split()[:3]) for text in texts)
        assert openings.most_common(1)[0][1] <= 3

    @pytest.mark.parametrize("language", ["nl", "en"])
    def test_texts_close_in_many_ways(self, language: str) -> None:
        texts = [document["text"] for document in DOCUMENTS if document["language"] == language]
        last = [re.split(r"(?<=[.!?])\s+", text)[-1] for text in texts]
        closings = Counter(tuple(sentence.casefold().split()[:3]) for sentence in last)
        assert closings.most_common(1)[0][1] <= 3


class TestNeeds:
    def test_forty_in_each_language_half_of_them_disjoint(self) -> None:
        assert Counter(need["language"] for need in NEEDS) == {"nl": 40, "en": 40}
        assert Counter(need["language"] for need in DISJOINT) == {"nl": 20, "en": 20}

    def test_ids_say_the_number_and_the_language(self) -> None:
        languages = [need["language"] for need in NEEDS]
        assert [need["id"] for need in NEEDS] == [
            f"d{n:02}-{lang}" for n, lang in enumerate(languages, start=1)
        ]

    def test_texts_are_unique_and_of_a_length_that_people_type(self) -> None:
        assert len({need["text"] for need in NEEDS}) == len(NEEDS)
        assert not [need["id"] for need in NEEDS if not 8 <= len(need["text"].split()) <= 60]

    def test_styles(self) -> None:
        assert {need["style"] for need in NEEDS} == {"full", "terse", "question", "context"}


class TestJudgements:
    def test_they_name_known_needs_and_profiles(self) -> None:
        assert set(QRELS) == {need["id"] for need in NEEDS}
        assert {profile for grades in QRELS.values() for profile in grades} <= set(BY_ID)

    def test_each_need_has_one_to_four_answers_at_least_one_of_them_full(self) -> None:
        for need, grades in QRELS.items():
            assert 2 in grades.values(), need
            assert set(grades.values()) <= {1, 2}, need
            assert len(grades) <= 4, need

    def test_most_needs_are_for_a_research_group_and_the_rest_for_every_other_kind(self) -> None:
        full = [
            {BY_ID[key]["kind"] for key, grade in grades.items() if grade == 2} for grades in QRELS.values()
        ]
        assert sum("research_group" in kinds for kinds in full) >= 56
        assert set().union(*full) == KINDS

    def test_nearly_every_profile_answers_something(self) -> None:
        judged = {profile for grades in QRELS.values() for profile in grades}
        assert not {group["id"] for group in GROUPS} - judged
        assert len(judged) >= len(PROFILES) - 2

    def test_a_fair_share_crosses_the_language(self) -> None:
        languages = {need["id"]: need["language"] for need in NEEDS}
        crossing = sum(
            all(BY_ID[key]["language"] != languages[need] for key, grade in grades.items() if grade == 2)
            for need, grades in QRELS.items()
        )
        assert 0.35 <= crossing / len(NEEDS) <= 0.65


# Particles, pronouns and auxiliaries that spaCy's lists leave out; no noun, no full verb, no adjective.
OWN_STOP = {
    "nl": frozenset(["dus", "elke", "ieder", "iedere", "iets", "liever", "liefst", "ruim", "steeds", "telkens", "toch",
                     "voordat", "waar", "waarna", "zodra", "zoiets", "zo'n", "zulke"]),
    "en": frozenset(["already", "anybody", "nobody", "somebody", "something", "yet"]),
}  # fmt: skip
STOP = {"nl": frozenset(STOP_NL) | OWN_STOP["nl"], "en": frozenset(STOP_EN) | OWN_STOP["en"]}
LINKS = ("", "s", "e", "n", "en")


def fold(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


def content_words(text: str, language: str) -> set[str]:
    """Words of three letters or more that are no function words; hyphenated ones both whole and apart."""
    found: set[str] = set()
    for word in re.findall(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", text.casefold()):
        pieces = re.split(r"[-'’]", word)
        found.update(["".join(pieces), *pieces])
    return {word for word in found if len(word) >= 3 and word not in STOP[language]}


@cache
def forms(word: str, language: str) -> frozenset[str]:
    """The word, its lemma and, in Dutch, the lemmas of the parts in every way to open it in two known words.

    Verb forms that the dictionary knows are not opened: "haperen" is no compound of "haper" and "en".
    """
    lemma = lemmatize(word, lang=language)
    found = {word, lemma}
    if language == "nl":
        whole = {lemma} if not lemma.endswith("en") else set()
        if not known(word):
            whole.add(word)
        for compound in whole:
            for cut in range(3, len(compound) - 2):
                found.update(opened(compound[:cut], compound[cut:]))
    return frozenset(fold(form) for form in found if form not in STOP[language])


def opened(head: str, tail: str) -> Iterator[str]:
    for link in LINKS:
        stem = head.removesuffix(link)
        long_enough = len(stem) >= 3 and len(tail) >= 3 and len(stem) + len(tail) >= 7
        if head.endswith(link) and long_enough and known(stem) and known(tail):
            yield lemmatize(stem, lang="nl")
            yield lemmatize(tail, lang="nl")


@cache
def known(word: str) -> bool:
    return is_known(word, lang="nl") and word not in STOP["nl"]


def profile_texts(profile: Json, language: str) -> str:
    own = [profile["name"], profile["description"]] if profile["language"] == language else []
    theirs = [
        f"{document['title']} {document['text']}"
        for document in profile["documents"]
        if document["language"] == language
    ]
    return "\n".join([*own, *theirs])


class TestDisjointNeeds:
    """A disjoint need can be answered by meaning only: lexical search has nothing to hold on to."""

    @pytest.mark.parametrize("need", DISJOINT, ids=lambda need: need["id"])
    def test_no_content_word_shared_with_a_full_answer(self, need: Json) -> None:
        language = need["language"]
        asked = {
            form: word for word in content_words(need["text"], language) for form in forms(word, language)
        }
        assert asked
        for key, grade in QRELS[need["id"]].items():
            if grade < 2:
                continue
            words = content_words(profile_texts(BY_ID[key], language), language)
            offered = {form: word for word in words for form in forms(word, language)}
            shared = {(asked[form], offered[form]) for form in asked.keys() & offered.keys()}
            assert not shared, f"{need['id']} and {key}"

    @pytest.mark.parametrize("need", DISJOINT, ids=lambda need: need["id"])
    def test_no_spelling_shared_across_the_languages(self, need: Json) -> None:
        """Words spelt alike in Dutch and English ("sensor", "product") would help a lexical search too."""
        language = need["language"]
        other = "en" if language == "nl" else "nl"
        asked = {word for word in content_words(need["text"], language) if len(word) >= 4} - STOP[other]
        for key, grade in QRELS[need["id"]].items():
            if grade == 2:
                offered = content_words(profile_texts(BY_ID[key], other), other)
                assert not asked & offered, f"{need['id']} and {key}"

    def test_the_check_itself_sees_inflection_and_compounds(self) -> None:
        assert forms("trillingen", "nl") & forms("trillingsdemping", "nl")
        assert forms("lasnaden", "nl") & forms("naad", "nl")
        assert forms("measured", "en") & forms("measure", "en")
        assert not forms("banaan", "nl") & forms("trillingsdemping", "nl")

    def test_the_other_needs_do_share_words(self) -> None:
        """Otherwise the halves would not differ and a comparison of the two would say nothing."""
        sharing = 0
        plain = [need for need in NEEDS if not need.get("disjoint")]
        for need in plain:
            asked = content_words(need["text"], need["language"])
            best = [key for key, grade in QRELS[need["id"]].items() if grade == 2]
            texts = "\n".join(profile_texts(BY_ID[key], need["language"]) for key in best)
            offered = content_words(texts, need["language"])
            sharing += bool(asked & offered)
        assert sharing >= 0.6 * len(plain)
