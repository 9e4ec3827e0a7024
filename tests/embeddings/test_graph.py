"""The exported graph, beside the model that it was made from."""

from __future__ import annotations

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
from embeddings.training.model import Late, TextModel

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
    made = TextModel(
        BertModel(config, add_pooling_layer=False), Tokenizer(models.WordLevel({}, unk_token="u"))
    )
    made.late = Late(64, seed=5)
    torch.nn.init.normal_(made.late.weigh.weight)
    return made.eval()


def run(
    model: TextModel, plain: set[str], ids: np.ndarray = IDS, mask: np.ndarray = MASK
) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(
        graph_of(model, plain).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found: list[np.ndarray] = session.run(
        ["vectors", "tokens", "weights"], {"input_ids": ids, "attention_mask": mask}
    )
    return found


def expected(model: TextModel) -> list[np.ndarray]:
    with torch.no_grad():
        mask = torch.tensor(MASK)
        states = model.bert(input_ids=torch.tensor(IDS), attention_mask=mask).last_hidden_state
        assert model.late is not None
        late = model.late(states, mask.float())
        return [model(torch.tensor(IDS), mask).numpy(), *(item.numpy() for item in late)]


def test_with_products_at_32_bits_only_the_rounded_words_differ(model: TextModel) -> None:
    table = model.bert.embeddings.word_embeddings.weight
    kept = table.detach().clone()
    whole, scales = quantise_rows(kept.numpy())
    try:
        table.data = torch.tensor(whole * scales)
        for found, wanted in zip(run(model, {"all"}), expected(model), strict=True):
            np.testing.assert_allclose(found, wanted, atol=2e-5)
    finally:
        table.data = kept


def test_in_bytes_it_stays_near(model: TextModel) -> None:
    vectors, tokens, weights = run(model, set())
    wanted = expected(model)
    assert ((vectors * wanted[0]).sum(1) > 0.99).all()
    assert ((tokens * wanted[1]).sum(2)[MASK == 1] > 0.98).all()
    np.testing.assert_allclose(weights.sum(1), 1.0, atol=1e-5)
    assert (tokens[MASK == 0] == 0).all()


def test_a_text_gets_the_same_in_any_batch(model: TextModel) -> None:
    together = run(model, set())
    alone = run(model, set(), IDS[1:, :3], MASK[1:, :3])
    assert float(together[0][1] @ alone[0][0]) > 0.9999
    np.testing.assert_allclose(together[1][1, :3], alone[1][0], atol=1e-3)


def test_a_model_without_late_interaction_gives_vectors_alone(model: TextModel) -> None:
    graph = graph_of(TextModel(model.bert, model.tokenizer))
    assert [output.name for output in graph.graph.output] == ["vectors"]


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
