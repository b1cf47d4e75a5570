"""Other forms of one sentence, from a seed: what news does to a sentence without changing what it says.

The corpus is tidy: named actors, one sentence a line. Real text names nobody now and then, opens with a dateline, ends
with its source, loses its full stop and runs two reports into one line.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.training.corpus import PLACEHOLDER, Event, Template
from pipeline.training.fill import Cast, fill

Random = random.Random

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec.")
PLACES = ("GENEVA", "NAIROBI", "ANKARA", "BRUSSELS", "CAIRO", "DELHI", "LONDON", "SEOUL", "DUBAI", "BOGOTA", "DAKAR")
AGENCIES = ("Reuters", "AP", "AFP", "Xinhua", "dpa")
SAID = (
    "officials said", "state media reported", "a spokesman said", "the ministry said", "diplomats said",
    "according to officials", "two sources said", "witnesses said", "the agency reported", "police said",
    "a senior official told reporters", "the government said in a statement",
)  # fmt: skip
LABELS = ("Breaking: ", "BREAKING - ", "Live: ", "Report: ", "UPDATE 1-", "Exclusive: ", "WATCH: ")
SOURCES = ("report", "officials", "state media", "ministry", "sources", "army", "UN")
VAGUE = {
    "names": ("the government", "the country", "the army", "the regime", "authorities", "the military", "officials",
              "the prime minister", "the president", "the foreign ministry"),
    "G": ("the rebels", "militants", "insurgents", "gunmen", "separatists", "the militia", "fighters", "guerrillas"),
    "O": ("the alliance", "the bloc", "the organisation", "Western allies", "the council"),
    "adj": ("government", "rebel", "foreign", "allied", "army"),
    "people": ("foreigners", "rebels", "locals"),
    "capital": ("the government",),
    "leader": ("the president", "the prime minister"),
}  # fmt: skip
"""Who acts where no name is given, by form or letter of the placeholder."""
LONGEST = 380
"""Characters that two joined sentences have at most: what is beyond ``base.MAX_TOKENS`` would be labelled unseen."""
TRIES = 9


@dataclass(frozen=True, slots=True)
class Habits:
    """How often a sentence is changed, each a share from 0 to 1.

    Attributes:
        vague: One of its actors without a name, or another name form.
        joined: With another sentence, mostly one without an event.
        dateline: Wire sentences, before them.
        label: Headlines, before them or their source after them.
        said: Wire sentences, a source after them.
        stop: Without the full stop.
    """

    vague: float = 0.18
    joined: float = 0.12
    dateline: float = 0.08
    label: float = 0.1
    said: float = 0.07
    stop: float = 0.18


USUAL = Habits()
NONE = Habits(0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Varied:
    """A sentence, and what it says."""

    text: str
    events: tuple[Event, ...]


def vary(template: Template, others: Sequence[Template], actors: Cast, habits: Habits, seed: int, copy: int) -> Varied:
    """The template filled and changed; the same arguments always give the same sentence.

    Args:
        template: The sentence.
        others: Where a sentence to join comes from.
        actors: Who may stand for a placeholder.
        habits: How often which change.
        seed: Of names and changes.
        copy: Another copy has other names and other changes.
    """
    choose = random.Random(f"{seed}:{copy}:{template.text}")  # noqa: S311 - variety for training, no secret
    if choose.random() < habits.vague:
        template = replace(template, text=_vague(template.text, choose))
    varied = Varied(fill(template, actors, seed, copy), template.events)
    if others and choose.random() < habits.joined:
        other = _other(others, choose, quiet=bool(template.events))
        varied = _join(varied, Varied(fill(other, actors, seed, copy), other.events), choose)
    return replace(varied, text=_framed(varied.text, template.form, habits, choose))


def _vague(text: str, choose: Random) -> str:
    """One actor by its capital, or as news speaks of whom it does not name."""
    found = sorted({match[0] for match in PLACEHOLDER.finditer(text)})
    if not found:
        return text
    picked = choose.choice(found)
    match = PLACEHOLDER.fullmatch(picked)
    form = (match["form"] or (match["letter"] if match["letter"] in "GO" else "names")) if match else "names"
    if form == "names" and choose.random() < 1 / 3:
        return text.replace(picked, f"{picked[:-1]}.capital}}")
    words = choose.choice(VAGUE[form])
    changed = text.replace(picked, words.upper() if PLACEHOLDER.sub("", text).isupper() else words)
    return changed[:1].upper() + changed[1:]


def _other(others: Sequence[Template], choose: Random, *, quiet: bool) -> Template:
    """Any sentence; mostly one without an event, where the first has some."""
    other = choose.choice(others)
    if quiet and choose.random() < 1 / 2:
        return other
    for _ in range(TRIES):
        if not other.events:
            break
        other = choose.choice(others)
    return other


def _join(one: Varied, other: Varied, choose: Random) -> Varied:
    """Both in one line, in either order, with the events of both."""
    if len(one.text) + len(other.text) > LONGEST:
        return one
    first, second = (one, other) if choose.random() < 1 / 2 else (other, one)
    between = choose.choice((" ", " ", "; ", ", while "))
    text = (first.text if between == " " else first.text.rstrip(".")) + between + second.text
    return Varied(text, tuple(dict.fromkeys((*first.events, *second.events))))


def _framed(text: str, form: str, habits: Habits, choose: Random) -> str:
    """With what stands around a sentence in the news."""
    if form == "wire":
        if choose.random() < habits.said and text.endswith("."):
            text = f"{text[:-1]}, {choose.choice(SAID)}{choose.choice(('', f' on {choose.choice(DAYS)}'))}."
        if choose.random() < habits.dateline:
            text = _dateline(choose) + text
    elif choose.random() < habits.label:
        text = choose.choice((choose.choice(LABELS) + text, f"{text.rstrip('.')} - {choose.choice(SOURCES)}"))
    return re.sub(r"\.$", "", text) if choose.random() < habits.stop else text


def _dateline(choose: Random) -> str:
    place, agency = choose.choice(PLACES), choose.choice(AGENCIES)
    date = f"{choose.choice(MONTHS)} {choose.randint(1, 30)}"
    return choose.choice(
        (f"{place} ({agency}) - ", f"{place}, {date} ({agency}) ", f"{place}, {date} - ", f"{place} - ")
    )
