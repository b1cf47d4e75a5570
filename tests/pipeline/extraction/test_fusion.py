"""Fusion: how the model's opinion and the rules' are weighed. Figures here are made up; the shipped ones are fitted."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.extraction.fusion import Fusion, load_fusion
from pipeline.extraction.sentence_model import MODALITIES, TYPES, Opinion, SentenceModelError
from pipeline.records import EventType, Modality

NOTHING = dict.fromkeys(MODALITIES, 0.0)
FUSION = Fusion(
    slope=1.0,
    rule=2.0,
    bias=dict.fromkeys(TYPES, 0.0),
    thresholds=dict.fromkeys(TYPES, 0.5),
    manner_slope=1.0,
    votes={said: NOTHING | {said: 1.5} for said in MODALITIES},
)


def opinion(kind: EventType, sure: float, **modalities: float) -> Opinion:
    """An opinion that sees ``kind`` with ``sure`` and its modalities, and nothing else."""
    types = np.full(len(TYPES), 0.001, np.float32)
    types[TYPES.index(kind)] = sure
    manner = np.full((len(TYPES), len(MODALITIES)), 0.01, np.float32)
    for modality, share in modalities.items():
        manner[TYPES.index(kind), MODALITIES.index(Modality(modality))] = share
    looked = np.zeros((len(TYPES), 1), np.float32)
    return Opinion(types, manner, looked, looked, ((0, 1),))


def test_a_rule_adds_to_the_model() -> None:
    """A doubtful opinion counts where a rule agrees, and not where it stands alone; a sure no is not talked over."""
    doubtful, unlikely = opinion(EventType.FORCE, 0.3), opinion(EventType.FORCE, 0.01)
    assert not FUSION.accepts(doubtful, EventType.FORCE, ruled=False)
    assert FUSION.accepts(doubtful, EventType.FORCE, ruled=True)
    assert not FUSION.accepts(unlikely, EventType.FORCE, ruled=True)


def test_worth_parsing_waits_for_the_rules() -> None:
    """What a rule could still tip over the threshold must be parsed, or the rule is never asked."""
    assert FUSION.worth_parsing(opinion(EventType.TALKS, 0.3))
    assert not FUSION.worth_parsing(opinion(EventType.TALKS, 0.05))


def test_probabilities_stay_probabilities() -> None:
    """An opinion of exactly 0 or 1 gives no infinity."""
    for sure in (0.0, 1.0):
        given = FUSION.probability(opinion(EventType.TALKS, sure), EventType.TALKS, ruled=True)
        assert 0 < given < 1


def test_modalities_are_shared_by_both() -> None:
    """Where the model wavers the rules decide; where it is sure they do not; without a rule it decides alone."""
    wavering = opinion(EventType.FORCE, 0.9, asserted=0.45, negated=0.40)
    assert likeliest(FUSION.modalities(wavering, EventType.FORCE, Modality.NEGATED)) is Modality.NEGATED
    assert likeliest(FUSION.modalities(wavering, EventType.FORCE, None)) is Modality.ASSERTED
    sure = opinion(EventType.FORCE, 0.9, asserted=0.98)
    assert likeliest(FUSION.modalities(sure, EventType.FORCE, Modality.NEGATED)) is Modality.ASSERTED
    assert sum(FUSION.modalities(wavering, EventType.FORCE, None).values()) == pytest.approx(1)


def likeliest(spread: dict[Modality, float]) -> Modality:
    return max(spread, key=lambda modality: spread[modality])


def test_fusion_of_another_codebook_is_refused(tmp_path: Path) -> None:
    """A file without one of the types was made for another version: the engine must not start and guess."""
    bias = {str(kind): 0.0 for kind in TYPES if kind is not EventType.INCIDENT}
    kinds = {"slope": 1, "rule": 1, "bias": bias, "threshold": bias}
    votes = {said: dict(NOTHING) for said in MODALITIES}
    text = json.dumps({"types": kinds, "modalities": {"slope": 1, "votes": votes}})
    (tmp_path / "fusion.json").write_text(text, encoding="utf-8")
    with pytest.raises(SentenceModelError, match="incident"):
        load_fusion(tmp_path)


def test_fusion_is_frozen() -> None:
    """It is shared by all sentences."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        FUSION.slope = 2.0  # type: ignore[misc]
