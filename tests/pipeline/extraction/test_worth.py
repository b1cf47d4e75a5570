"""Whether a teaser is worth its page."""

from __future__ import annotations

import pytest

from config.settings import load_settings
from pipeline.extraction.worth import load_gate


@pytest.fixture(scope="module")
def gate():
    """The gate, as connect builds it."""
    return load_gate(load_settings())


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("Russia moves troops to the border with Ukraine\n", True),
        ("What we know so far\nChina imposed sanctions on two firms of the United States on Monday.", True),
        ("Russia\nIt moved troops towards the border of Ukraine.", True),
        ("Bakers in Izmir want higher pay\nThe bakers of the town met on Sunday.", False),
        ("\n", False),
        ("", False),
        ("a\n" * 100_000, False),
    ],
)
def test_a_trigger_in_title_or_summary(gate, text: str, passes: bool):
    """What the gate of extraction would pass is worth its page, and nothing else is."""
    assert gate(text) is passes
