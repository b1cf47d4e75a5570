"""Fusion: one judgement from two opinions, the sentence model's and the rules'.

Whether a type is there: a logistic regression on the model's log odds and on whether a rule found the type. In what
modality: the model's probabilities times how often the rules say what they say where each modality is so. The figures
are fitted on corpus lines that the model was not trained on (``pipeline/training/fuse.py``), so that what comes out is
a probability: of the signals at 0.8, four in five are right, as far as the corpus is like the news.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.extraction.sentence_model import (
    FUSION,
    MODALITIES,
    TYPES,
    Opinion,
    SentenceModelError,
    read_json,
)
from pipeline.records import EventType, Modality

AGREED, ALONE = 0.35, 0.9
"""Least probability that counts, where a rule agrees and where the model is alone: the lines on which probabilities
were fitted are kinder than the news, and an alarm that nobody can explain by a word costs more than a miss."""
LEAST = 1e-4
"""Probabilities nearer to 0 or 1 are taken for this near."""


@dataclass(frozen=True, slots=True)
class Fusion:
    """How the opinions are weighed.

    Attributes:
        slope: Weight of the model's log odds of a type.
        rule: What a rule that found the type adds to them.
        bias: Of each type, added always.
        thresholds: Of each type the probability from which on it counts.
        manner_slope: Weight of the model's log probability of a modality.
        votes: What the rules' modality adds to the log odds of each.
    """

    slope: float
    rule: float
    bias: Mapping[EventType, float]
    thresholds: Mapping[EventType, float]
    manner_slope: float
    votes: Mapping[Modality, Mapping[Modality, float]]

    def probability(self, opinion: Opinion, kind: EventType, *, ruled: bool) -> float:
        """That the sentence holds an event of ``kind``; ``ruled``: a rule found one."""
        odds = self.slope * log_odds(float(opinion.types[TYPES.index(kind)])) + self.bias[kind]
        return _sigmoid(odds + (self.rule if ruled else 0.0))

    def accepts(self, opinion: Opinion, kind: EventType, *, ruled: bool) -> bool:
        """Whether an event of ``kind`` counts."""
        return self.probability(opinion, kind, ruled=ruled) >= max(self.thresholds[kind], AGREED if ruled else ALONE)

    def worth_parsing(self, opinion: Opinion) -> bool:
        """Whether any event could count, should the rules agree."""
        return any(self.accepts(opinion, kind, ruled=True) for kind in TYPES)

    def modalities(self, opinion: Opinion, kind: EventType, ruled: Modality | None) -> dict[Modality, float]:
        """Probability of each modality of an event of ``kind`` that the rules take for ``ruled``."""
        given = np.log(np.clip(opinion.modalities[TYPES.index(kind)], LEAST, 1.0)) * self.manner_slope
        votes = self.votes[ruled] if ruled is not None else {}
        score = given + np.array([votes.get(modality, 0.0) for modality in MODALITIES])
        spread = np.exp(score - score.max())
        return dict(zip(MODALITIES, (spread / spread.sum()).tolist(), strict=True))


def load_fusion(folder: Path) -> Fusion:
    """Read ``fusion.json``.

    Raises:
        SentenceModelError: It can't be read, or is of another set of types or modalities.
    """
    path = folder / FUSION
    data = read_json(path)
    try:
        kinds, manner = data["types"], data["modalities"]
        return Fusion(
            float(kinds["slope"]),
            float(kinds["rule"]),
            {kind: float(kinds["bias"][kind]) for kind in TYPES},
            {kind: float(kinds["threshold"][kind]) for kind in TYPES},
            float(manner["slope"]),
            {said: {so: float(manner["votes"][said][so]) for so in MODALITIES} for said in MODALITIES},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SentenceModelError(f"loading the sentence model failed: {path}: {error!r}") from None


def log_odds(probability: float) -> float:
    """Of a probability, kept off 0 and 1."""
    kept = min(max(probability, LEAST), 1 - LEAST)
    return math.log(kept / (1 - kept))


def _sigmoid(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))
