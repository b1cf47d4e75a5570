"""The engine is made once: its model takes seconds to load."""

import pytest

from config.settings import load_settings
from pipeline.extraction.engine import Engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine as the packaged configuration makes it."""
    return Engine.load(load_settings())


@pytest.fixture(scope="session")
def rules() -> Engine:
    """The engine without the sentence model: what grammar alone makes of a sentence."""
    return Engine.load(load_settings(sentence_model="none"))
