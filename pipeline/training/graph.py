"""The network as an ONNX graph, written node by node, so that running it needs onnxruntime and nothing else.

Inputs: ``ids`` int64 ``[b, l]`` (token ids, 0 where padded) and ``mask`` int64 ``[b, l]`` (1 where a token is).
Outputs: ``types`` float ``[b, 15]`` and ``modalities`` float ``[b, 15, 8]`` (probabilities, in the order of
``corpus.TYPES`` and ``MODALITIES``), ``attention`` and ``manner_attention`` float ``[b, 15, l]`` (at which tokens each
type looked, for whether it is there and for its modality; each row adds up to 1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx  # type: ignore[import-not-found, unused-ignore]  # only where models are exported
from numpy.typing import ArrayLike, DTypeLike, NDArray
from onnx import TensorProto, helper, numpy_helper  # type: ignore[import-not-found, unused-ignore]  # as above

from pipeline.training.base import HEADS, LAYERS, WIDTH, Floats
from pipeline.training.corpus import MODALITIES, TYPES

OPSET = 17
IR_VERSION = 9
"""Of opset 17's day, so that older runtimes read it too."""
MASKED = -1e9


@dataclass
class _Graph:
    """Nodes and constants as they are added; every method gives the name of what it made."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, value: ArrayLike, kind: DTypeLike = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(np.asarray(value, kind)), name))
        return name

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        output = name or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def integers(self, *values: int) -> str:
        return self.constant(values, np.int64)


@dataclass
class _Encoder:
    """Adds MiniLM's parts to ``graph``, its embeddings int8, its products' weights too where ``packed``."""

    graph: _Graph
    weights: Mapping[str, Floats]
    packed: bool

    def embeddings(self) -> str:
        graph = self.graph
        words, scales = quantise_rows(self.weights["embeddings.word_embeddings.weight"])
        near = graph.add("Cast", graph.add("Gather", graph.constant(words, np.int8), "ids"), to=TensorProto.FLOAT)
        found = graph.add("Mul", near, graph.add("Gather", graph.constant(scales), "ids"))
        places = (
            self.weights["embeddings.position_embeddings.weight"]
            + self.weights["embeddings.token_type_embeddings.weight"][0]
        )
        length = graph.add("Slice", graph.add("Shape", "ids"), graph.integers(1), graph.integers(2))
        placed = graph.add("Slice", graph.constant(places), graph.integers(0), length, graph.integers(0))
        return self.norm("embeddings.LayerNorm", graph.add("Add", found, placed))

    def layer(self, number: int, tokens: str, hidden: str) -> str:
        graph, name = self.graph, f"encoder.layer.{number}."
        attended = self.linear(name + "attention.output.dense", self.attention(name, tokens, hidden))
        tokens = self.norm(name + "attention.output.LayerNorm", graph.add("Add", tokens, attended))
        wide = self.linear(name + "intermediate.dense", tokens)
        erf = graph.add("Erf", graph.add("Div", wide, graph.constant(math.sqrt(2))))
        bent = graph.add("Mul", graph.add("Mul", wide, graph.add("Add", erf, graph.constant(1))), graph.constant(0.5))
        narrow = self.linear(name + "output.dense", bent)
        return self.norm(name + "output.LayerNorm", graph.add("Add", tokens, narrow))

    def attention(self, name: str, tokens: str, hidden: str) -> str:
        graph = self.graph
        shape = graph.integers(0, 0, HEADS, WIDTH // HEADS)

        def split(part: str, order: list[int]) -> str:
            projected = self.linear(f"{name}attention.self.{part}", tokens)
            return graph.add("Transpose", graph.add("Reshape", projected, shape), perm=order)

        scores = graph.add("MatMul", split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1]))
        scaled = graph.add("Div", scores, graph.constant(math.sqrt(WIDTH // HEADS)))
        share = graph.add("Softmax", graph.add("Add", scaled, hidden), axis=-1)
        joined = graph.add("Transpose", graph.add("MatMul", share, split("value", [0, 2, 1, 3])), perm=[0, 2, 1, 3])
        return graph.add("Reshape", joined, graph.integers(0, 0, WIDTH))

    def linear(self, name: str, vectors: str) -> str:
        product = self.graph.add("MatMul", vectors, self.factor(self.weights[name + ".weight"]))
        return self.graph.add("Add", product, self.graph.constant(self.weights[name + ".bias"]))

    def factor(self, weight: Floats) -> str:
        """``weight [out, in]`` turned for a product.

        Packed it is int8 in the file only: the runtime unpacks it once, when it loads the file, and multiplies in
        float32. Products in int8 would be faster by a third, but spoil what flows through them; rounded weights alone
        change next to nothing.
        """
        graph = self.graph
        if not self.packed:
            return graph.constant(weight.T)
        rounded, scales = quantise_rows(weight)
        near = graph.add("Cast", graph.constant(rounded.T, np.int8), to=TensorProto.FLOAT)
        return graph.add("Mul", near, graph.constant(scales.T))

    def norm(self, name: str, vectors: str) -> str:
        scale = self.graph.constant(self.weights[name + ".weight"])
        bias = self.graph.constant(self.weights[name + ".bias"])
        return self.graph.add("LayerNormalization", vectors, scale, bias, axis=-1, epsilon=1e-12)


def quantise_rows(table: Floats) -> tuple[NDArray[np.int8], Floats]:
    """``table [n, d]`` as int8 and one scale a row ``[n, 1]``: a quarter of the size, each word with its own range."""
    scales = np.maximum(np.abs(table).max(1, keepdims=True), 1e-8).astype(np.float32) / 127
    return np.round(table / scales).astype(np.int8), scales


def build(weights: Mapping[str, Floats], heads: Mapping[str, Floats], *, packed: bool) -> Any:
    """The graph as an ``onnx.ModelProto``.

    Args:
        weights: The whole encoder's.
        heads: As ``model.first_heads`` names them.
        packed: Store the encoder's large weights as int8, a scale a column; else only the embeddings.
    """
    graph = _Graph()
    encoder = _Encoder(graph, weights, packed)
    absent = graph.add("Sub", graph.constant(1), graph.add("Cast", "mask", to=TensorProto.FLOAT))
    hidden = graph.add("Mul", absent, graph.constant(MASKED))
    everywhere = graph.add("Unsqueeze", hidden, graph.integers(1, 2))
    tokens = encoder.embeddings()
    for number in range(LAYERS):
        tokens = encoder.layer(number, tokens, everywhere)
    _judge(graph, heads, tokens, graph.add("Unsqueeze", hidden, graph.integers(1)))
    made = helper.make_graph(graph.nodes, "judge", _inputs(), _outputs(), graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="brinkwatch")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    return model


def _judge(graph: _Graph, heads: Mapping[str, Floats], tokens: str, hidden: str) -> None:
    weighed = graph.add(
        "Mul", _gather(graph, heads["query"], tokens, hidden, "attention"), graph.constant(heads["weight"])
    )
    sums = graph.add("ReduceSum", weighed, graph.integers(-1), keepdims=0)
    graph.add("Sigmoid", graph.add("Add", sums, graph.constant(heads["bias"])), name="types")
    gathered = _gather(graph, heads["manner_query"], tokens, hidden, "manner_attention")
    manner = graph.add("MatMul", gathered, graph.constant(heads["manner"].T))
    graph.add("Softmax", graph.add("Add", manner, graph.constant(heads["manner_bias"])), name="modalities", axis=-1)


def _gather(graph: _Graph, query: Floats, tokens: str, hidden: str, name: str) -> str:
    looks = graph.add("Transpose", graph.add("MatMul", tokens, graph.constant(query.T)), perm=[0, 2, 1])
    return graph.add("MatMul", graph.add("Softmax", graph.add("Add", looks, hidden), name=name, axis=-1), tokens)


def _inputs() -> list[Any]:
    return [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in ("ids", "mask")]


def _outputs() -> list[Any]:
    shapes: dict[str, list[Any]] = {
        "types": ["batch", len(TYPES)],
        "modalities": ["batch", len(TYPES), len(MODALITIES)],
        "attention": ["batch", len(TYPES), "length"],
        "manner_attention": ["batch", len(TYPES), "length"],
    }
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
