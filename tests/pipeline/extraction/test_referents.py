"""Phrases that point at each other: pronouns in circles must neither raise nor cost more than their number."""

from __future__ import annotations

import pytest
from extraction_support import signals

CIRCLES = [
    '"If they refuse, our navy will strike," she said in a televised address.',
    '"We will attack them if they attack us," they said, and their allies, who said it was theirs, said so too.',
    "Its army said its government said its president said it would invade its neighbour if it mobilised its troops.",
    "The country said the country whose country attacked the country would attack the country.",
    "He said she said he said we would strike them, his minister, whose minister said it was her minister, said.",
]


@pytest.mark.parametrize("text", CIRCLES)
def test_circles_end(engine, text):
    """A pronoun whose antecedent is found by way of itself stands for nobody, and the rest is still read."""
    signals(engine, text)
    assert signals(engine, f"Russia massed troops near Ukraine. {text}", title=text)


def test_a_sentence_full_of_pronouns(engine):
    """Many pronouns, each a candidate for the next: the work must grow with their number, not with its power."""
    text = "Russia said it " + "and that they, whom it told that it was theirs, " * 12 + "would attack its neighbour."
    signals(engine, text)
