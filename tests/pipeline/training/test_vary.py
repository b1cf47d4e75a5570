"""Changing sentences as news does: seeded, and what a sentence says stays what it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.names import load_gazetteer
from config.settings import PACKAGED
from pipeline.records import EventType, Modality
from pipeline.training.corpus import Template, load_corpus
from pipeline.training.fill import Cast, cast, fill
from pipeline.training.vary import LONGEST, NONE, Habits, Varied, vary

HELD = ((EventType.FORCE, Modality.ASSERTED),)
QUIET = Template("one.jsonl", 2, "Bakers of {C} meet in spring.", "wire", (), "food")


@pytest.fixture(scope="module")
def actors() -> Cast:
    return cast(load_gazetteer(PACKAGED / "gazetteer"))


def line(text: str, form: str = "wire") -> Template:
    return Template("one.jsonl", 1, text, form, HELD)


def copies(template: Template, actors: Cast, habits: Habits, count: int = 60) -> list[Varied]:
    return [vary(template, [QUIET], actors, habits, 0, copy) for copy in range(count)]


def test_without_habits_it_is_only_filled(actors: Cast) -> None:
    """Validation sentences, and a plan without variety, are what the corpus says and nothing else."""
    template = line("{A} shells {B}.")
    assert vary(template, [QUIET], actors, NONE, 3, 4) == Varied(fill(template, actors, 3, 4), HELD)


def test_a_seed_decides(actors: Cast) -> None:
    """A run can be repeated: the same seed and copy give the same sentence, another copy another one."""
    template = line("{A} shells {B}.")
    assert copies(template, actors, Habits()) == copies(template, actors, Habits())
    assert len({varied.text for varied in copies(template, actors, Habits())}) > 50


def test_a_joined_sentence_keeps_both_labels(actors: Cast) -> None:
    """What is appended adds its own events and takes none away; a sentence without events adds none."""
    always = replace(NONE, joined=1.0)
    for varied in copies(line("{A} shells {B}."), actors, always):
        assert varied.events == HELD
        assert "Bakers of" in varied.text
        assert "shells" in varied.text
    other = replace(QUIET, events=((EventType.TALKS, Modality.PLANNED),))
    assert set(vary(line("{A} shells {B}."), [other], actors, always, 0, 0).events) == {*HELD, *other.events}


def test_nothing_is_joined_beyond_what_is_read(actors: Cast) -> None:
    """An event behind the last token that the network sees would be a label without a cause."""
    long = line("{A} shells {B}" + " and so on" * 40)
    assert all("Bakers" not in varied.text for varied in copies(long, actors, replace(NONE, joined=1.0)))
    assert len(fill(long, actors, 0)) > LONGEST


def test_nobody_need_be_named(actors: Cast) -> None:
    """Real sentences often name no state: somebody else stands there, with a capital where the sentence opens."""
    texts = [varied.text for varied in copies(line("{A} shells the town."), actors, replace(NONE, vague=1.0))]
    assert any(text.startswith("The army shells") for text in texts)
    assert all(text[0].isupper() or not text[0].isalpha() for text in texts)


def test_capitals_stay_capitals(actors: Cast) -> None:
    """Who stands for a name in a headline in capitals is in capitals too."""
    for varied in copies(line("{A} SHELLS {B}", "headline"), actors, replace(NONE, vague=1.0)):
        assert varied.text.isupper()


def test_frames_fit_the_form(actors: Cast) -> None:
    """Datelines stand before wire sentences only, and labels at headlines only; no frame takes the words away."""
    habits = Habits(0, 0, 1.0, 1.0, 1.0, 0)
    for varied in copies(line("Jets strike a port."), actors, habits):
        assert varied.text.split(" ")[0].strip(",").isupper()
        assert "Jets strike a port, " in varied.text
    for varied in copies(line("Jets strike port", "headline"), actors, habits):
        assert "Jets strike port" in varied.text
        assert len(varied.text) > len("Jets strike port")
    assert all(
        not varied.text.endswith(".") for varied in copies(line("Jets strike."), actors, replace(NONE, stop=1.0))
    )


def test_every_line_of_the_corpus_can_be_changed(actors: Cast) -> None:
    """No placeholder stays open, whatever was changed."""
    corpus = load_corpus()[::7]
    always = Habits(1, 1, 1, 1, 1, 1)
    made = [vary(template, corpus, actors, always, 0, 0).text for template in corpus]
    assert not [text for text in made if "{" in text or "}" in text]
