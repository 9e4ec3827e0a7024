"""How the shipped model is made: the parts that can be checked by hand, on a tiny model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel

from embeddings.training.model import TextModel, load, save
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


TEXTS = ["thin sheets of laser welding", "laser", "welding of sheets"]


def test_a_model_comes_back_as_it_was_saved(tokenizer: Tokenizer, tmp_path: Path) -> None:
    model = tiny(tokenizer)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    save(model, tmp_path / "model.pt")
    again = load(tmp_path / "model.pt", tmp_path / "tokenizer.json")
    with torch.no_grad():
        assert torch.equal(again.encode(TEXTS, 16), model.encode(TEXTS, 16))


def test_vectors_keep_the_order_of_their_texts_whatever_stands_beside_them(tokenizer: Tokenizer) -> None:
    model = tiny(tokenizer)
    with torch.no_grad():
        together = model.encode(TEXTS, 16, size=2)
        for at, text in enumerate(TEXTS):
            assert torch.allclose(together[at], model.encode([text], 16)[0], atol=1e-6)


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
