"""The network: MiniLM's encoder, and on its tokens one attention head an event type, which judges type and modality."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax  # type: ignore[import-not-found, unused-ignore]  # only where models are trained
import jax.numpy as jnp  # type: ignore[import-not-found, unused-ignore]  # only where models are trained
import numpy as np

from pipeline.training.base import HEADS, LAYERS, WIDTH, Floats
from pipeline.training.corpus import MODALITIES, TYPES

Array = Any
"""A jax array; the library's own types are not at hand where the project is checked."""
Parameters = dict[str, dict[str, Array]]

MASKED = -1e9
RARE = -2.0
"""First bias of every type: most sentences hold none."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the network says of a batch: logits ``types [b, 15]`` and ``modalities [b, 15, 8]``."""

    types: Array
    modalities: Array


def embed(weights: Mapping[str, Array], ids: Array) -> Array:
    """Token ids ``[b, l]`` as vectors ``[b, l, 384]``, before the first layer."""
    words = weights["embeddings.word_embeddings.weight"][ids]
    places = weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
    segment = weights["embeddings.token_type_embeddings.weight"][0]
    return _norm(weights, "embeddings.LayerNorm", words + places + segment)


@dataclass(frozen=True, slots=True)
class Dropout:
    """What of the vectors is forgotten in training.

    Attributes:
        rate: Which share.
        key: A jax key, another one every step.
    """

    rate: float
    key: Array

    def of(self, vectors: Array, place: int) -> Array:
        """``vectors`` with a share of zeros, the others raised so that the mean stays; each ``place`` its own."""
        kept = jax.random.bernoulli(jax.random.fold_in(self.key, place), 1 - self.rate, vectors.shape)
        return jnp.where(kept, vectors / (1 - self.rate), 0)


def encode(
    weights: Mapping[str, Array],
    tokens: Array,
    mask: Array,
    first: int = 0,
    last: int = LAYERS,
    dropout: Dropout | None = None,
) -> Array:
    """Token vectors ``[b, l, 384]`` through the layers ``first`` to ``last`` (exclusive)."""
    hidden = (1 - mask)[:, None, None, :] * MASKED

    def forget(vectors: Array, place: int) -> Array:
        return vectors if dropout is None else dropout.of(vectors, place)

    for layer in range(first, last):
        name = f"encoder.layer.{layer}."
        attended = _linear(weights, name + "attention.output.dense", _attend(weights, name, tokens, hidden))
        tokens = _norm(weights, name + "attention.output.LayerNorm", tokens + forget(attended, 2 * layer))
        wide = jax.nn.gelu(_linear(weights, name + "intermediate.dense", tokens), approximate=False)
        narrow = forget(_linear(weights, name + "output.dense", wide), 2 * layer + 1)
        tokens = _norm(weights, name + "output.LayerNorm", tokens + narrow)
    return forget(tokens, 2 * last)


def judge(heads: Mapping[str, Array], tokens: Array, mask: Array) -> Judgement:
    """Each type looks at the tokens by two queries of its own: for whether it is there, and for in what manner."""
    hidden = (1 - mask)[:, None, :] * MASKED

    def gather(query: str) -> Array:
        scores = jnp.einsum("bld,td->btl", tokens, heads[query]) + hidden
        return jnp.einsum("btl,bld->btd", jax.nn.softmax(scores, -1), tokens)

    types = (gather("query") * heads["weight"]).sum(-1) + heads["bias"]
    return Judgement(types, gather("manner_query") @ heads["manner"].T + heads["manner_bias"])


def first_heads(seed: int) -> dict[str, Floats]:
    """Heads before training."""
    source = np.random.default_rng(seed)

    def small(*shape: int) -> Floats:
        return (source.standard_normal(shape) * 0.05).astype(np.float32)

    types, modalities = len(TYPES), len(MODALITIES)
    return {
        "query": small(types, WIDTH),
        "weight": small(types, WIDTH),
        "bias": np.full(types, RARE, np.float32),
        "manner_query": small(types, WIDTH),
        "manner": small(modalities, WIDTH),
        "manner_bias": np.zeros((types, modalities), np.float32),
    }


def mean_pool(tokens: Array, mask: Array) -> Array:
    """Sentence vectors ``[b, 384]`` of length 1: the base model's own measure of likeness."""
    pooled = (tokens * mask[..., None]).sum(1) / mask.sum(1)[:, None]
    return pooled / jnp.linalg.norm(pooled, axis=-1, keepdims=True)


def _linear(weights: Mapping[str, Array], name: str, vectors: Array) -> Array:
    return vectors @ weights[name + ".weight"].T + weights[name + ".bias"]


def _norm(weights: Mapping[str, Array], name: str, vectors: Array) -> Array:
    centred = vectors - vectors.mean(-1, keepdims=True)
    scaled = centred * jax.lax.rsqrt(vectors.var(-1, keepdims=True) + 1e-12)
    return scaled * weights[name + ".weight"] + weights[name + ".bias"]


def _attend(weights: Mapping[str, Array], name: str, tokens: Array, hidden: Array) -> Array:
    batch, length, width = tokens.shape

    def split(part: str) -> Array:
        projected = _linear(weights, f"{name}attention.self.{part}", tokens)
        return projected.reshape(batch, length, HEADS, width // HEADS).transpose(0, 2, 1, 3)

    scores = split("query") @ split("key").transpose(0, 1, 3, 2) / math.sqrt(width // HEADS) + hidden
    return (jax.nn.softmax(scores, -1) @ split("value")).transpose(0, 2, 1, 3).reshape(batch, length, width)
