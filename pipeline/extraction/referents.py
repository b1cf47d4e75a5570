"""Referents: whom a noun phrase stands for: by name, by title, by pronoun, or by ``the country``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.scene import Reference, Scene

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacy.tokens import Token

    from pipeline.extraction.names import Mention

FIRST = frozenset({"we", "us", "our", "ours", "i", "my", "ourselves"})
HE = frozenset({"he", "she", "him", "his", "her", "himself", "herself", "hers"})
IT = frozenset({"it", "its", "they", "them", "their", "itself", "themselves", "theirs"})
COUNTRY = frozenset({"country", "nation", "state", "republic", "neighbour", "neighbor"})
BODY = frozenset({"organisation", "organization", "alliance", "bloc", "union"})
SPOKESMEN = frozenset(
    {
        "government",
        "ministry",
        "president",
        "minister",
        "leader",
        "premier",
        "chancellor",
        "kremlin",
        "regime",
        "administration",
        "army",
        "military",
    }
)
OTHERS = frozenset(
    ["ally", "neighbour", "neighbor", "rival", "enemy", "foe", "opponent", "critic", "adversary", "partner",
    "friend", "border",
     "backer", "territory", "waters", "airspace", "demand", "proposal", "citizen", "counterpart"]
)  # fmt: skip
BACKED = frozenset(
    {
        "backed",
        "supported",
        "funded",
        "armed",
        "allied",
        "aligned",
        "occupied",
        "held",
        "controlled",
        "made",
        "built",
        "born",
        "based",
        "administered",
        "sponsored",
        "trained",
    }
)
AGAINST = frozenset({"anti", "pro", "non", "ex"})
MAX_DEPTH = 6


def resolve(token: Token, scene: Scene, depth: int = 0) -> list[Reference]:
    """Whom the noun phrase of ``token`` stands for, without what is joined to it.

    Each phrase is looked into once a sentence, and one that leads back to itself stands for nobody: so the work grows
    with the sentence's length, whatever its pronouns point at.
    """
    if token.i in scene.referents:
        return list(scene.referents[token.i])
    if depth > MAX_DEPTH:
        return []
    scene.referents[token.i] = ()
    found = _look_into(token, scene, depth)
    scene.referents[token.i] = tuple(found)
    return found


def _look_into(token: Token, scene: Scene, depth: int) -> list[Reference]:
    low = token.lower_
    name = scene.actor_at(token)
    if name is not None:
        return _named(name, scene)
    if low in FIRST and token.text != "US":
        return _speaking(token, scene, depth)
    if low in HE | IT:
        return _he(token, scene, depth) if low in HE else _it(token, scene, depth)
    name = scene.name_at(token)
    return [] if name is not None and name.kind == "outlet" else _described(token, scene, depth)


def resolve_all(tokens: Iterable[Token], scene: Scene, depth: int = 0) -> list[Reference]:
    """Whom several noun phrases stand for, each code once."""
    found: dict[str, Reference] = {}
    for token in tokens:
        for reference in resolve(token, scene, depth):
            found.setdefault(reference.code, reference)
    return list(found.values())


def _named(name: Mention, scene: Scene) -> list[Reference]:
    if name.prefix in AGAINST or name.suffix in BACKED or name.code is None:
        return []
    start, end = scene.place(name.start, name.end)
    return [Reference(name.text, name.code, (start, end), name.resolved_by, name.kind, name.certainty)]


def _speaking(token: Token, scene: Scene, depth: int) -> list[Reference]:
    """``we`` in a quotation is the speaker's side."""
    if not scene.is_quoted(token):
        return []
    speaker = speaker_in(scene, depth + 1)
    if speaker is None:
        speaker = scene.speaker.side if scene.speaker else ()
    return [_as(r, token, scene, "speaker") for r in speaker]


def speaker_in(scene: Scene, depth: int = 0) -> tuple[Reference, ...] | None:
    """Who says what the sentence quotes, if the sentence tells."""
    for token in scene.doc:
        if tree.lemma(token) in scene.lexicon.cues.say and tree.is_verb(token) and not scene.is_quoted(token):
            subjects = [s for base in tree.kids(token, "nsubj") for s in tree.conjuncts(base)]
            found = tuple(resolve_all(subjects, scene, depth))
            if found:
                return found
    return None


def _as(reference: Reference, token: Token, scene: Scene, how: str) -> Reference:
    """The same actor, by the words of ``token``."""
    text, span = scene.cut(token.idx, token.idx + len(token.text))
    return Reference(text, reference.code, span, how, reference.kind, 0.9 * reference.certainty)  # type: ignore[arg-type]  # callers pass literals


def _he(token: Token, scene: Scene, depth: int) -> list[Reference]:
    """The last person before ``token`` in the sentence, subjects first; else the article's."""
    before = [t for t in scene.doc[: token.i] if (n := scene.actor_at(t)) and n.kind in {"person", "office"}]
    subjects = [t for t in before if t.dep_ in tree.SUBJECTS]
    for candidate in [*reversed(subjects), *reversed(before)]:
        return [_as(r, token, scene, "pronoun") for r in resolve(candidate, scene, depth + 1)]
    for subject in _subjects_before(token, scene):
        found = _described_by_title(subject, scene, depth + 1)
        if found:
            return [_as(r, token, scene, "pronoun") for r in found]
    known = scene.context.person or scene.context.subject
    return [_as(r, token, scene, "pronoun") for r in known[:1]]


def _described_by_title(token: Token, scene: Scene, depth: int) -> list[Reference]:
    return [] if token.lower_ in HE | IT | FIRST else _described(token, scene, depth)


def _subjects_before(token: Token, scene: Scene) -> list[Token]:
    """Subjects before ``token``, nearest governing clause first."""
    found = [
        subject
        for above in token.ancestors
        for subject in tree.kids(above, "nsubj", "nsubjpass")
        if subject.i < token.i and token not in subject.subtree
    ]
    found += [t for t in reversed(scene.doc[: token.i]) if t.dep_ in {"nsubj", "nsubjpass"} and t not in found]
    return found


def _it(token: Token, scene: Scene, depth: int) -> list[Reference]:
    """The nearest governing subject; else whom the sentence before was about."""
    person = token.lower_ in {"they", "them", "their"}
    for subject in _subjects_before(token, scene):
        if subject.lower_ in IT | FIRST or (subject.lower_ in HE and not person):
            continue
        found = resolve_all(tree.conjuncts(subject), scene, depth + 1)
        if found:
            return [_as(r, token, scene, "pronoun") for r in found]
    known = scene.context.subject or scene.context.recent[:1]
    return [_as(r, token, scene, "pronoun") for r in known[: 2 if person else 1]]


def _described(token: Token, scene: Scene, depth: int) -> list[Reference]:
    """By a modifier, an apposition, an explained family name, or as ``the country``."""
    word = tree.lemma(token)
    modifiers = [
        c for c in token.children if c.dep_ in tree.PRE_MODIFIERS and not (c.dep_ == "poss" and word in OTHERS)
    ]
    found = _first(modifiers, scene, depth)
    if not found and token.pos_ == "PROPN":
        alias = scene.context.alias(token.text)
        found = [_as(alias, token, scene, "office")] if alias else []
    if not found:
        found = _first(tree.pobjs(token, "of"), scene, depth) if word not in OTHERS else []
    if not found:
        found = _first(tree.kids(token, "appos"), scene, depth)
    if not found and any(c.lower_ in {"the", "this", "that"} for c in tree.kids(token, "det")):
        found = _definite(token, word, scene, depth)
    return found


def _first(tokens: Iterable[Token], scene: Scene, depth: int) -> list[Reference]:
    """Whom the first of ``tokens`` that stands for anybody stands for; hyphenated modifiers are looked into."""
    for token in tokens:
        for candidate in (token, *(c for c in token.children if c.dep_ in tree.PRE_MODIFIERS)):
            found = resolve(candidate, scene, depth + 1)
            if found:
                return found
    return []


def _definite(token: Token, word: str, scene: Scene, depth: int) -> list[Reference]:
    if word in COUNTRY:
        found = _country(token, scene, depth)
    elif word in BODY:
        found = _body(token, scene)
    elif word in SPOKESMEN and not tree.kids(token, "amod", "compound", "poss"):
        found = [*(scene.context.person or scene.context.subject)][:1]
    else:
        found = []
    return [_as(r, token, scene, "anaphora") for r in found]


def _country(token: Token, scene: Scene, depth: int) -> list[Reference]:
    """The most recent state that is no other argument of the same clause."""
    verb = tree.clause_head(token)
    others = [o for o in (*tree.kids(verb, *tree.SUBJECTS), *tree.objects(verb), *tree.pobjs(verb)) if o != token]
    barred = {r.code for other in others for o in tree.conjuncts(other) if o != token for r in _plainly(o, scene)}
    is_subject = token.dep_ in tree.SUBJECTS
    before = [
        r for t in reversed(scene.doc[: token.i]) for r in _plainly(t, scene) if _is_state(r) and r.code not in barred
    ]
    if is_subject:
        for subject in _subjects_before(token, scene):
            people_named = [r for r in resolve(subject, scene, depth + 1) if r.kind in {"person", "office"}]
            person = [r for r in people_named if r.code not in barred]
            if person:
                return person[:1]
    plain = [r for r in before if r.how != "office"]
    people = [r for r in before if r.how == "office"]
    known = scene.context.states(without=barred | ({r.code for r in people} if not is_subject else set()))
    return (plain or (people if is_subject else []) or known or people)[:1]


def _body(token: Token, scene: Scene) -> list[Reference]:
    before = [
        r for t in reversed(scene.doc[: token.i]) for r in _plainly(t, scene) if r.kind in {"organisation", "alliance"}
    ]
    return (before or scene.context.organisations())[:1]


def _plainly(token: Token, scene: Scene) -> list[Reference]:
    name = scene.actor_at(token)
    return _named(name, scene) if name is not None else []


def _is_state(reference: Reference) -> bool:
    return reference.kind not in {"organisation", "alliance", "armed_group"}
