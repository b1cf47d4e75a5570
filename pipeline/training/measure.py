"""How well a model judges: thresholds and figures, from probabilities and labels alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Modality
from pipeline.training.base import Floats
from pipeline.training.corpus import ACTIVE, MODALITIES, TYPES

GRID = tuple(round(0.2 + 0.05 * step, 2) for step in range(13))
"""Thresholds that are tried: 0.20 to 0.80."""
REACH = 0.15
"""How far a type's own threshold may lie from the common one: a type has only some dozens of validation lines."""
ALARM_LIMIT = 0.06
"""Share of negatives that may give an active signal; the common threshold rises until it holds. Two in three negatives
of the corpus are near misses, and the engine's gate on actors takes most alarms away afterwards."""
INACTIVE = (Modality.NEGATED, Modality.HISTORICAL)

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model said of some sentences, and what is so.

    Attributes:
        types: Probabilities ``[n, 15]``.
        modalities: Probabilities ``[n, 15, 8]``.
        true_types: ``[n, 15]``, above 0 where the type is.
        true_modalities: ``[n, 15, 8]``, above 0 where the type has the modality.
    """

    types: Floats
    modalities: Floats
    true_types: Floats
    true_modalities: Floats


@dataclass(frozen=True, slots=True)
class TypeFigures:
    """Of one type: precision, recall, F1, and of how many sentences."""

    precision: float
    recall: float
    f1: float
    sentences: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What is reported.

    Attributes:
        macro_f1: Mean F1 of the types.
        modality_accuracy: Share of found types whose likeliest modality is one that the sentence holds.
        signal_precision: Of the sentences with a found type, the share that holds an event.
        signal_recall: Of the sentences with an event, the share with a found type.
        alarms: Share of negatives with an active signal.
        leak: Share of negated and historical events that were found and taken to be active.
        by_type: Figures of each type.
        confusion: By true modality, how often each modality was given to a type that was found.
    """

    macro_f1: float
    modality_accuracy: float
    signal_precision: float
    signal_recall: float
    alarms: float
    leak: float
    by_type: dict[str, TypeFigures]
    confusion: dict[str, dict[str, int]]

    def summary(self) -> dict[str, float]:
        """The single figures, rounded."""
        return {name: round(value, 3) for name, value in asdict(self).items() if isinstance(value, float)}

    def as_json(self) -> dict[str, Any]:
        """Everything, for a file."""
        return {**asdict(self), **self.summary()}


def measure(answers: Answers, thresholds: Floats) -> Figures:
    """Figures of ``answers`` where a type counts as found from its threshold (``[15]``) on."""
    true, found = answers.true_types > 0, answers.types >= thresholds
    likeliest = answers.modalities.argmax(-1)
    right = np.take_along_axis(answers.true_modalities > 0, likeliest[..., None], -1)[..., 0]
    active = found & _active()[likeliest]
    events, sentences = true.any(1), found.any(1)
    stale = answers.true_modalities[..., [MODALITIES.index(kind) for kind in INACTIVE]].sum(-1) == 1
    both = true & found
    figures = {kind: _type_figures(true[:, at], found[:, at]) for at, kind in enumerate(TYPES)}
    return Figures(
        macro_f1=float(np.mean([each.f1 for each in figures.values()])),
        modality_accuracy=_ratio(right[both].sum(), both.sum()),
        signal_precision=_ratio((events & sentences).sum(), sentences.sum()),
        signal_recall=_ratio((events & sentences).sum(), events.sum()),
        alarms=_ratio(active[~events].any(1).sum(), (~events).sum()),
        leak=_ratio((active & stale).sum(), stale.sum()),
        by_type={str(kind): each for kind, each in figures.items()},
        confusion=_confusion(answers.true_modalities[both], likeliest[both]),
    )


def choose_thresholds(answers: Answers) -> Floats:
    """Of each type the threshold with the best F1, near a common one that keeps alarms within ``ALARM_LIMIT``."""
    common = _common(answers)
    near = [threshold for threshold in GRID if abs(threshold - common) <= REACH + 1e-9]
    true = answers.true_types > 0

    def best(at: int) -> float:
        # Of equals the one next to the common threshold: a chance of few lines should move little.
        return max(
            near, key=lambda t: (round(_type_figures(true[:, at], answers.types[:, at] >= t).f1, 3), -abs(t - common))
        )

    return np.array([best(at) for at in range(len(TYPES))], np.float32)


def _common(answers: Answers) -> float:
    tried = [(threshold, measure(answers, np.full(len(TYPES), threshold, np.float32))) for threshold in GRID]
    quiet = [(threshold, figures) for threshold, figures in tried if figures.alarms <= ALARM_LIMIT]
    if not quiet:
        return GRID[-1]
    return max(quiet, key=lambda pair: pair[1].macro_f1)[0]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean of ``values`` (of several seeds), and half the width of its 95 % interval by Student's t."""
    students = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}
    count = len(values)
    if count == 1:
        return float(values[0]), 0.0
    return float(np.mean(values)), float(students.get(count, 2.6) * np.std(values, ddof=1) / np.sqrt(count))


def _type_figures(true: Bools, found: Bools) -> TypeFigures:
    hits = (true & found).sum()
    precision, recall = _ratio(hits, found.sum()), _ratio(hits, true.sum())
    return TypeFigures(precision, recall, _ratio(2 * hits, found.sum() + true.sum()), int(true.sum()))


def _confusion(true: Floats, likeliest: NDArray[np.int64]) -> dict[str, dict[str, int]]:
    """A type with several modalities counts as the one that was given, where it is among them."""
    table = {str(row): {str(column): 0 for column in MODALITIES} for row in MODALITIES}
    for held, given in zip(true, likeliest, strict=True):
        row = given if held[given] > 0 else held.argmax()
        table[MODALITIES[row]][MODALITIES[given]] += 1
    return table


def _active() -> Bools:
    return np.array([modality in ACTIVE for modality in MODALITIES])


def _ratio(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else 0.0
