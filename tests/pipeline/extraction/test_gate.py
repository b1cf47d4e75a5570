"""The gate: what it asks of a sentence, what it says of those that it stops, and what it costs on both sides."""

from __future__ import annotations

from collections import Counter

import pytest

from config.lexicon import load_lexicon
from config.names import load_gazetteer
from config.settings import PACKAGED
from pipeline.extraction import sentences
from pipeline.extraction.engine import NAMES_AS_OF
from pipeline.extraction.gate import Gate, count_actors
from pipeline.extraction.names import NameMatcher
from pipeline.extraction.reading import by_sentence
from pipeline.training.corpus import load_corpus
from pipeline.training.fill import cast, fill
from tests.bench import gate as bench

LEXICON = load_lexicon(PACKAGED / "lexicon.yaml")
GAZETTEER = load_gazetteer(PACKAGED / "gazetteer")
GATE = Gate(LEXICON)
NAMES = NameMatcher(GAZETTEER)


def verdicts(text: str, title: str = "") -> list[str]:
    """What the gate says of each sentence of title and text, in order."""
    return list(bench.verdicts(GATE, NAMES, title, text).values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kenya shelled the port.", ["passed"]),
        ("Kenya recalled its ambassador.", ["passed"]),
        ("Kenya gave Uganda a week.", ["passed"]),
        ("Kenya gave farmers a week.", ["one actor"]),
        ("The army chief said that missiles were on their way.", ["no actor"]),
        ("The weather will be fine in Kenya.", ["no trigger"]),
        ("The weather will be fine.", ["no trigger"]),
        ("Troops invaded the valley at dawn.", ["passed"]),
    ],
)
def test_trigger_and_actor(text: str, expected: list[str]):
    """A telling word needs one actor, an everyday word two, and what is strong and armed none."""
    assert verdicts(text) == expected


def test_arms_lean_on_any_actor_before():
    """A sentence of arms without a name passes where the article has named an actor, however long before."""
    told = "Kenya is at odds with its neighbour. Rain fell. The night was cold. The missiles were fired at the harbour."
    assert verdicts(told) == ["no trigger", "no trigger", "no trigger", "passed"]
    assert verdicts("Rain fell. The missiles were fired at the harbour.") == ["no trigger", "no actor"]


def test_telling_words_lean_on_the_sentence_right_before():
    """Talks without a name pass after a sentence that has one, and not later."""
    assert verdicts("Kenya spoke. There will be no talks.")[1] == "passed"
    assert verdicts("Kenya spoke. Rain fell. There will be no talks.")[2] == "no actor"


def test_a_title_leans_on_the_text():
    """A headline names nobody whom its first sentence names."""
    assert verdicts("Kenya confirmed it.", title="Missiles fired at harbour")[0] == "passed"


def test_ordinary_company_makes_a_telling_word_an_everyday_one():
    """An attack on the striker's goal, a strike over wages: one actor is not enough. One word is no company."""
    assert verdicts("Talks in France were held in a stadium.") == ["passed"]
    assert verdicts("Brazil attack the goal with two strikers.") == ["one actor"]
    assert verdicts("Rail workers in France threaten a strike over wages.") == ["one actor"]


def test_a_word_is_no_stem_of_another():
    """War is not found in warm, nor ban in bank; a stem with a star is found in all its forms."""
    assert verdicts("Kenya has a warm bank.") == ["no trigger"]
    assert verdicts("Kenya remilitarises; it demilitarised once.") == ["passed"]


def test_actors_are_counted_once_each():
    """A state, its people and its capital are one actor; an everyday word between them is not between two."""
    assert verdicts("Kenya gave Kenyans in Nairobi a week.") == ["one actor"]


def test_a_lexicon_of_few_words():
    """A gate without any strong pattern, phrase or list still answers; a word of nothing but signs is in no text."""
    empty = LEXICON.gate.model_copy(update=dict.fromkeys(("forces", "armed", "telling", "everyday"), frozenset()))
    (plain,) = [p for p in LEXICON.patterns if p.words == {"summit"}]
    gate = Gate(
        LEXICON.model_copy(update={"gate": empty, "patterns": (plain,), "classes": {"signs": frozenset({"%"})}})
    )
    text = "Kenya and Uganda hold a summit. Kenya pays 5 %."
    assert list(bench.verdicts(gate, NAMES, "", text).values()) == ["passed", "no trigger"]


def test_passed_and_verdicts_agree():
    """The quick way and the one that explains say the same, on every article of the bench."""
    for article in bench.articles():
        for part, text in (("title", article.title), ("text", article.text)):
            found = [s for s in sentences.split(article.title, article.text) if s.part == part]
            named = by_sentence(found, {part: NAMES.mentions(text, article.published_at.date())})
            acting = count_actors(named)
            said = GATE.verdicts(text, found, acting)
            assert [s.index for s in GATE.passed(text, found, acting)] == [i for i, v in said.items() if v == "passed"]


def test_ordinary_news_is_stopped():
    """Ordinary articles pass about one sentence each; those of crises most of what names somebody."""
    ordinary, crises = bench.passes(GATE, NAMES)
    assert ordinary <= 1.5
    assert crises >= 10


def test_the_corpus_passes():
    """Sentences that name an actor and hold an event, in whatever words, reach the model: 97 of 100, 95 a type."""
    actors = cast(GAZETTEER)
    seen: Counter[str] = Counter()
    through: Counter[str] = Counter()
    for template in load_corpus():
        text = fill(template, actors, seed=3)
        if not template.events or not any(name.code for name in NAMES.mentions(text, NAMES_AS_OF)):
            continue
        passed = "passed" in verdicts(text)
        for kind in {"all", *(str(event[0]) for event in template.events)}:
            seen[kind] += 1
            through[kind] += passed
    shares = {kind: through[kind] / count for kind, count in seen.items()}
    assert shares.pop("all") >= 0.97, shares
    assert min(shares.values()) >= 0.95, shares
