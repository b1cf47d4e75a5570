"""Why sentences gave nothing: each kind of reason, and that it names the right words."""

# ruff: noqa: RUF001 - typographic quotes are the matter here

import re

import msgspec
import pytest
from extraction_support import article

from config.settings import load_settings
from pipeline.explain.reasons import Explainer
from pipeline.extraction.engine import Engine
from pipeline.extraction.sentences import MAX_SENTENCES, MAX_TEXT


def _whys(engine, explainer, text: str, **more) -> list[str]:
    one = article(text, **more)
    return [passage.why for passage in explainer.explain(one, engine.extract([one])[0]).passages]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("It was dull.", "no trigger"),
        ("Workers went on strike in Lyon.", "‘went’, ‘strike’, but no known actor"),
        ("Chad read of troops and tanks, and of missiles.", ", but judged to be no event"),
    ],
)
def test_what_was_lacking(engine, explainer, text, why):
    """No trigger; a trigger without an actor, naming the words; and what passed the gate but names no event."""
    (said,) = _whys(engine, explainer, text)
    assert said.endswith(why)


def test_the_sentence_model_says_what_it_held_likeliest():
    """A sentence that the model talked out of being an event says which it came nearest to, and how near."""
    engine = Engine.load(load_settings())
    (why,) = _whys(engine, Explainer(engine), "Troops of Chad played football with fans of Sudan in a charity match.")
    assert re.search(r"but no event: at most \w+, \d+% sure$", why)


def test_trigger_words_are_those_of_the_sentence(engine, explainer):
    """A word of the next sentence is not named as a reason for this one."""
    first, _ = _whys(engine, explainer, "Bakers went on strike in Lyon. Troops of Chad attacked Sudan.")
    assert "‘strike’" in first
    assert "Lyon" not in first


def test_sentences_with_signals_have_no_reason(engine, explainer):
    """A passage has signals or a reason, never both and never neither; the signals are all of the article's."""
    one = article("Chad expelled the Sudanese ambassador. It rained.", title="Chad news")
    extraction = engine.extract([one])[0]
    explained = explainer.explain(one, extraction)
    assert [bool(p.signals) for p in explained.passages] == [not p.why for p in explained.passages]
    assert tuple(s for p in explained.passages for s in p.signals) == extraction.signals != ()


def test_bounds_and_language_are_said(engine, explainer):
    """Another language is not read; a text that is cut, or has too many sentences, says so."""
    foreign = msgspec.structs.replace(article("Truppen an der Grenze."), language="de")
    assert "'de'" in explainer.explain(foreign, engine.extract([foreign])[0]).note
    long = article("x " * MAX_TEXT)
    assert "characters" in explainer.explain(long, engine.extract([long])[0]).note
    many = article("It rained. " * (MAX_SENTENCES + 1))
    assert f"{MAX_SENTENCES} sentences" in explainer.explain(many, engine.extract([many])[0]).note
