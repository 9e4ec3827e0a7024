"""The encoder as an ONNX graph, written operator by operator: fused, 8-bit weights, one row independent of another.

Matrix products are `MatMulNBits` (com.microsoft): 8-bit weights with a scale per block of inputs, and activations
quantised row by row and block by block while they run. So a text gets the same vector in any batch, which a
product with one scale for the whole batch (`DynamicQuantizeLinear`) does not give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.generic]
Weights = dict[str, NDArray[np.float32]]
MICROSOFT = "com.microsoft"


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a BERT."""

    layers: int
    heads: int
    hidden: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Precision:
    """How the weights are kept: bits (8, 4 or 32 for none), inputs a scale, and products that stay at 32 bits."""

    bits: int = 8
    block: int = 128
    accuracy_level: int = 4
    plain: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Writer:
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: Array) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind: str, inputs: Sequence[str], out: str, domain: str = "", **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [out], name=out, domain=domain, **attributes))
        return out


def quantise_rows(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """`(n, dim)` in 8 bits with a scale a row, `(n, 1)`."""
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
    return np.round(table / scales).astype(np.int8), scales.astype(np.float32)


def quantise_blocks(
    weight: NDArray[np.float32], bits: int, block: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """`weight (n_out, n_in)` in blocks along n_in: bytes `(n_out, n_blocks, bytes)`, scales `(n_out * n_blocks)`.

    Symmetric about the middle of the range (128 or 8), as `MatMulNBits` takes it without zero points.
    """
    n_out, n_in = weight.shape
    blocks = weight.reshape(n_out, n_in // block, block)
    middle = 1 << (bits - 1)
    scales = np.maximum(np.abs(blocks).max(axis=2, keepdims=True), 1e-12) / (middle - 1)
    whole = np.clip(np.round(blocks / scales) + middle, 0, 2 * middle - 1).astype(np.uint8)
    if bits == 4:
        whole = whole[..., ::2] | (whole[..., 1::2] << 4)
    return whole, scales.reshape(-1).astype(np.float32)


def _product(w: _Writer, x: str, name: str, weight: NDArray[np.float32], precision: Precision) -> str:
    """`x @ weight.T`, without bias."""
    if precision.bits == 32 or name in precision.plain:
        return w.op("MatMul", [x, w.constant(f"{name}.weight", weight.T)], f"{name}.product")
    packed, scales = quantise_blocks(weight, precision.bits, precision.block)
    n_out, n_in = weight.shape
    return w.op(
        "MatMulNBits",
        [x, w.constant(f"{name}.packed", packed), w.constant(f"{name}.scales", scales)],
        f"{name}.product",
        MICROSOFT,
        K=n_in,
        N=n_out,
        bits=precision.bits,
        block_size=precision.block,
        accuracy_level=precision.accuracy_level,
    )


def _embeddings(w: _Writer, weights: Weights, shape: Shape) -> str:
    table, scales = quantise_rows(weights["embeddings.word_embeddings.weight"])
    rows = w.op("Gather", [w.constant("words", table), "input_ids"], "words.rows")
    floats = w.op("Cast", [rows], "words.floats", to=TensorProto.FLOAT)
    scale = w.op("Gather", [w.constant("words.scales", scales), "input_ids"], "words.scale")
    words = w.op("Mul", [floats, scale], "words.values")
    # All tokens are of type 0, so that its vector can go into the positions.
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    length = w.op("Shape", ["input_ids"], "length", start=1, end=2)
    begin = w.constant("zero", np.array([0], dtype=np.int64))
    here = w.op("Slice", [w.constant("positions", positions), begin, length], "positions.here")
    both = w.op("Add", [words, here], "embedded")
    names = ["embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"]
    norm = [w.constant(name, weights[name]) for name in names]
    return w.op("LayerNormalization", [both, *norm], "embedded.norm", axis=-1, epsilon=shape.epsilon)


def _skip_norm(w: _Writer, x: str, skip: str, prefix: str, weights: Weights, shape: Shape) -> str:
    names = [f"{prefix}.LayerNorm.weight", f"{prefix}.LayerNorm.bias", f"{prefix}.dense.bias"]
    constants = [w.constant(name, weights[name]) for name in names]
    return w.op(
        "SkipLayerNormalization", [x, skip, *constants], f"{prefix}.norm", MICROSOFT, epsilon=shape.epsilon
    )


def _layer(w: _Writer, x: str, number: int, weights: Weights, shape: Shape, precision: Precision) -> str:
    at = f"encoder.layer.{number}"
    parts = []
    own = f"{at}.attention.self"
    joined = np.concatenate([weights[f"{own}.{part}.weight"] for part in ("query", "key", "value")])
    product = _product(w, x, f"{own}.qkv", joined, precision)
    sizes = w.constant(f"{own}.sizes", np.array([shape.hidden] * 3, dtype=np.int64))
    parts = [f"{own}.q", f"{own}.k", f"{own}.v"]
    w.nodes.append(helper.make_node("Split", [product, sizes], parts, name=f"{own}.split", axis=-1))
    bias = np.concatenate([weights[f"{own}.{part}.bias"] for part in ("query", "key", "value")])
    attended = w.op(
        "MultiHeadAttention",
        [*parts, w.constant(f"{own}.bias", bias), "mask.lengths"],
        f"{own}.attended",
        MICROSOFT,
        num_heads=shape.heads,
    )
    out = _product(w, attended, f"{at}.attention.output", weights[f"{at}.attention.output.dense.weight"], precision)
    middle = _skip_norm(w, out, x, f"{at}.attention.output", weights, shape)
    inner = _product(w, middle, f"{at}.intermediate", weights[f"{at}.intermediate.dense.weight"], precision)
    inner_bias = w.constant(f"{at}.intermediate.bias", weights[f"{at}.intermediate.dense.bias"])
    active = w.op("BiasGelu", [inner, inner_bias], f"{at}.active", MICROSOFT)
    last = _product(w, active, f"{at}.output", weights[f"{at}.output.dense.weight"], precision)
    return _skip_norm(w, last, middle, f"{at}.output", weights, shape)


def build(weights: Weights, shape: Shape, precision: Precision) -> onnx.ModelProto:
    """Graph: `input_ids`, `attention_mask (n_texts, length)` int64 -> `vectors (n_texts, hidden)` of length 1."""
    w = _Writer()
    w.op("Cast", ["attention_mask"], "mask.lengths", to=TensorProto.INT32)
    x = _embeddings(w, weights, shape)
    for number in range(shape.layers):
        x = _layer(w, x, number, weights, shape, precision)
    last = w.constant("last", np.array([-1], dtype=np.int64))
    second = w.constant("second", np.array([1], dtype=np.int64))
    mask = w.op("Cast", ["attention_mask"], "mask.floats", to=TensorProto.FLOAT)
    weight = w.op("Unsqueeze", [mask, last], "mask.weights")
    masked = w.op("Mul", [x, weight], "pooled.masked")
    # The sum points where the mean points: the length goes away in the next step.
    total = w.op("ReduceSum", [masked, second], "pooled", keepdims=0)
    w.op("LpNormalization", [total], "vectors", axis=-1, p=2)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", shape.hidden])]
    graph = helper.make_graph(w.nodes, "encoder", inputs, outputs, w.constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="kennismatch")
