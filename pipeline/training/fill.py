"""Placeholders filled with names of the gazetteer, from a seed: the same seed always gives the same sentence."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.names import Entry, Gazetteer
from pipeline.training.corpus import PLACEHOLDER, Template

SPOKEN = 3
"""How many of an entry's names are used, from the first: the later ones are rare spellings."""

NEUTRAL = {
    "A": "the country", "B": "its neighbour", "C": "a third country", "G": "the rebels", "O": "the alliance",
    "adj": "foreign", "people": "foreigners", "capital": "the capital", "leader": "the president",
}  # fmt: skip
"""What stands for a placeholder where no name should count."""


@dataclass(frozen=True)
class Cast:
    """Who may stand for a placeholder.

    Attributes:
        states: States and territories, each with its weight: newsworthy ones (measured by the leaders that the
            gazetteer has) come more often.
        leaders: Surnames that stand alone, by code.
        groups: Armed groups.
        organisations: Organisations and alliances.
    """

    states: tuple[tuple[Entry, int], ...]
    leaders: Mapping[str, tuple[str, ...]]
    groups: tuple[Entry, ...]
    organisations: tuple[Entry, ...]


def cast(gazetteer: Gazetteer) -> Cast:
    """The gazetteer's actors, drill apart."""
    entries = [entry for entry in gazetteer.entries if not entry.drill]
    leaders: dict[str, list[str]] = {}
    for person in entries:
        for code in sorted(person.codes()) if person.kind == "person" else ():
            leaders.setdefault(code, []).extend(person.surnames)
    known = Counter({code: len(names) for code, names in leaders.items()})
    states = [
        (entry, known[entry.code or ""] + (entry.kind == "state"))
        for entry in entries
        if entry.kind in {"state", "territory"} and _names(entry, "names")
    ]
    return Cast(
        tuple((entry, weight) for entry, weight in states if weight),
        {code: tuple(names) for code, names in leaders.items() if names},
        tuple(entry for entry in entries if entry.kind == "armed_group" and _names(entry, "names")),
        tuple(entry for entry in entries if entry.kind in {"organisation", "alliance"} and _names(entry, "names")),
    )


def fill(template: Template, actors: Cast, seed: int, copy: int = 0) -> str:
    """The template's text with one name a placeholder; another ``copy`` gives another choice of names.

    The names of a text in capitals are in capitals too.
    """
    digest = hashlib.sha256(f"{seed}:{copy}:{template.text}".encode()).digest()
    choose = random.Random(digest)  # noqa: S311 - names for training, no secret
    chosen = _choose(template.text, actors, choose)
    words = {
        found: _spoken(chosen[letter], form, actors, choose)
        for found, letter, form in sorted(
            {(m[0], m["letter"], m["form"] or "") for m in PLACEHOLDER.finditer(template.text)}
        )
    }
    filled = PLACEHOLDER.sub(lambda match: words[match[0]], template.text)
    return filled.upper() if _in_capitals(template.text) else _opening(filled)


def fill_neutral(template: Template) -> str:
    """The text with words that name nobody: what of it would be the same whoever acts."""
    return PLACEHOLDER.sub(lambda match: NEUTRAL[match["form"] or match["letter"]], template.text)


def _choose(text: str, actors: Cast, choose: random.Random) -> dict[str, Entry]:
    """One entry a letter, no state twice."""
    wanted: dict[str, set[str]] = {}
    for match in PLACEHOLDER.finditer(text):
        wanted.setdefault(match["letter"], set()).add(match["form"] or "names")
    chosen: dict[str, Entry] = {}
    for letter, forms in sorted(wanted.items()):
        if letter in "GO":
            chosen[letter] = choose.choice(actors.groups if letter == "G" else actors.organisations)
            continue
        fit = [(s, w) for s, w in actors.states if s not in chosen.values() and all(_has(s, f, actors) for f in forms)]
        chosen[letter] = choose.choices([s for s, _ in fit], [w for _, w in fit])[0]
    return chosen


def _has(state: Entry, form: str, actors: Cast) -> bool:
    return bool(_forms(state, form, actors))


def _spoken(entry: Entry, form: str, actors: Cast, choose: random.Random) -> str:
    return choose.choice(_forms(entry, form or "names", actors))


def _forms(entry: Entry, form: str, actors: Cast) -> Sequence[str]:
    if form == "leader":
        return actors.leaders.get(entry.code or "", ())
    group = {"adj": "adjectives", "capital": "capitals"}.get(form, form)
    return _names(entry, group)


def _names(entry: Entry, group: str) -> Sequence[str]:
    names: Sequence[str] = getattr(entry, group)
    return [name for name in names if name not in entry.silent and name not in entry.ambiguous][:SPOKEN]


def _in_capitals(text: str) -> bool:
    letters = [letter for letter in PLACEHOLDER.sub("", text) if letter.isalpha()]
    return bool(letters) and all(letter.isupper() for letter in letters)


def _opening(text: str) -> str:
    """Names such as ``al-Shabaab`` and ``the West`` take a capital where they open the sentence."""
    return re.sub(r"^(the|al)\b", lambda match: match[0].capitalize(), text)
