"""Engine and explainer are made once: the language model takes seconds to load."""

import pytest

from config.settings import load_settings
from pipeline.explain.reasons import Explainer
from pipeline.extraction.engine import Engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The rules alone: what is drawn must not wait for what a model learned."""
    return Engine.load(load_settings(sentence_model="none"))


@pytest.fixture(scope="session")
def explainer(engine: Engine) -> Explainer:
    """What explains it."""
    return Explainer(engine)
