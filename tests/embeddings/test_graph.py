"""The exported graph, beside the model that it was made from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from transformers import BertConfig, BertModel

from embeddings.training.export import graph_of
from embeddings.training.graph import WEIGHT_LIMIT, quantise_columns, quantise_rows
from embeddings.training.model import TextModel

IDS = np.array([[4, 5, 6, 7, 2], [8, 5, 2, 1, 1]], dtype=np.int64)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=np.int64)


@pytest.fixture(scope="module")
def model() -> TextModel:
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=9,
        hidden_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=16,
        initializer_range=0.3,
    )
    return TextModel(
        BertModel(config, add_pooling_layer=False), Tokenizer(models.WordLevel({}, unk_token="u"))
    ).eval()


def run(model: TextModel, plain: set[str], ids: np.ndarray = IDS, mask: np.ndarray = MASK) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        graph_of(model, plain).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(["vectors"], {"input_ids": ids, "attention_mask": mask})
    return np.asarray(found)


def expected(model: TextModel) -> np.ndarray:
    with torch.no_grad():
        found: np.ndarray = model(torch.tensor(IDS), torch.tensor(MASK)).numpy()
    return found


@pytest.fixture
def rounded(model: TextModel) -> Iterator[TextModel]:
    """The model with its word and position vectors as the graph keeps them."""
    embeddings = model.bert.embeddings
    types = embeddings.token_type_embeddings.weight.detach()[0]
    kept = {}
    for part, added in ((embeddings.word_embeddings, 0 * types), (embeddings.position_embeddings, types)):
        kept[part] = part.weight.data
        whole, scales = quantise_rows((part.weight.data + added).numpy())
        part.weight.data = torch.tensor(whole * scales) - added
    yield model
    for part, weight in kept.items():
        part.weight.data = weight


def test_with_products_at_32_bits_only_the_rounded_tables_differ(rounded: TextModel) -> None:
    np.testing.assert_allclose(run(rounded, {"all"}), expected(rounded), atol=2e-5)


def test_in_bytes_it_stays_near(model: TextModel) -> None:
    assert ((run(model, set()) * expected(model)).sum(1) > 0.99).all()


def test_a_text_gets_the_same_in_any_batch(model: TextModel) -> None:
    assert float(run(model, set())[1] @ run(model, set(), IDS[1:, :3], MASK[1:, :3])[0]) > 0.9999


@given(st.integers(0, 2**31), st.floats(1e-3, 10.0))
def test_neighbouring_weights_never_overflow_16_bits(seed: int, spread: float) -> None:
    weight = np.random.default_rng(seed).normal(0, spread, (6, 8)).astype(np.float32)
    whole, scales = quantise_columns(weight)
    pairs = whole.T.astype(np.int64).reshape(6, -1, 2)
    # The largest that a processor without VNNI adds up in 16 bits: activations to 255.
    highest = 255 * np.maximum(pairs, 0).sum(axis=2)
    lowest = 255 * np.minimum(pairs, 0).sum(axis=2)
    assert highest.max() <= 32_767
    assert lowest.min() >= -32_768
    assert np.abs(whole).max() <= WEIGHT_LIMIT
    np.testing.assert_allclose(whole.T * scales[:, None], weight, atol=float(scales.max()) * 0.51)


@given(st.integers(0, 2**31))
def test_rows_come_back_within_half_a_step(seed: int) -> None:
    table = np.random.default_rng(seed).normal(size=(5, 7)).astype(np.float32)
    whole, scales = quantise_rows(table)
    np.testing.assert_allclose(whole * scales, table, atol=float(scales.max()) * 0.51)
