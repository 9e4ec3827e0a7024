"""The encoder as an ONNX graph, written operator by operator: fused, 8-bit weights, one row independent of another.

Matrix products multiply bytes: weights with a scale per output, chosen so that two products of bytes always fit the
16 bits in which processors without VNNI add them (no saturation), and activations with a scale per token. So a text gets the same vector in any batch, which one scale for the whole batch (`DynamicQuantizeLinear`, as
the usual tools write it) does not give.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

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


WEIGHT_LIMIT = 127
"""Largest weight in 8 bits, and the most that two neighbours of one sign come to before they are rounded."""

ACTIVATION_MIDDLE = 128
_MIDDLES = helper.make_tensor("middles", TensorProto.UINT8, [1], [ACTIVATION_MIDDLE])


@dataclass(slots=True)
class _Writer:
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: Array) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind: str, inputs: Sequence[str], out: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [out], name=out, domain=domain, **attributes))
        return out


def quantise_rows(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """`(n, dim)` in 8 bits with a scale a row, `(n, 1)`."""
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
    return np.round(table / scales).astype(np.int8), scales.astype(np.float32)


def quantise_columns(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """`weight (n_out, n_in)` as bytes `(n_in, n_out)` with a scale per output, `(n_out)`.

    Processors without VNNI multiply the bytes of inputs 2k and 2k + 1 and add both products in 16 bits, which stop
    at 32,767. With activations to 255, two weights of one sign may therefore come to 128 together (127 before they
    are rounded); single ones, and two of unlike sign, to 127. So a scale is rarely coarser than 8 bits ask.
    """
    pairs = weight.reshape(len(weight), -1, 2)
    alike = np.where(pairs[..., 0] * pairs[..., 1] > 0, np.abs(pairs).sum(axis=2), 0.0)
    top = np.maximum(np.abs(weight).max(axis=1), alike.max(axis=1))
    scales = np.maximum(top, 1e-12) / WEIGHT_LIMIT
    return np.round(weight / scales[:, None]).astype(np.int8).T, scales.astype(np.float32)


def _rows_in_bytes(w: _Writer, x: str, name: str) -> tuple[str, str]:
    """`x (n_tokens, n)` as bytes about 128, and the scale of each row `(n_tokens, 1)`."""
    top = w.op("ReduceMax", [w.op("Abs", [x], f"{name}.abs")], f"{name}.top", axes=[1], keepdims=0)
    scale = w.op("Mul", [top, "row.step"], f"{name}.scale")
    middle = w.op(
        "ConstantOfShape", [w.op("Shape", [scale], f"{name}.rows")], f"{name}.middle", value=_MIDDLES
    )
    whole = w.op("QuantizeLinear", [x, scale, middle], f"{name}.bytes", axis=0)
    return whole, w.op("Unsqueeze", [scale, "last"], f"{name}.scales")


def _product(w: _Writer, x: str, name: str, weight: NDArray[np.float32], plain: Collection[str]) -> str:
    """`x @ weight.T` of `x (n_tokens, n_in)`, without bias; at 32 bits if `name` is `plain`."""
    if name in plain or "all" in plain:
        return w.op("MatMul", [x, w.constant(f"{name}.weight", weight.T)], f"{name}.product")
    whole, row_scale = _rows_in_bytes(w, x, name)
    columns, column_scale = quantise_columns(weight)
    constants = [
        w.constant(f"{name}.weight", columns),
        "one",
        w.constant(f"{name}.scale_out", column_scale),
        "middle",
    ]
    product = w.op("MatMulIntegerToFloat", [whole, *constants], f"{name}.whole", MICROSOFT)
    return w.op("Mul", [product, row_scale], f"{name}.product")


def _table(w: _Writer, name: str, table: NDArray[np.float32], pick: Callable[[str, str], str]) -> str:
    """Rows of a table kept in 8 bits with a scale a row, as `pick` (constant, name of what is picked) takes them."""
    rows, scales = quantise_rows(table)
    whole = pick(w.constant(name, rows), f"{name}.rows")
    floats = w.op("Cast", [whole], f"{name}.floats", to=TensorProto.FLOAT)
    return w.op(
        "Mul", [floats, pick(w.constant(f"{name}.scales", scales), f"{name}.scale")], f"{name}.values"
    )


def _embeddings(w: _Writer, weights: Weights, shape: Shape) -> str:
    words = _table(
        w,
        "words",
        weights["embeddings.word_embeddings.weight"],
        lambda constant, out: w.op("Gather", [constant, "input_ids"], out),
    )
    # All tokens are of type 0, so that its vector can go into the positions.
    positions = (
        weights["embeddings.position_embeddings.weight"]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    length = w.op("Shape", ["input_ids"], "length", start=1, end=2)
    here = _table(
        w, "positions", positions, lambda constant, out: w.op("Slice", [constant, "first", length], out)
    )
    both = w.op("Reshape", [w.op("Add", [words, here], "embedded.texts"), "flat"], "embedded")
    names = ["embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"]
    norm = [w.constant(name, weights[name]) for name in names]
    return w.op("LayerNormalization", [both, *norm], "embedded.norm", axis=-1, epsilon=shape.epsilon)


def _skip_norm(w: _Writer, x: str, skip: str, prefix: str, weights: Weights, shape: Shape) -> str:
    names = [f"{prefix}.LayerNorm.weight", f"{prefix}.LayerNorm.bias", f"{prefix}.dense.bias"]
    constants = [w.constant(name, weights[name]) for name in names]
    return w.op(
        "SkipLayerNormalization", [x, skip, *constants], f"{prefix}.norm", MICROSOFT, epsilon=shape.epsilon
    )


def _layer(w: _Writer, x: str, number: int, weights: Weights, shape: Shape, plain: Collection[str]) -> str:
    at = f"encoder.layer.{number}"
    own = f"{at}.attention.self"
    joined = np.concatenate([weights[f"{own}.{part}.weight"] for part in ("query", "key", "value")])
    product = w.op("Reshape", [_product(w, x, f"{own}.qkv", joined, plain), "texts.three"], f"{own}.texts")
    parts = [f"{own}.q", f"{own}.k", f"{own}.v"]
    w.nodes.append(helper.make_node("Split", [product, "thirds"], parts, name=f"{own}.split", axis=-1))
    bias = np.concatenate([weights[f"{own}.{part}.bias"] for part in ("query", "key", "value")])
    attended = w.op(
        "MultiHeadAttention",
        [*parts, w.constant(f"{own}.bias", bias), "mask.lengths"],
        f"{own}.attended.texts",
        MICROSOFT,
        num_heads=shape.heads,
    )
    attended = w.op("Reshape", [attended, "flat"], f"{own}.attended")
    out = _product(
        w, attended, f"{at}.attention.output", weights[f"{at}.attention.output.dense.weight"], plain
    )
    middle = _skip_norm(w, out, x, f"{at}.attention.output", weights, shape)
    inner = _product(w, middle, f"{at}.intermediate", weights[f"{at}.intermediate.dense.weight"], plain)
    inner_bias = w.constant(f"{at}.intermediate.bias", weights[f"{at}.intermediate.dense.bias"])
    active = w.op("BiasGelu", [inner, inner_bias], f"{at}.active", MICROSOFT)
    last = _product(w, active, f"{at}.output", weights[f"{at}.output.dense.weight"], plain)
    return _skip_norm(w, last, middle, f"{at}.output", weights, shape)


def _constants(w: _Writer, shape: Shape) -> None:
    whole = {
        "first": [0],
        "second": [1],
        "last": [-1],
        "flat": [-1, shape.hidden],
        "hidden": [shape.hidden],
        "three": [3 * shape.hidden],
        "thirds": [shape.hidden] * 3,
    }
    for name, value in whole.items():
        w.constant(name, np.array(value, dtype=np.int64))
    w.constant("middle", np.array(ACTIVATION_MIDDLE, dtype=np.uint8))
    w.constant("one", np.array(1.0, dtype=np.float32))
    w.constant("row.step", np.array(1.0 / (255 - ACTIVATION_MIDDLE), dtype=np.float32))


def build(weights: Weights, shape: Shape, plain: Collection[str]) -> onnx.ModelProto:
    """Graph: `input_ids`, `attention_mask (n_texts, length)` int64 -> `vectors (n_texts, hidden)` of length 1."""
    w = _Writer()
    _constants(w, shape)
    w.op("Cast", ["attention_mask"], "mask.lengths", to=TensorProto.INT32)
    w.op("Concat", [w.op("Shape", ["input_ids"], "texts"), "three"], "texts.three", axis=0)
    w.op("Concat", ["texts", "hidden"], "texts.hidden", axis=0)
    x = _embeddings(w, weights, shape)
    for number in range(shape.layers):
        x = _layer(w, x, number, weights, shape, plain)
    tokens = w.op("Reshape", [x, "texts.hidden"], "states")
    mask = w.op("Cast", ["attention_mask"], "mask.floats", to=TensorProto.FLOAT)
    masked = w.op("Mul", [tokens, w.op("Unsqueeze", [mask, "last"], "mask.weights")], "tokens.masked")
    # The sum points where the mean points: the length goes away in the next step.
    total = w.op("ReduceSum", [masked, "second"], "pooled", keepdims=0)
    w.op("LpNormalization", [total], "vectors", axis=-1, p=2)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", shape.hidden])]
    graph = helper.make_graph(w.nodes, "encoder", inputs, outputs, w.constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="kennismatch")
