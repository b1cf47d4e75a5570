"""Places: where an event happens, by the words of its sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.referents import resolve
from pipeline.records import Place

if TYPE_CHECKING:
    from spacy.tokens import Token

    from pipeline.extraction.scene import Scene

WHERE = (
    "in",
    "near",
    "at",
    "on",
    "along",
    "to",
    "into",
    "inside",
    "over",
    "towards",
    "toward",
    "across",
    "from",
    "off",
    "around",
    "within",
    "outside",
)
SITES = frozenset(
    {
        "border",
        "frontier",
        "sea",
        "coast",
        "waters",
        "strait",
        "ocean",
        "airspace",
        "island",
        "peninsula",
        "region",
        "gulf",
        "capital",
        "line",
        "river",
        "shoal",
        "reef",
        "base",
        "port",
        "north",
        "south",
        "east",
        "west",
    }
)
PLACED = frozenset({"city", "region", "sea", "state", "territory", "capital"})
MAX_TEXT = 120


def location(trigger: Token, scene: Scene) -> Place | None:
    """Where: the first place named by a preposition of the event, of its verb, or of what is moved."""
    verb, _ = tree.governor(trigger) if not tree.is_verb(trigger) else (trigger, "")
    above = [trigger] + ([verb] if verb is not None and verb != trigger else [])
    above += tree.objects(verb) if verb is not None else []
    for token in above:
        for place in tree.pobjs(token, *WHERE):
            found = _place(place, scene)
            if found is not None:
                return found
    if not tree.is_verb(trigger):
        for child in trigger.children:
            name = scene.name_at(child)
            if name is not None and name.kind in {"city", "region", "sea"}:
                return Place(text=name.text, code=name.code)
    return None


def _place(token: Token, scene: Scene) -> Place | None:
    name = scene.name_at(token)
    words = tree.phrase(token)
    text = scene.sentence.text[words[0].idx : words[-1].idx + len(words[-1].text)][:MAX_TEXT]
    if name is not None:
        return Place(text=text, code=name.code) if name.kind in PLACED else None
    if tree.lemma(token) not in SITES and token.lower_ not in SITES:
        return None
    inner = resolve(token, scene) or [r for p in tree.pobjs(token, "with", "of") for r in resolve(p, scene)]
    return Place(text=text, code=inner[0].code if inner else None)
