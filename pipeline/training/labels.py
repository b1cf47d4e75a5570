"""Labels as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.training.base import Floats
from pipeline.training.corpus import MODALITIES, TYPES, Event


def targets(labels: Sequence[Sequence[Event]]) -> tuple[Floats, Floats]:
    """Labels as ``types [n, 15]`` and ``modalities [n, 15, 8]``; a type's modalities share 1 evenly."""
    types = np.zeros((len(labels), len(TYPES)), np.float32)
    modalities = np.zeros((len(labels), len(TYPES), len(MODALITIES)), np.float32)
    for row, events in enumerate(labels):
        for kind, modality in events:
            types[row, TYPES.index(kind)] = 1
            modalities[row, TYPES.index(kind), MODALITIES.index(modality)] = 1
    return types, modalities / np.maximum(1, modalities.sum(-1, keepdims=True))
