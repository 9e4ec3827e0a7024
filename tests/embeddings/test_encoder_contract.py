"""What every `Encoder` does."""

from __future__ import annotations

import re
import threading
import time
import unicodedata

import numpy as np
import pytest

from embeddings.encoders import Encoder, Vectors, open_encoder

SAME = 0.9999
"""Cosine of the vectors of one text, whatever stands beside it in the batch."""

AWKWARD = {
    "empty": "",
    "white space": " \n\t ",
    "one letter": "x",
    "NUL alone": "\0",
    "NUL inside": "laser\0welding",
    "control characters": "\x01\x02\x1b[31m\x7f\x9f",
    "lone surrogate": "laser \ud83d welding",
    "only lone surrogates": "\udcff\ud800",
    "emoji": "🤖🔧👩‍🔬",
    "third language": "Laserschweißen von dünnwandigem Aluminium",
    "another script": "アルミニウムのレーザー溶接",
    "right to left": "لحام الألومنيوم بالليزر",
    "HTML": "<p>Laser &amp; <b>welding</b><script>alert(1)</script></p>",
    "binary": bytes(range(256)).decode("latin-1"),
    "ligature that stands for 18 letters": "\ufdfa" * 2000,
    "one endless word": "a" * 50_000,
    "endless CJK": "焊" * 50_000,
    "combining marks without end": "e" + "\u0301" * 50_000,
    "unassigned and private characters": "\U0010ffff\ue000\ufffe",
}


def cosine(a: Vectors, b: Vectors) -> float:
    """In double precision, from the definition."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    return float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()))


def test_it_keeps_the_protocol(encoder):
    assert isinstance(encoder, Encoder)
    assert encoder.dim > 0
    assert re.fullmatch(r"[\w.-]+", encoder.fingerprint)


def test_no_texts_give_no_rows(encoder):
    for encode in (encoder.encode_queries, encoder.encode_passages):
        vectors = encode([])
        assert (vectors.shape, vectors.dtype) == ((0, encoder.dim), np.float32)


@pytest.mark.parametrize("form", ["encode_queries", "encode_passages"])
def test_any_text_gets_a_finite_vector_of_length_one(encoder, form):
    vectors = getattr(encoder, form)(list(AWKWARD.values()))
    assert (vectors.shape, vectors.dtype) == ((len(AWKWARD), encoder.dim), np.float32)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=1)), 1.0, atol=1e-5)


def test_the_vector_of_a_text_does_not_hang_on_its_neighbours(encoder):
    texts = [
        "Lasers.",
        "Wie kan ons helpen om dunwandig aluminium te lassen zonder vervorming?",
        "",
        "Ceramic membranes " * 60,
        "Lasers.",
        *(
            f"Sensor number {i} measures vibration in gearboxes" + " at high speed" * (i % 7)
            for i in range(30)
        ),
    ]
    together = encoder.encode_passages(texts)
    backwards = encoder.encode_passages(texts[::-1])[::-1]
    for i, text in enumerate(texts):
        alone = encoder.encode_passages([text])[0]
        assert cosine(alone, together[i]) >= SAME
        assert cosine(alone, backwards[i]) >= SAME


def test_the_vector_is_that_of_the_meaning(encoder):
    """A paraphrase without a shared content word is nearer than sentences about something else."""
    query = encoder.encode_queries(["How can we join thin metal sheets with light?"])[0]
    passages = encoder.encode_passages(
        [
            "Laser welding of slender aluminium plates.",
            "The choir sings a requiem on Good Friday.",
            "Tax law for small foundations changed last year.",
        ]
    )
    scores = [cosine(query, passage) for passage in passages]
    assert scores[0] > max(scores[1:]) + 0.02


def test_text_after_a_nul_byte_counts(encoder):
    cut, whole, spaced = encoder.encode_passages(
        ["laser", "laser\0welding of aluminium", "laser welding of aluminium"]
    )
    assert cosine(whole, spaced) >= SAME
    assert cosine(whole, cut) < 0.98


def test_texts_that_look_alike_get_the_same_vector(encoder):
    text = "Coöperatieve robots voor de maakindustrie: één façade, twee ideeën"
    alike = [
        text,
        unicodedata.normalize("NFD", text),
        f"\n  {text.replace(' ', '  ')}\r\n",
        text.replace(" ", "\t"),
    ]
    vectors = encoder.encode_passages(alike)
    for vector in vectors[1:]:
        assert cosine(vectors[0], vector) >= SAME


def test_empty_texts_are_all_alike(encoder):
    vectors = encoder.encode_passages(["", " ", "\0", "\n\t", "\ud800"])
    for vector in vectors[1:]:
        assert cosine(vectors[0], vector) >= SAME


def test_a_huge_text_takes_bounded_time_and_counts_by_its_beginning(encoder):
    beginning = "Power electronics for electric trucks with wide band gap semiconductors. " * 70
    started = time.monotonic()
    huge, other = encoder.encode_passages([beginning + "word " * 100_000, "word " * 200])
    assert time.monotonic() - started < 60  # 4 s where nothing else runs
    assert cosine(huge, encoder.encode_passages([beginning])[0]) > cosine(huge, other)


def test_several_threads_get_what_one_gets(encoder):
    texts = [
        f"{subject} for {use}"
        for subject in ("Lasers", "Sensoren")
        for use in ("chips", "zorg", "food", "pumps")
    ]
    expected = encoder.encode_queries(texts)
    found: dict[int, Vectors] = {}

    def encode(i: int) -> None:
        found[i] = encoder.encode_queries([texts[i]] * 3)

    threads = [threading.Thread(target=encode, args=(i,)) for i in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(len(texts)))
    for i, vectors in found.items():
        assert all(cosine(expected[i], vector) >= SAME for vector in vectors)


def test_its_name_opens_it_again_with_the_same_fingerprint_and_vectors(encoder):
    again = open_encoder(encoder.name)
    assert (again.name, again.dim, again.fingerprint) == (encoder.name, encoder.dim, encoder.fingerprint)
    text = ["Photonic chips that sense gases"]
    assert cosine(encoder.encode_passages(text)[0], again.encode_passages(text)[0]) >= SAME
