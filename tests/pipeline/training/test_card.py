"""The card tells what the model is made of; it is written from the run, so that it can't be out of date."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.training.corpus import MODALITIES, TYPES, Template
from pipeline.training.measure import Answers, measure
from pipeline.training.split import Split


def test_the_card_tells_data_figures_limits_and_licence() -> None:
    """Data, plan, figures with interval, licence and limits all stand in it."""
    pytest.importorskip("jax", reason="needs the extra `train`")
    pytest.importorskip("onnx", reason="needs the extra `train`")
    pytest.importorskip("optax", reason="needs the extra `train`")
    from pipeline.training.card import Made, card
    from pipeline.training.export import Parity
    from pipeline.training.fit import Plan

    shape = (2, len(TYPES), len(MODALITIES))
    figures = measure(Answers(np.zeros(shape[:2]), np.zeros(shape), np.zeros(shape[:2]), np.zeros(shape)), np.ones(15))  # type: ignore[arg-type]
    line = Template("one.jsonl", 1, "{A} sleeps", "headline", (), "animals")
    text = card(Made(Plan(), Split((line,), ()), (figures, figures), figures, Parity(0.001, 0.01, 0.2, 0.99, 23.5)))
    for told in (
        "Apache-2.0",
        "1 templates train (1 without",
        "seed 0",
        "±",
        "23.5 MB",
        "## Limits",
        "| weapons_test |",
    ):
        assert told in text
