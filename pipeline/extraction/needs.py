"""Needs: tests of sense that a pattern may name, for what no list of words can tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.control import doers
from pipeline.extraction.referents import resolve_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacy.tokens import Token

    from pipeline.extraction.scene import Scene

AIMED = ("on", "against", "at", "in", "into", "near", "inside", "toward", "towards", "across", "over")
_HOURS = re.compile(r"\b(?:\d+|[a-z-]+)[ -](?:hours?|days?|weeks?)\b")
_SIDES = re.compile(
    r"\b(?:both|two|three|warring|rival|all) "
    r"(?:sides|parties|countries|nations|leaders|neighbou?rs|delegations|ministers)\b"
)


def holds(need: str, token: Token, scene: Scene) -> bool:
    """Whether ``need`` holds for ``token``."""
    return _NEEDS[need](token, scene)


def _actor(token: Token, scene: Scene) -> bool:
    """Someone who can act is named in the sentence, or meant by a pronoun or ``the country`` of the event."""
    if scene.codes():
        return True
    return bool(resolve_all(_about(token), scene))


def _about(token: Token) -> list[Token]:
    if tree.is_verb(token):
        return [*doers(token), *tree.objects(token)]
    verb, _ = tree.governor(token)
    return [*tree.kids(token, "poss"), *(doers(verb) if verb is not None else [])]


def _two_actors(token: Token, scene: Scene) -> bool:
    """Two are named, or one is and another is meant by a pronoun of the event."""
    named = scene.codes()
    return len(named) > 1 or (bool(named) and bool({r.code for r in resolve_all(_about(token), scene)} - named))


def _object_actor(token: Token, scene: Scene) -> bool:
    objects = tree.objects(token)
    taken = {r.code for r in resolve_all(doers(token), scene)}
    return any(r.code not in taken for r in resolve_all(objects, scene))


def _subject_actor(token: Token, scene: Scene) -> bool:
    return bool(resolve_all(doers(token), scene))


def _arms_to_actor(token: Token, scene: Scene) -> bool:
    """Arms go to somebody: ``supply Kyiv with tanks``, ``send missiles to Taiwan``."""
    classes = scene.lexicon.classes
    objects = tree.objects(token)
    goods = [*objects, *tree.pobjs(token, "with"), *(m for o in objects for m in tree.modifiers(o))]
    words = {tree.lemma(t) for t in goods} | {t.lower_ for t in goods}
    if not words & classes["arms"] or words & {"troop", "soldier", "peacekeeper", "paratrooper", "battalion"}:
        return False
    datives = [o for d in tree.kids(token, "dative") for o in (tree.kids(d, "pobj") or [d])]
    towards = [*datives, *tree.pobjs(token, "to", "for"), *(p for o in objects for p in tree.pobjs(o, "to", "for"))]
    receivers = [*towards, *(objects if tree.pobjs(token, "with") else [])]
    if resolve_all(receivers, scene):
        return True
    return (
        tree.lemma(token) not in {"send", "give", "hand", "ship"}
        and bool(scene.codes())
        and bool(words & classes["arms"])
    )


def _at_no_one(token: Token, scene: Scene) -> bool:
    """A launch into the sea, or one that is called a test, and that nobody is the target of."""
    classes = scene.lexicon.classes
    nouns = tree.themes(token) if tree.is_verb(token) else [token]
    described = {tree.lemma(m) for n in nouns for m in (*tree.modifiers(n), n)}
    words = {tree.lemma(t) for t in tree.clause(token)}
    own = {r.code for r in resolve_all(doers(token), scene)} if tree.is_verb(token) else set()
    aimed = resolve_all(
        [p for n in (token, *nouns) for p in tree.pobjs(n, "at", "against", "on", "near", "into", "in")], scene
    )
    near = [p for q in tree.pobjs(token, *AIMED) for p in tree.pobjs(q, "near", "off", "around")]
    if any(r.code not in own for r in [*aimed, *resolve_all(near, scene)]):
        return False
    aimed_at_things = {tree.lemma(p) for p in tree.pobjs(token, *AIMED)} & (
        classes["targets"] - {"island", "site", "area"}
    )
    return not aimed_at_things and bool(
        described & classes["ballistic"] or (words & classes["sea_words"] and words & classes["tests"])
    )


def _not_calling(token: Token, _: Scene) -> bool:
    """``called on diplomats`` expels nobody: *call* needs *home* or *back*, *order* needs *leave* or *out*."""
    word = tree.lemma(token)
    if word not in {"call", "order", "pull", "kick"}:
        return True
    beside = {c.lower_ for c in token.children} | {tree.lemma(c) for c in tree.kids(token, "xcomp", "ccomp")}
    wanted = {
        "call": {"home", "back"},
        "order": {"leave", "out", "depart"},
        "pull": {"out", "back", "home"},
        "kick": {"out"},
    }
    beside |= {p.lower_ for o in tree.objects(token) for p in o.children}
    return bool(beside & wanted[word])


def _warlike(token: Token, scene: Scene) -> bool:
    """An attack by or on arms: its own words say so, or it goes from one actor to another."""
    return _warlike_verb(token, scene) if tree.is_verb(token) else _warlike_noun(token, scene)


def _warlike_verb(token: Token, scene: Scene) -> bool:
    classes = scene.lexicon.classes
    objects = tree.objects(token)
    struck = {
        r.code
        for r in resolve_all([*objects, *tree.pobjs(token, "with")] if tree.lemma(token) == "clash" else objects, scene)
    }
    subjects = doers(token) or tree.kids(token, "nsubj")
    doing = {r.code for r in resolve_all(subjects, scene)}
    subject_words = {tree.lemma(t) for s in subjects for t in (s, *tree.modifiers(s))}
    object_words = {
        tree.lemma(t) for o in [*objects, *tree.pobjs(token, "in", "near")] for t in (o, *tree.modifiers(o))
    }
    armed_subject = bool(subject_words & (classes["strong_military"] | classes["people_in_arms"]))
    armed_object = bool(object_words & classes["targets"])
    if not objects and tree.lemma(token) in {"target", "pound", "hit", "pummel"}:
        return False
    if (
        armed_subject
        and (armed_object or struck or scene.codes())
        and bool(objects or tree.lemma(token) in {"attack", "clash", "strike"})
    ):
        return True
    if doing and struck - doing:
        return not _with_words(token, scene)
    return (
        bool(doing)
        and armed_object
        and bool(
            object_words
            & (
                classes["strong_military"]
                | {"village", "town", "target", "base", "position", "convoy", "airport", "depot", "refinery"}
            )
        )
    )


def _with_words(token: Token, scene: Scene) -> bool:
    """``hit China with tariffs``, ``attacked Brussels over its budget`` in the sense of words."""
    beside = tree.pobjs(token, "with", "over", "for", "as")
    words = {tree.lemma(t) for p in beside for t in (p, *tree.modifiers(p))}
    if not words:
        return tree.lemma(token) in {"hit", "target"} and not _armed_clause(token, scene)
    return not words & (scene.lexicon.classes["arms"] | scene.lexicon.classes["strong_military"])


def _warlike_noun(token: Token, scene: Scene) -> bool:
    classes = scene.lexicon.classes
    modifiers = tree.modifiers(token)
    words = {tree.lemma(m) for m in modifiers} | {m.lower_ for m in modifiers}
    if words & {
        "hunger",
        "heart",
        "panic",
        "personal",
        "terror",
        "knife",
        "verbal",
        "political",
        "racist",
        "arson",
        "acid",
        "general",
        "nationwide",
        "lightning",
        "legal",
    }:
        return False
    if words & classes["armed_kind"]:
        return True
    aimed = tree.pobjs(token, *AIMED)
    aimed_words = {tree.lemma(t) for p in aimed for t in (p, *tree.modifiers(p))}
    by = any(
        scene.actor_at(m) is not None and m.dep_ in {"amod", "poss", "compound", "pobj", "nmod"} for m in modifiers
    )
    at = bool(resolve_all(aimed, scene)) or any(scene.name_at(p) is not None for p in aimed)
    if tree.lemma(token) in {"hostility", "barrage", "salvo"}:
        return by or at or _armed_clause(token, scene)
    if by or (at and not aimed_words & {"rival", "share"}):
        return tree.lemma(token) != "strike" or by or at
    return bool(aimed_words & classes["targets"] and _armed_clause(token, scene)) or (
        tree.lemma(token) != "strike" and _launched_by_actor(token, scene)
    )


def _launched_by_actor(token: Token, scene: Scene) -> bool:
    verb, relation = tree.governor(token)
    if (
        verb is None
        or not (relation == "dobj" or relation.startswith("prep"))
        or tree.lemma(verb) not in scene.lexicon.cues.light | {"threaten", "respond"}
    ):
        return False
    return bool(resolve_all(doers(verb), scene)) and _armed_clause(token, scene)


def _armed_clause(token: Token, scene: Scene) -> bool:
    words = {tree.lemma(t) for t in tree.clause(token) if t != token}
    return bool(words & scene.lexicon.classes["strong_military"])


def _military_clause(token: Token, scene: Scene) -> bool:
    words = {tree.lemma(t) for t in tree.clause(token) if t != token}
    return bool(words & (scene.lexicon.classes["strong_military"] | {"force", "militia"})) or _actor_and_armed(
        token, scene
    )


def _actor_and_armed(token: Token, scene: Scene) -> bool:
    return any(r.kind in {"armed_group", "force"} for r in resolve_all(doers(token), scene))


def _menace(token: Token, scene: Scene) -> bool:
    """Consequences are a threat of force where a state holds them out to someone."""
    for above in tree.ancestors(token):
        if tree.lemma(
            above
        ) in scene.lexicon.cues.verbs.threat | scene.lexicon.cues.verbs.vow | scene.lexicon.cues.verbs.warn | {
            "face",
            "promise",
            "meet",
            "pay",
        }:
            return bool(scene.codes()) and not _economic(token)
    return False


def _economic(token: Token) -> bool:
    return bool(
        {tree.lemma(m) for m in tree.modifiers(token)} & {"economic", "financial", "legal", "health", "political"}
    )


def _addressed(token: Token, scene: Scene) -> bool:
    """One actor asks something of another by name."""
    asking = {r.code for r in resolve_all(doers(token), scene)}
    if not asking:
        return False
    objects = [*tree.objects(token), *tree.kids(token, "dative")]
    word = tree.lemma(token)
    complements = [c for c in tree.kids(token, "ccomp", "xcomp", "advcl") if c.i > token.i]
    if word in {"call", "press"}:
        objects += tree.pobjs(token, "on")
    if word in {"demand", "insist"}:
        objects = [
            *tree.pobjs(token, "of", "from", "on"),
            *(m for o in objects for m in (o, *tree.pobjs(o, "from", "by", "of"))),
        ]
    asked = resolve_all(objects, scene)
    if word in {"warn", "tell", "ask", "order"} and not any(_to_do(c) for c in complements):
        return False
    if word == "warn" and not any(c.lower_ == "not" or c.dep_ == "neg" for x in complements for c in x.children):
        return False
    for complement in complements:
        asked += resolve_all((s for base in tree.kids(complement, *tree.SUBJECTS) for s in tree.conjuncts(base)), scene)
    if word in {"urge", "press", "call"} and not (complements or tree.pobjs(token, "for")):
        return False
    return any(r.code not in asking for r in asked)


def _to_do(complement: Token) -> bool:
    return any(c.tag_ == "TO" for c in complement.children)


def _ultimatum(token: Token, scene: Scene) -> bool:
    """``gave X 48 hours to …``."""
    text = tree.span_text(list(token.subtree)).lower()
    receivers = [*tree.kids(token, "dative"), *tree.objects(token), *tree.pobjs(token, "to")]
    return _HOURS.search(text) is not None and " to " in text and bool(resolve_all(receivers, scene))


def _parties(token: Token, scene: Scene) -> bool:
    """Talks between somebody who can act: named, or ``both sides``, and not the talk of a town."""
    if token.tag_ == "NN" and tree.lemma(token) == "talk":
        return False
    words = {tree.lemma(m) for m in tree.modifiers(token)}
    if scene.codes() or words & {"peace", "nuclear", "ceasefire", "truce", "border", "disarmament"}:
        return True
    text = scene.doc.text.lower()
    return _SIDES.search(text) is not None or bool(resolve_all(_about(token), scene))


def _met(token: Token, scene: Scene) -> bool:
    """A meeting of two actors; meeting a demand or a target is none."""
    doing = {r.code for r in resolve_all(doers(token), scene)}
    objects = [*tree.objects(token), *tree.pobjs(token, "with")]
    people = [
        o
        for o in objects
        if scene.actor_at(o) is not None or tree.lemma(o) in scene.lexicon.classes["counterparts"] or o.pos_ == "PROPN"
    ]
    other = {r.code for r in resolve_all(people, scene)}
    if people and doing and (other - doing):
        return True
    return not objects and len(doing) > 1


def _definite_object(token: Token, _: Scene) -> bool:
    """A particular pact, not the breaking of treaties at large."""
    objects = tree.objects(token)
    return any(o.pos_ == "PROPN" or tree.kids(o, "poss") or tree.kids(o, "det") for o in objects)


def _armed_subject(token: Token, scene: Scene) -> bool:
    """Armed forces or an armed group do it."""
    doing = doers(token)
    words = {tree.lemma(t) for d in doing for t in (d, *tree.modifiers(d))}
    armed = words & (scene.lexicon.classes["shooters"] - {"attack", "raid", "guard"})
    return bool(armed and scene.codes()) or any(r.kind in {"armed_group", "force"} for r in resolve_all(doing, scene))


def _between_actors(token: Token, scene: Scene) -> bool:
    """``between A and B``, or of one with another."""
    return len(resolve_all(tree.pobjs(token, "between", "with", "of"), scene)) > 1 or bool(
        resolve_all(tree.pobjs(token, "with"), scene)
    )


def _on_actor(token: Token, scene: Scene) -> bool:
    """It is laid on somebody: ``restrictions on Russian banks``."""
    verb, relation = tree.governor(token)
    places = tree.pobjs(token, "on", "against")
    places += tree.pobjs(verb, "on", "against") if verb is not None and relation in {"dobj", "nsubjpass"} else []
    doing = {r.code for r in resolve_all(doers(verb), scene)} if verb is not None else set()
    return len(scene.codes()) > 1 and any(r.code not in doing for r in resolve_all(places, scene))


def _convened(token: Token, scene: Scene) -> bool:
    """A summit that is held, planned or called off, not one at which something else happens."""
    if _between_actors(token, scene):
        return True
    return token.dep_ in {"dobj", "nsubjpass", "ROOT"} or (token.dep_ == "pobj" and token.head.lower_ in {"for", "of"})


def _indefinite(token: Token, _: Scene) -> bool:
    """Not *the* war, which goes on in the background of every report about it."""
    return not any(c.lower_ in {"the", "this", "that"} for c in tree.kids(token, "det")) and not tree.kids(
        token, "poss"
    )


_NEEDS: dict[str, Callable[[Token, Scene], bool]] = {
    "actor": _actor,
    "two_actors": _two_actors,
    "object_actor": _object_actor,
    "subject_actor": _subject_actor,
    "arms_to_actor": _arms_to_actor,
    "at_no_one": _at_no_one,
    "not_calling": _not_calling,
    "warlike": _warlike,
    "menace": _menace,
    "military_clause": _military_clause,
    "definite_object": _definite_object,
    "indefinite": _indefinite,
    "armed_subject": _armed_subject,
    "on_actor": _on_actor,
    "between_actors": _between_actors,
    "convened": _convened,
    "addressed": _addressed,
    "ultimatum": _ultimatum,
    "parties": _parties,
    "met": _met,
}
