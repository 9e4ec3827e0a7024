"""The lexicon: what it knows, how a need is translated with it, and that words then cross the language."""

from __future__ import annotations

import gzip
import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from corpora.model import Document, Organisation, Profile, ProfileKind
from embeddings.cache import CachedEncoder, VectorCache
from matcher import lexicon
from matcher.evaluation.systems import SYSTEMS
from matcher.generations import Generation
from matcher.indexing import build_index
from matcher.lexicon import HEADER, LEXICON, translate, translations
from matcher.pipeline import Pipeline
from matcher.words import analyse
from tests.fakes import BucketEncoder
from tests.matcher.conftest import store

PAIRS = [
    ("lassen", "weld"),
    ("vervorming", "distortion"),
    ("vervorming", "deformation"),
    ("trilling", "vibration"),
    ("membraan", "membrane"),
    ("slijtage", "wear"),
    ("scheur", "crack"),
    ("nauwkeurigheid", "accuracy"),
    ("halfgeleider", "semiconductor"),
    ("vloeistof", "fluid"),
    ("warmte", "heat"),
    ("lijm", "adhesive"),
]


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, str, str, float]]:
    lines = gzip.decompress(LEXICON.read_bytes()).decode().splitlines()
    assert lines[0] == HEADER
    fields = [line.split("\t") for line in lines[1:]]
    return [(direction, word, other, float(chance)) for direction, word, other, chance in fields]


@pytest.mark.parametrize(("dutch", "english"), PAIRS)
def test_words_of_the_field_are_known_both_ways(dutch: str, english: str) -> None:
    assert english in dict(translations(dutch, "nl"))
    assert dutch in dict(translations(english, "en"))


def test_the_file_is_small_sorted_and_says_nothing_twice(rows: list[tuple[str, str, str, float]]) -> None:
    assert LEXICON.stat().st_size <= 700_000
    assert 50_000 < len(rows) < 100_000
    assert rows == sorted(rows, key=lambda row: (row[0], row[1], -row[3], row[2]))
    assert len({row[:3] for row in rows}) == len(rows)
    assert {row[0] for row in rows} == {"en-nl", "nl-en"}
    assert max(Counter(row[:2] for row in rows).values()) <= 4


def test_the_file_holds_probabilities_of_single_words(rows: list[tuple[str, str, str, float]]) -> None:
    assert all(0.05 <= chance <= 1.0 for *_, chance in rows)
    sums: Counter[tuple[str, str]] = Counter()
    for direction, word, _, chance in rows:
        sums[direction, word] += chance
    assert max(sums.values()) <= 1.0 + 4 * 0.005  # Each is rounded to two decimals.
    single = re.compile(r"[^\W\d-][^\W\d]+(-[^\W\d]+)*")
    assert all(single.fullmatch(word) and single.fullmatch(other) for _, word, other, _ in rows)
    assert all(word != other for _, word, other, _ in rows)


def test_the_file_holds_no_stop_words(rows: list[tuple[str, str, str, float]]) -> None:
    words: dict[str, set[str]] = {"nl": set(), "en": set()}
    for direction, word, other, _ in rows:
        words[direction[:2]].add(word)
        words[direction[3:]].add(other)
    for language, stop in (("nl", "het met welke onze hoe zoeken"), ("en", "the with which our how need")):
        assert analyse(stop, language) == []
        assert not words[language].intersection(stop.split())


def test_every_word_of_the_file_is_found_by_look_up(rows: list[tuple[str, str, str, float]]) -> None:
    """Against a dictionary made another way: a sample, and the words at both ends of each direction."""
    plain: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for direction, word, other, chance in rows:
        plain.setdefault((direction[:2], word), []).append((other, chance))
    keys = list(plain)
    turn = next(at for at, key in enumerate(keys) if key[0] == "nl")
    for key in [keys[0], keys[turn - 1], keys[turn], keys[-1], *keys[::97]]:
        assert translations(key[1], key[0]) == tuple(plain[key])


@given(st.text(), st.sampled_from(["nl", "en", "de"]))
def test_what_is_no_word_of_the_lexicon_has_no_translation(word: str, language: str) -> None:
    found = translations(word, language)
    assert found == () or (language != "de" and word.isalpha())


def test_a_translation_weighs_as_its_word_times_its_probability() -> None:
    chance = dict(translations("trilling", "nl"))["vibration"]
    found = translate(["trilling", "laser", "trilling"], "nl")
    assert found["trilling"] == pytest.approx(2**0.5)
    assert found["laser"] == 1.0
    assert found["vibration"] == pytest.approx(2**0.5 * chance)


def test_weights_lie_between_nothing_and_the_word_itself() -> None:
    text = "Onze zuivelfabriek zoekt membranen die minder snel vervuilen en goed bestand zijn tegen hitte"
    words = analyse(text, "nl")
    assert len(set(words)) == len(words)
    found = translate(words, "nl")
    assert len(found) > len(words)
    assert all(0.0 < weight <= 1.0 for weight in found.values())


def test_what_is_said_in_both_languages_is_not_weighed_twice() -> None:
    assert translate(["trilling", "vibration"], "nl")["vibration"] == 1.0


def test_of_two_words_with_one_translation_the_heavier_counts() -> None:
    """Both "adhesive": a noun and its verb, as a compound and its part often are."""
    both = translate(["lijm", "lijmen"], "nl")
    alone = [dict(translations(word, "nl")).get("adhesive", 0.0) for word in ("lijm", "lijmen")]
    assert both["adhesive"] == pytest.approx(max(alone))


def test_another_language_is_left_as_it_is() -> None:
    assert translate(["membrane", "weld"], "de") == {"membrane": 1.0, "weld": 1.0}
    assert translate([], "nl") == {}


def test_it_is_read_quickly() -> None:
    """Processor time, the best of a few, so that a busy machine does not count."""
    times = []
    for _ in range(5):
        lexicon._table.cache_clear()
        started = time.process_time()
        translations("membraan", "nl")
        translations.cache_clear()
        times.append(time.process_time() - started)
    assert min(times) < 0.15


def test_a_file_of_another_form_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lexicon.tsv.gz"
    path.write_bytes(gzip.compress(b"word\tother\nlaser\tlaser\n"))
    monkeypatch.setattr(lexicon, "LEXICON", path)
    lexicon._table.cache_clear()
    translations.cache_clear()
    with pytest.raises(ValueError, match=r"expected lexicon.tsv.gz to begin with .* found 'word\\tother'"):
        translations("laser", "nl")


TEXTS = {
    "welding": ("en", "Welding of aluminium plates keeps the distortion small."),
    "lenses": ("en", "Polished lenses for telescopes in orbit."),
    "trilling": ("nl", "Demping van trillingen in machines voor verpakking."),
    "melk": ("nl", "Smaak en houdbaarheid van kaas."),
}


@pytest.fixture
def generation(engine: Engine, data: Path) -> Generation:
    here = Organisation("here", "Here")
    profiles = [
        Profile(
            name,
            ProfileKind.RESEARCH_GROUP,
            "",
            here,
            language,
            "",
            (Document(f"{name}-d", name, "publication", "", text, language),),
        )
        for name, (language, text) in TEXTS.items()
    ]
    store(engine, profiles)
    with VectorCache(data / "vectors.sqlite") as cache:
        build_index(engine, data, CachedEncoder(BucketEncoder(), cache))
    return Generation.open_current(data)


NEEDS = [
    ("Wie kan dun plaatwerk lassen zonder vervorming?", "nl", "welding"),
    ("Vibration shakes our packaging line to pieces.", "en", "trilling"),
]


@pytest.mark.parametrize(("text", "language", "answer"), NEEDS)
def test_words_cross_the_language_and_do_not_without_translation(
    generation: Generation, text: str, language: str, answer: str
) -> None:
    nothing = np.empty((1, 0), dtype=np.float32)
    for without, expected in (((), [answer]), (("translation",), [])):
        pipeline = Pipeline(generation, BucketEncoder(), without=without)
        query = pipeline.analyse(text, language)
        assert [name for name, _ in SYSTEMS["lexical"](pipeline, query, nothing, 5)] == expected
        retrieved = pipeline.retrieve(query, pipeline.encode(query), None)
        assert list(retrieved.words) == expected
        assert [passage.profile_id for passage in retrieved.lexical] == expected
