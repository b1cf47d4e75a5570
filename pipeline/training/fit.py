"""Fitting the network: the embeddings stay as they are, the layers (or the top ones) and the heads learn, seeded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import jax  # type: ignore[import-not-found, unused-ignore]  # only where models are trained
import jax.numpy as jnp  # type: ignore[import-not-found, unused-ignore]  # only where models are trained
import numpy as np
import optax  # type: ignore[import-not-found, import-untyped, unused-ignore]  # only where models are trained

from pipeline.training.base import LAYERS, LENGTHS, Base, Floats, pad, padded_length
from pipeline.training.corpus import MODALITIES, Template
from pipeline.training.fill import Cast
from pipeline.training.labels import targets
from pipeline.training.model import Array, Dropout, Parameters, embed, encode, first_heads, judge
from pipeline.training.vary import NONE, Habits, vary

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train.

    Attributes:
        seed: Of the heads, the order and the names.
        epochs: Passes over the templates; every pass fills them with other names.
        tuned: How many of the top layers learn.
        batch: Sentences a step.
        rate: Learning rate of the topmost layer.
        decay: Each layer below learns at so much of the rate above it: what is general changes least.
        dropout: Share of the vectors that every tuned sublayer forgets.
        head_rate: Learning rate of the heads.
        modality_weight: Of the modality's loss, against the types'.
        smoothing: Share of each target that is spread, for labels are wrong now and then.
        habits: How often sentences are changed, in every pass otherwise. Not at all unless asked for: on real ones
            a model of the tidy corpus did better by .03 to .05 macro-F1 (docs/evaluation.md).
        members: How many trainings, from the same first heads with other names and another order, are averaged.
    """

    seed: int = 0
    epochs: int = 7
    tuned: int = LAYERS
    batch: int = 32
    rate: float = 3e-4
    decay: float = 0.9
    dropout: float = 0.1
    head_rate: float = 2e-3
    modality_weight: float = 1.0
    smoothing: float = 0.02
    habits: Habits = NONE
    members: int = 1


@dataclass(frozen=True, slots=True)
class Rows:
    """Sentences after the frozen layers, ready for the tuned ones.

    Attributes:
        tokens: Of each its vectors ``[l, 384]``, float16.
        masks: Of each ``[l]``.
        types: ``[n, 15]``, 1 where the type is.
        modalities: ``[n, 15, 8]``: each present type's modalities, sharing 1; 0 for absent types.
    """

    tokens: list[np.ndarray[tuple[int, ...], np.dtype[np.float16]]]
    masks: list[Floats]
    types: Floats
    modalities: Floats

    def take(self, picks: Sequence[int]) -> tuple[Array, Array, Floats, Floats]:
        """One batch of rows of one length."""
        tokens = np.stack([self.tokens[pick] for pick in picks])
        masks = np.stack([self.masks[pick] for pick in picks])
        return tokens, masks, self.types[list(picks)], self.modalities[list(picks)]

    def by_length(self) -> dict[int, list[int]]:
        """Which rows have which padded length."""
        lengths: dict[int, list[int]] = {length: [] for length in LENGTHS}
        for row, mask in enumerate(self.masks):
            lengths[len(mask)].append(row)
        return {length: rows for length, rows in lengths.items() if rows}


class Trainer:
    """The base model with its frozen part, and what trains and asks the rest."""

    def __init__(self, base: Base, actors: Cast, plan: Plan) -> None:
        self.base = base
        self.actors = actors
        self.plan = plan
        self.frozen = LAYERS - plan.tuned
        lower = {name: jnp.asarray(tensor) for name, tensor in base.weights.items()}
        self._lower = jax.jit(
            lambda ids, mask: encode(lower, embed(lower, ids), mask, 0, self.frozen).astype(jnp.float16)
        )
        self._judge = jax.jit(self._forward)

    def rows(self, templates: Sequence[Template], copy: int, habits: Habits = NONE) -> Rows:
        """The templates filled with the names of ``copy``, changed by ``habits``, through the frozen layers."""
        varied = [vary(template, templates, self.actors, habits, self.plan.seed, copy) for template in templates]
        types, modalities = targets([each.events for each in varied])
        return replace(self.texts([each.text for each in varied]), types=types, modalities=modalities)

    def texts(self, texts: Sequence[str]) -> Rows:
        """Sentences without labels through the frozen layers."""
        tokens = [encoding.ids for encoding in self.base.tokenizer.encode_batch(list(texts))]
        vectors: list[np.ndarray[tuple[int, ...], np.dtype[np.float16]]] = [np.empty(0, np.float16)] * len(texts)
        masks: list[Floats] = [np.empty(0, np.float32)] * len(texts)
        for length in LENGTHS:
            same = [row for row, found in enumerate(tokens) if padded_length(len(found)) == length]
            for picks, spare in batches(same, 64):
                ids, mask = pad([tokens[row] for row in [*picks, *spare]], length)
                lowered = np.asarray(self._lower(ids, mask))
                for place, row in enumerate(picks):
                    vectors[row], masks[row] = lowered[place], mask[place]
        types, modalities = targets([()] * len(texts))
        return Rows(vectors, masks, types, modalities)

    def fit(self, templates: Sequence[Template], say: Say) -> Parameters:
        """Train the members on ``templates`` and average their weights; says the loss after every pass."""
        members = [self._fit(templates, member, say) for member in range(self.plan.members)]
        return average(members)

    def _fit(self, templates: Sequence[Template], member: int, say: Say) -> Parameters:
        plan = self.plan
        top = {name: jnp.asarray(tensor) for name, tensor in self.base.weights.items() if self._is_tuned(name)}
        parameters: Parameters = {
            "layers": top,
            "heads": {name: jnp.asarray(head) for name, head in first_heads(plan.seed).items()},
        }
        steps = plan.epochs * (len(templates) // plan.batch + len(LENGTHS) // 2)
        optimiser = _optimiser(plan, steps)
        state = optimiser.init(parameters)
        step = jax.jit(lambda parameters, state, batch, key: self._step(optimiser, parameters, state, batch, key))
        order, key = np.random.default_rng([plan.seed, member]), jax.random.key(plan.seed + member)
        started = time.monotonic()
        for epoch in range(plan.epochs):
            rows = self.rows(templates, member * plan.epochs + epoch, plan.habits)
            losses: list[float] = []
            for picks in shuffled(rows.by_length(), plan.batch, order):
                key, now = jax.random.split(key)
                parameters, state, loss = step(parameters, state, rows.take(picks), now)
                losses.append(float(loss))
            say(f"epoch {epoch + 1}/{plan.epochs}: loss {np.mean(losses):.3f}, {time.monotonic() - started:.0f} s")
        return parameters

    def ask(self, parameters: Parameters, rows: Rows) -> tuple[Floats, Floats]:
        """Probabilities of the types ``[n, 15]``, and of each type's modalities ``[n, 15, 8]``."""
        types = np.zeros(rows.types.shape, np.float32)
        modalities = np.zeros(rows.modalities.shape, np.float32)
        for same in rows.by_length().values():
            for picks, spare in batches(same, 64):
                tokens, masks, _, _ = rows.take([*picks, *spare])
                sure, manner = self._judge(parameters, tokens, masks)
                types[picks] = np.asarray(jax.nn.sigmoid(sure))[: len(picks)]
                modalities[picks] = np.asarray(jax.nn.softmax(manner, -1))[: len(picks)]
        return types, modalities

    def merged(self, parameters: Parameters) -> dict[str, Floats]:
        """The whole encoder's weights, frozen and tuned."""
        tuned = {name: np.asarray(tensor, np.float32) for name, tensor in parameters["layers"].items()}
        return {**self.base.weights, **tuned}

    def _is_tuned(self, name: str) -> bool:
        return name.startswith("encoder.layer.") and int(name.split(".")[2]) >= self.frozen

    def _forward(
        self, parameters: Parameters, tokens: Array, mask: Array, dropout: Dropout | None = None
    ) -> tuple[Array, Array]:
        vectors = encode(parameters["layers"], tokens.astype(jnp.float32), mask, self.frozen, LAYERS, dropout)
        judged = judge(parameters["heads"], vectors, mask)
        return judged.types, judged.modalities

    def _loss(self, parameters: Parameters, batch: tuple[Array, Array, Array, Array], key: Array) -> Array:
        tokens, mask, types, modalities = batch
        dropout = Dropout(self.plan.dropout, key) if self.plan.dropout else None
        sure, manner = self._forward(parameters, tokens, mask, dropout)
        blur = self.plan.smoothing
        of_types = optax.sigmoid_binary_cross_entropy(sure, types * (1 - blur) + blur / 2).sum(-1).mean()
        spread = modalities * (1 - 2 * blur) + 2 * blur / len(MODALITIES)
        of_modality = -(jax.nn.log_softmax(manner, -1) * spread).sum(-1) * types
        return of_types + self.plan.modality_weight * of_modality.sum() / jnp.maximum(1, types.sum())

    def _step(
        self, optimiser: Array, parameters: Parameters, state: Array, batch: Array, key: Array
    ) -> tuple[Parameters, Array, Array]:
        loss, gradients = jax.value_and_grad(self._loss)(parameters, batch, key)
        updates, state = optimiser.update(gradients, state, parameters)
        return optax.apply_updates(parameters, updates), state, loss


def average(members: Sequence[Parameters]) -> Parameters:
    """The mean of every weight: members that began alike lie so close that their mean is a model too."""
    mean: Parameters = jax.tree.map(lambda *same: sum(same) / len(same), *members)
    return mean


def batches(rows: Sequence[int], size: int) -> list[tuple[list[int], list[int]]]:
    """``rows`` in batches, each with the spare rows that bring it to ``size``, for a batch's shape is compiled."""
    cut = [list(rows[start : start + size]) for start in range(0, len(rows), size)]
    return [(picks, [picks[-1]] * (size - len(picks))) for picks in cut]


def shuffled(by_length: Mapping[int, list[int]], size: int, order: np.random.Generator) -> list[list[int]]:
    """Full batches of rows of one length, all in a random order; some rows come twice to fill the last batches."""
    cut: list[list[int]] = []
    for rows in by_length.values():
        mixed = [int(row) for row in order.permutation(rows)]
        mixed += [int(row) for row in order.choice(rows, -len(mixed) % size)]
        cut += [mixed[start : start + size] for start in range(0, len(mixed), size)]
    return [cut[place] for place in order.permutation(len(cut))]


def _optimiser(plan: Plan, steps: int) -> Array:
    def adamw(rate: float) -> Array:
        schedule = optax.warmup_cosine_decay_schedule(0.0, rate, max(1, steps // 10), steps, rate * 0.02)
        return optax.adamw(schedule, weight_decay=0.01)

    layers = range(LAYERS - plan.tuned, LAYERS)
    learners = {str(layer): adamw(plan.rate * plan.decay ** (LAYERS - 1 - layer)) for layer in layers}
    each = optax.multi_transform({**learners, "heads": adamw(plan.head_rate)}, _learners)
    return optax.chain(optax.clip_by_global_norm(1.0), each)


def _learners(parameters: Parameters) -> dict[str, dict[str, str]]:
    """Which learner has which parameter: each layer its own, the heads one."""
    return {
        part: {name: name.split(".")[2] if part == "layers" else part for name in parameters[part]}
        for part in parameters
    }
