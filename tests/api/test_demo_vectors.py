"""The vectors that come with the demonstration corpus are those that the default encoder makes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from api import demo_vectors, demonstration
from embeddings.cache import CachedEncoder, VectorCache, key_of
from embeddings.encoders import DEFAULT_ENCODER, open_encoder
from embeddings.seed import KIND, SeedError, plant, read_seed, write_seed
from tests.fakes import BucketEncoder

AGAIN = "run `python -m api.demo_vectors`"


def test_every_text_of_the_corpus_has_its_vector_and_a_sample_is_right() -> None:
    encoder = open_encoder(DEFAULT_ENCODER)
    path = demonstration.seed()
    assert path is not None, AGAIN
    fingerprint, vectors = read_seed(path)
    texts = sorted(set(demo_vectors.texts()))
    assert fingerprint == encoder.fingerprint, AGAIN
    assert vectors.keys() == {key_of(KIND, text) for text in texts}, AGAIN
    sample = random.Random(0).sample(texts, 20)
    kept = np.stack([vectors[key_of(KIND, text)] for text in sample])
    assert (kept * encoder.encode_passages(sample)).sum(axis=1).min() > 0.999, AGAIN


def test_a_seed_spares_the_encoder_the_work(tmp_path: Path) -> None:
    texts = ["laser welding", "thin aluminium", "membranes"]
    assert write_seed(tmp_path / "seed.npz", BucketEncoder(), texts) == 3
    encoder = BucketEncoder()
    with VectorCache(tmp_path / "vectors.sqlite") as cache:
        assert plant(tmp_path / "seed.npz", cache, encoder.fingerprint) == 3
        found = CachedEncoder(encoder, cache).encode_passages([*texts, "something new"])
    assert encoder.n_texts == 1
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(
        (found[:3] * BucketEncoder().encode_passages(texts)).sum(axis=1), 1.0, atol=1e-3
    )


def test_a_seed_of_another_encoder_is_left_alone(tmp_path: Path) -> None:
    write_seed(tmp_path / "seed.npz", BucketEncoder(), ["laser"])
    with VectorCache(tmp_path / "vectors.sqlite") as cache:
        assert plant(tmp_path / "seed.npz", cache, "another") == 0
        assert cache.count() == 0


def test_a_broken_seed_is_told(tmp_path: Path) -> None:
    (tmp_path / "seed.npz").write_bytes(b"no seed")
    with (
        VectorCache(tmp_path / "vectors.sqlite") as cache,
        pytest.raises(SeedError, match=r"found: .*; install it again"),
    ):
        plant(tmp_path / "seed.npz", cache, "any")
