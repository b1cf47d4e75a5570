"""Filling placeholders: the same seed gives the same names, each letter one actor, and nothing is left open."""

from __future__ import annotations

import pytest

from config.names import load_gazetteer
from config.settings import PACKAGED
from pipeline.training.corpus import Template, load_corpus
from pipeline.training.fill import Cast, cast, fill, fill_neutral


@pytest.fixture(scope="module")
def actors() -> Cast:
    return cast(load_gazetteer(PACKAGED / "gazetteer"))


def template(text: str) -> Template:
    return Template("one.jsonl", 1, text, "headline", ())


def test_a_seed_decides(actors: Cast) -> None:
    """The same seed and copy always give the same sentence; another copy gives other names."""
    line = template("{A} and {B} meet {C}")
    assert fill(line, actors, 1) == fill(line, actors, 1)
    assert len({fill(line, actors, seed, copy) for seed in range(3) for copy in range(3)}) == 9


def test_a_letter_is_one_actor(actors: Cast) -> None:
    """Name, adjective, people, capital and leader of a letter belong to one state; two letters are two states."""
    states = {entry.code: entry for entry, _ in actors.states}
    for copy in range(40):
        name, adjective, people, capital, leader, other = fill(
            template("x {A}|{A.adj}|{A.people}|{A.capital}|{A.leader}|{B}"), actors, 0, copy
        )[2:].split("|")
        found = [
            code
            for code, entry in states.items()
            if name in entry.names and adjective in entry.adjectives and people in entry.people
        ]
        assert len(found) == 1
        assert capital in states[found[0]].capitals
        assert leader in actors.leaders[found[0] or ""]
        assert other not in states[found[0]].names


def test_every_line_of_the_corpus_is_filled(actors: Cast) -> None:
    """No placeholder stays open in any sentence that trains, and none of the drill's names comes in."""
    filled = [fill(line, actors, 0) for line in load_corpus()]
    assert not [text for text in filled if "{" in text or "}" in text or "Karvenia" in text]


def test_capitals_stay_capitals(actors: Cast) -> None:
    """A headline in capitals has its names in capitals, as news has them."""
    text = fill(template("{A} WARNS {G}"), actors, 0)
    assert text == text.upper()


def test_a_name_opens_with_a_capital(actors: Cast) -> None:
    """Names with a small first letter take a capital at the start of a sentence."""
    opened = {fill(template("{G} attack"), actors, 0, copy)[:2] for copy in range(200)}
    assert "al" not in opened


def test_neutral_words_name_nobody() -> None:
    """For likeness the same words stand for whoever it is."""
    assert fill_neutral(template("{A.adj} jets leave {B.capital}")) == "foreign jets leave the capital"
