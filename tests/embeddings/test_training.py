"""How the shipped model is made: the parts that can be checked by hand, on a tiny model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel

from embeddings.training.losses import max_similarity
from embeddings.training.model import Encoded, Late, TextModel, encode_tokens, load, save
from embeddings.training.shortening import shortened
from embeddings.training.start import unpack_q4
from embeddings.training.teacher import Memory

WORDS = ["<s>", "<pad>", "</s>", "<unk>", "laser", "welding", "of", "thin", "sheets"]


@pytest.fixture
def tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


def tiny(tokenizer: Tokenizer, layers: int = 4) -> TextModel:
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    return TextModel(BertModel(config, add_pooling_layer=False), tokenizer).eval()


class TestShortening:
    def test_it_keeps_the_last_layer_of_each_run(self, tokenizer: Tokenizer) -> None:
        whole = tiny(tokenizer)
        short = shortened(whole, 2)
        kept = [layer.output.dense.weight for layer in short.bert.encoder.layer]
        assert len(kept) == 2
        assert torch.equal(kept[0], whole.bert.encoder.layer[1].output.dense.weight)
        assert torch.equal(kept[1], whole.bert.encoder.layer[3].output.dense.weight)
        words = short.bert.embeddings.word_embeddings.weight
        assert torch.equal(words, whole.bert.embeddings.word_embeddings.weight)

    def test_as_many_layers_are_the_model_itself(self, tokenizer: Tokenizer) -> None:
        whole = tiny(tokenizer)
        texts = ["laser welding", "thin sheets of laser"]
        with torch.no_grad():
            assert torch.allclose(shortened(whole, 4).encode(texts, 16), whole.encode(texts, 16))

    @pytest.mark.parametrize("layers", [0, 3, 5])
    def test_runs_must_be_equal(self, tokenizer: Tokenizer, layers: int) -> None:
        with pytest.raises(ValueError, match=f"expected a divisor of 4 layers, found {layers}"):
            shortened(tiny(tokenizer), layers)


class TestLateInteraction:
    def test_the_score_is_the_weighted_mean_of_the_nearest_tokens(self) -> None:
        rng = np.random.default_rng(0)
        asked, answers = (
            Encoded(
                torch.empty(0),
                torch.tensor(rng.normal(size=(2, length, 3)), dtype=torch.float32),
                torch.tensor([[1.0 / size if at < size else 0.0 for at in range(length)] for size in sizes]),
                torch.tensor([[float(at < size) for at in range(length)] for size in sizes]),
            )
            for length, sizes in ((4, (4, 2)), (5, (3, 5)))
        )
        found = max_similarity(asked, answers)
        for q, q_size in enumerate((4, 2)):
            for p, p_size in enumerate((3, 5)):
                nearest = [
                    max(float(asked.tokens[q, i] @ answers.tokens[p, j]) for j in range(p_size))
                    for i in range(q_size)
                ]
                # A padded token of a passage never counts, not even where all real ones are far.
                assert float(found[q, p]) == pytest.approx(float(np.mean(nearest)), abs=1e-5)

    def test_tokens_keep_the_order_of_their_texts(self, tokenizer: Tokenizer) -> None:
        model = tiny(tokenizer)
        model.late = Late(8)
        texts = ["thin sheets of laser welding", "laser", "welding of sheets"]
        with torch.no_grad():
            together = encode_tokens(model, texts, 16, size=2)
            assert torch.allclose(together.vectors, model.encode(texts, 16), atol=1e-6)
            assert together.mask.sum(1).tolist() == [5, 1, 3]
            assert torch.allclose(together.weights.sum(1), torch.ones(3))
            for at, text in enumerate(texts):
                alone = encode_tokens(model, [text], 16)
                n = alone.tokens.shape[1]
                assert torch.allclose(together.tokens[at, :n], alone.tokens[0], atol=1e-5)

    def test_a_model_without_it_says_so(self, tokenizer: Tokenizer) -> None:
        with pytest.raises(ValueError, match="expected a model with late interaction"):
            encode_tokens(tiny(tokenizer), ["laser"], 16)

    def test_it_is_saved_with_the_model(self, tokenizer: Tokenizer, tmp_path: Path) -> None:
        model = tiny(tokenizer)
        model.late = Late(8, seed=7)
        tokenizer.save(str(tmp_path / "tokenizer.json"))
        save(model, tmp_path / "model.pt")
        again = load(tmp_path / "model.pt", tmp_path / "tokenizer.json")
        assert again.late is not None
        assert torch.equal(again.late.project.weight, model.late.project.weight)


def test_four_bit_blocks_are_unpacked_low_nibbles_first() -> None:
    scale = np.float16(0.5).tobytes()
    packed = bytes([0x0F, *[0x80] * 15])  # low nibbles 15, 0, 0, ...; high nibbles 0, 8, 8, ...
    values = unpack_q4(scale + packed, 32)
    assert values[:2].tolist() == [(15 - 8) * 0.5, (0 - 8) * 0.5]
    assert values[16:18].tolist() == [(0 - 8) * 0.5, (8 - 8) * 0.5]


class TestMemory:
    def test_each_text_is_encoded_once_also_by_a_run_that_resumes(self, tmp_path: Path) -> None:
        asked: list[str] = []

        def encode(texts: list[str]) -> np.ndarray:
            asked.extend(texts)
            return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)

        memory = Memory(tmp_path / "seen.npz")
        memory.keep()
        assert not list(tmp_path.iterdir())
        assert memory(["laser", "weld", "laser"], encode).tolist() == [[5, 1], [4, 1], [5, 1]]
        memory.keep()
        again = Memory(tmp_path / "seen.npz")
        assert again(["sheet", "weld"], encode).tolist() == [[5, 1], [4, 1]]
        assert sorted(asked) == ["laser", "sheet", "weld"]
        assert [path.name for path in tmp_path.iterdir()] == ["seen.npz"]
