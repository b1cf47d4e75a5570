"""Roles: who does it, and to whom: through passives, nominal forms, light verbs, control and conjunction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.referents import resolve_all
from pipeline.extraction.scene import WHERE_ONLY, Reference, Scene
from pipeline.records import EventType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacy.tokens import Token

MAX_DEPTH = 8
TARGETED = {
    EventType.FORCE: ("on", "against", "at", "in", "into", "near", "inside", "toward", "towards", "with", "over", "to", "across"),
    EventType.SANCTION: ("on", "against", "to", "at", "over"),
    EventType.SANCTION_RELIEF: ("on", "against", "from"),
    EventType.DEMAND: ("to", "on", "for", "of"),
    EventType.ARMS_SUPPLY: ("to", "for", "with"),
    EventType.RUPTURE: ("with", "from", "to", "in"),
    EventType.TALKS: ("with",),
    EventType.CEASEFIRE: ("with",),
    EventType.INCIDENT: ("with", "of", "against", "near", "over", "into"),
}
OBJECT_IS_RECIPIENT = frozenset(
    {EventType.FORCE, EventType.SANCTION, EventType.DEMAND, EventType.TALKS, EventType.RUPTURE, EventType.INCIDENT, EventType.SANCTION_RELIEF}
)  # fmt: skip
PLACED_AT_BORDER = frozenset({"zone", "waters", "coast", "adiz", "strait", "islands", "shore", "border", "frontier", "boundary", "doorstep", "territory", "airspace", "proximity"})
OBJECT_CONTROL = frozenset(
    ["urge", "tell", "order", "force", "ask", "allow", "call", "press", "push", "want", "warn", "expect", "instruct", "persuade", "help",
     "encourage", "permit", "compel", "request", "command", "direct", "require", "invite", "beg", "implore", "lead", "give", "oblige"]
)  # fmt: skip
REGIONS = frozenset({"region", "peninsula", "territory", "island", "enclave", "province", "area"})
REJECTS = frozenset({"dismiss", "reject", "oppose", "resist", "repudiate", "support", "back", "favour", "welcome", "discuss", "violate"})
ANSWERS = frozenset({"reject", "defy", "ignore", "accept", "refuse", "dismiss", "face", "receive", "meet", "get"})
HOSTS = frozenset({"host", "mediate", "broker", "organise", "organize", "facilitate", "offer", "propose", "chair"})
PAIR = frozenset({EventType.TALKS, EventType.CEASEFIRE})
MOVED = frozenset({EventType.DEPLOYMENT, EventType.WITHDRAWAL, EventType.EXERCISE, EventType.MOBILIZATION, EventType.WEAPONS_TEST})


def roles(trigger: Token, kind: EventType, scene: Scene) -> tuple[list[Reference], list[Reference]]:
    """Actors and recipients of the event that ``trigger`` names, each code once, nobody in both."""
    if tree.is_verb(trigger):
        actors, recipients = _of_verb(trigger, kind, scene)
    else:
        actors, recipients = _of_noun(trigger, kind, scene)
    actors = _once(actors)
    taken = {r.code for r in actors}
    return actors, [r for r in _once(recipients) if r.code not in taken]


def _once(references: Iterable[Reference]) -> list[Reference]:
    found: dict[str, Reference] = {}
    for reference in references:
        found.setdefault(reference.code, reference)
    return list(found.values())[:6]


# -- verbs


def doers(verb: Token, depth: int = 0) -> list[Token]:
    """Tokens of who does what ``verb`` says: its subject, its agent, or whoever controls it."""
    if depth > MAX_DEPTH:
        return []
    agents = [o for a in tree.kids(verb, "agent") for p in tree.kids(a, "pobj") for o in tree.conjuncts(p)]
    if agents:
        return agents
    if tree.misread_perfect(verb):
        first = min(child.i for child in tree.kids(verb, "aux"))
        return [verb.doc[first - 1]] if first else []
    if tree.is_passive(verb):
        return []
    own = tree.kids(verb, "nsubj")
    if own:
        return _relative(own[0], verb, depth)
    return _of_headline(verb) or _controllers(verb, depth)


def _of_headline(verb: Token) -> list[Token]:
    """``Macron to visit …``: the name before *to*, which the tagger may take for a verb, where it opens the sentence."""
    marker = next((child for child in verb.children if child.tag_ == "TO"), None)
    if marker is None or marker.i == 0 or verb.dep_ not in {"ROOT", "advcl", "relcl", "acl"}:
        return []
    before = verb.doc[marker.i - 1]
    opens = all(t.text[:1].isupper() or t.lower_ in {"and", ","} for t in verb.doc[: marker.i])
    return tree.conjuncts(before) if opens and (before.dep_ == "ROOT" or before.head == verb) else []


def _relative(subject: Token, verb: Token, depth: int) -> list[Token]:
    if subject.lower_ in {"who", "which", "that"} and verb.dep_ == "relcl":
        return tree.conjuncts(verb.head)
    joined = tree.conjuncts(subject)
    return [t for t in joined if t.lower_ not in {"who", "which", "that"}] or _controllers(verb, depth)


def _controllers(verb: Token, depth: int) -> list[Token]:
    """Who does it where the verb has no subject of its own."""
    head = verb.head
    if verb.dep_ in {"xcomp", "ccomp", "advcl", "conj", "dep", "acomp"} and (tree.is_verb(head) or head.pos_ == "ADJ"):
        return _from_head(verb, head, depth)
    if verb.dep_ == "acl":
        return _of_modified(verb, head, depth)
    if verb.dep_ == "relcl" and _infinitive(verb):
        return _of_modified(verb, head, depth)
    if verb.dep_ == "relcl":
        return tree.conjuncts(head)
    if verb.dep_ in {"pcomp", "pobj"}:
        return _of_preposition(head, depth)
    return []


def _infinitive(verb: Token) -> bool:
    return any(child.tag_ == "TO" for child in verb.children)


def _from_head(verb: Token, head: Token, depth: int) -> list[Token]:
    if verb.dep_ in {"xcomp", "ccomp", "advcl"} and tree.lemma(head) in OBJECT_CONTROL:
        controlled = tree.objects(head) or [d for d in tree.kids(head, "dative")] or tree.pobjs(head, "on", "for")
        if controlled and not (verb.dep_ == "advcl" and verb.tag_ == "VBG"):
            return controlled
    if head.pos_ == "ADJ":
        return doers(head.head, depth + 1) if tree.is_verb(head.head) else [head.head]
    if tree.is_passive(head) and verb.dep_ != "conj":
        return [s for base in tree.kids(head, "nsubjpass") for s in tree.conjuncts(base)] or doers(head, depth + 1)
    if tree.is_passive(head):
        return [s for base in tree.kids(head, "nsubjpass") for s in tree.conjuncts(base)] if not tree.kids(verb, "auxpass") else []
    return doers(head, depth + 1)


def _of_modified(verb: Token, noun: Token, depth: int) -> list[Token]:
    """``a plan to invade`` is its owner's, ``forces massing`` is the noun's own."""
    if verb.tag_ == "VBG":
        return tree.conjuncts(noun)
    owners = tree.kids(noun, "poss")
    if owners:
        return owners
    named = [c for c in noun.children if c.dep_ in {"amod", "compound"} and c.text[:1].isupper()]
    if named:
        return named
    above, relation = tree.governor(noun)
    if above is not None and tree.kids(above, "dative") and tree.lemma(above) in {"give", "offer", "grant"}:
        return [o for d in tree.kids(above, "dative") for o in (tree.kids(d, "pobj") or [d])]
    if above is not None and relation in {"dobj", "attr"} or (above is not None and relation.startswith("prep")):
        return doers(above, depth + 1)
    return tree.pobjs(noun, "by")


def _of_preposition(prep: Token, depth: int) -> list[Token]:
    head = prep.head
    if tree.is_verb(head):
        objects = tree.objects(head)
        if objects and prep.lower_ in {"of", "for", "from", "against", "into", "to"}:
            return objects
        if tree.is_passive(head):
            return [s for base in tree.kids(head, "nsubjpass") for s in tree.conjuncts(base)]
        return doers(head, depth + 1)
    owners = tree.kids(head, "poss")
    if owners:
        return owners
    above, _ = tree.governor(head)
    return doers(above, depth + 1) if above is not None else []


def _of_verb(verb: Token, kind: EventType, scene: Scene) -> tuple[list[Reference], list[Reference]]:
    actors = resolve_all(doers(verb), scene)
    objects = tree.objects(verb)
    actors = actors or _commanders(verb, scene)
    if kind in MOVED and not actors:
        actors = resolve_all(tree.themes(verb), scene)
    if kind is EventType.EXERCISE:
        return actors, []
    if kind in {EventType.DEPLOYMENT, EventType.WITHDRAWAL}:
        return actors, _at_border([verb, *objects], scene) if kind is EventType.DEPLOYMENT else []
    if kind is EventType.ARMS_SUPPLY:
        return actors, _supplied(verb, objects, actors, scene)
    if kind in {EventType.MOBILIZATION, EventType.WEAPONS_TEST, EventType.EVACUATION}:
        return actors, []
    taken = {r.code for r in actors}
    return actors, [r for r in _targets(verb, kind, objects, scene, taken) if r.code not in taken]


def _commanders(verb: Token, scene: Scene) -> list[Reference]:
    """Whoever orders forces that are not named: ``Maduro ordered the army to …``."""
    for above in verb.ancestors:
        if tree.lemma(above) not in OBJECT_CONTROL or not tree.is_verb(above):
            return []
        controlled = tree.objects(above)
        if any(tree.lemma(o) in scene.lexicon.classes["people_in_arms"] for o in controlled):
            return resolve_all(doers(above), scene)
    return []


def _targets(
    verb: Token, kind: EventType, objects: list[Token], scene: Scene, taken: set[str]
) -> list[Reference]:
    found: list[Reference] = []
    if kind in OBJECT_IS_RECIPIENT:
        found += [r for r in resolve_all(objects, scene) if r.code not in taken]
        found += resolve_all((d for d in tree.kids(verb, "dative")), scene)
        if not found and kind is EventType.DEMAND:
            found += _addressed(verb, scene)
    preps = TARGETED.get(kind, ())
    if not found or kind in {EventType.SANCTION, EventType.TALKS}:
        found += _placed(tree.pobjs(verb, *preps), kind, scene)
        for theme in objects:
            found += _placed(tree.pobjs(theme, *preps, "of"), kind, scene)
    return found


def _addressed(verb: Token, scene: Scene) -> list[Reference]:
    """Of whom something is demanded: the subject of what shall be done, or whoever it is asked of."""
    found: list[Reference] = []
    for complement in tree.kids(verb, "ccomp", "xcomp"):
        found += resolve_all((s for base in tree.kids(complement, *tree.SUBJECTS) for s in tree.conjuncts(base)), scene)
    return found or resolve_all(tree.pobjs(verb, "of", "from", "on", "to"), scene)


def _placed(tokens: Iterable[Token], kind: EventType, scene: Scene) -> list[Reference]:
    """Whom nouns after prepositions stand for; what merely lies somewhere (``in the Black Sea``) stands for nobody."""
    places = list(tokens)
    found = resolve_all(places, scene)
    if kind is EventType.FORCE and not found:
        inner = [p for token in places for p in tree.pobjs(token, "near", "in", "off", "around", "inside", "outside")]
        found = resolve_all(inner, scene)
        found = found or [r for token in (*places, *inner) for r in _by_place(token, scene)]
    return found


def _by_place(token: Token, scene: Scene) -> list[Reference]:
    """The state that a city or region belongs to, where it is attacked."""
    name = scene.name_at(token)
    if name is None and tree.lemma(token) in REGIONS and any(c.lower_ == "the" for c in token.children):
        before = [n for t in reversed(scene.doc[: token.i]) if (n := scene.name_at(t)) and n.kind == "region" and n.code]
        name = before[0] if before else None
    if name is None or name.kind not in WHERE_ONLY or name.code is None:
        return []
    start, end = scene.place(name.start, name.end)
    return [Reference(name.text, name.code, (start, end), "name", name.kind, name.certainty)]


def _at_border(tokens: list[Token], scene: Scene) -> list[Reference]:
    """Whose border troops are moved to: ``on its border with X``, ``near X's border``, ``the X border``."""
    found: list[Reference] = []
    for token in tokens:
        for place in tree.pobjs(token, "on", "near", "along", "towards", "toward", "to", "at", "within", "around", "outside", "close", "by", "into", "in", "off"):
            found += _border_of(place, scene)
    if tokens and not found and tokens[0].dep_ == "conj" and tree.is_verb(tokens[0].head):
        head = tokens[0].head
        found = _at_border([head, *tree.objects(head)], scene)
    return found or resolve_all(tree.pobjs(tokens[0], "against"), scene)


def _border_of(place: Token, scene: Scene) -> list[Reference]:
    if tree.lemma(place) not in PLACED_AT_BORDER:
        return []
    inner = [place, *tree.pobjs(place, "of")]
    found = resolve_all((w for p in inner for w in tree.pobjs(p, "with", "between")), scene)
    if not found:
        owners = [c for p in inner for c in p.children if c.dep_ in {"poss", "amod", "compound", "nmod"}]
        found = resolve_all(owners, scene)
    return found


def _supplied(verb: Token, objects: list[Token], actors: list[Reference], scene: Scene) -> list[Reference]:
    """To whom arms go: the dative, the noun after ``to``, or the object that is supplied *with* them."""
    datives = [o for d in tree.kids(verb, "dative") for o in (tree.kids(d, "pobj") or [d])]
    found = resolve_all((c for d in datives for c in tree.conjuncts(d)), scene)
    for token in (verb, *objects):
        found = found or resolve_all(tree.pobjs(token, "to", "for"), scene)
    taken = {r.code for r in actors}
    return found or [r for r in resolve_all(objects, scene) if r.code not in taken]


# -- nouns


def _of_noun(noun: Token, kind: EventType, scene: Scene) -> tuple[list[Reference], list[Reference]]:
    actors = _owners(noun, kind, scene)
    recipients = _aimed_at(noun, kind, scene)
    if kind in PAIR | {EventType.RUPTURE, EventType.EXERCISE, EventType.INCIDENT, EventType.FORCE}:
        actors = _once([*actors, *resolve_all(tree.pobjs(noun, "between", "among"), scene)])
    actors = _once([*actors, *_involved(noun, scene)])
    verb, relation = tree.governor(noun)
    if verb is not None:
        actors, recipients = _through_verb(verb, relation, noun, kind, actors, recipients, scene)
    asked = verb is not None and tree.lemma(verb) in scene.lexicon.cues.verbs.demand
    if kind in PAIR and not actors and not recipients and verb is not None and not asked and not _adjunct(relation, scene):
        actors = resolve_all(doers(verb), scene) if relation.startswith("prep") else []
    if noun.dep_ == "conj" and noun.head.pos_ in tree.NOMINAL and not (actors and recipients):
        above = _of_noun(noun.head, kind, scene)
        actors, recipients = actors or above[0], recipients or above[1]
    if kind in {EventType.EXERCISE, EventType.MOBILIZATION, EventType.WITHDRAWAL, EventType.WEAPONS_TEST, EventType.EVACUATION}:
        recipients = []
    return actors, recipients


def _owners(noun: Token, kind: EventType, scene: Scene) -> list[Reference]:
    """Whose event it is by its own words: possessive, adjective, ``by …``; for what moves also ``of …``."""
    by = resolve_all(tree.pobjs(noun, "by"), scene)
    mine = [c for c in noun.children if c.dep_ == "poss"]
    before = [c for c in noun.children if c.dep_ in {"amod", "compound", "nmod"}]
    found = [*by, *resolve_all(mine, scene)]
    if kind is EventType.SANCTION and mine and not by and _is_target_owner(noun):
        return []
    if not found:
        found = resolve_all(before, scene) or resolve_all((c for m in before for c in m.children), scene)
    if kind in MOVED | PAIR and not found:
        found = resolve_all(tree.pobjs(noun, "of"), scene)
    if kind in {EventType.ARMS_SUPPLY, EventType.DEMAND} and not found:
        found = resolve_all(tree.pobjs(noun, "from"), scene)
    return found


def _is_target_owner(noun: Token) -> bool:
    return bool(noun.dep_ == "nsubjpass")


def _involved(noun: Token, scene: Scene) -> list[Reference]:
    """``exercises involving US and Nato``."""
    found: list[Reference] = []
    for clause in tree.kids(noun, "acl", "prep"):
        if clause.lower_ in {"involving", "including"}:
            found += resolve_all((o for base in tree.kids(clause, "dobj", "pobj") for o in tree.conjuncts(base)), scene)
    return found


def _aimed_at(noun: Token, kind: EventType, scene: Scene) -> list[Reference]:
    preps = TARGETED.get(kind, ())
    if kind is EventType.DEPLOYMENT:
        return _at_border([noun], scene)
    if kind in {EventType.FORCE, EventType.INCIDENT, EventType.SANCTION} and not tree.pobjs(noun, "by"):
        preps = (*preps, "of") if kind is not EventType.SANCTION else preps
    elif kind is EventType.FORCE:
        preps = (*preps, "of")
    if kind is EventType.ARMS_SUPPLY:
        preps = ("to", "for")
    if kind is EventType.RUPTURE:
        preps = ("of", "with", "from", "to")
    found = _placed(tree.pobjs(noun, *preps), kind, scene)
    if kind is EventType.FORCE and not found:
        compounds = [c for c in noun.children if c.dep_ in {"compound", "nmod"}]
        found = [r for c in compounds for r in _by_place(c, scene)]
    return found


def _through_verb(
    verb: Token,
    relation: str,
    noun: Token,
    kind: EventType,
    actors: list[Reference],
    recipients: list[Reference],
    scene: Scene,
) -> tuple[list[Reference], list[Reference]]:
    """What the verb adds that the noun depends on."""
    cues = scene.lexicon.cues
    word = tree.lemma(verb)
    if relation in {"nsubj", "nsubjpass"} and not (relation == "nsubjpass" and tree.kids(verb, "agent")):
        return _of_subject_noun(verb, relation, kind, actors, recipients, scene)
    done_by = resolve_all(doers(verb), scene)
    if kind is EventType.DEMAND and word in ANSWERS and relation == "dobj":
        return actors, recipients or [r for r in done_by if r.code not in {a.code for a in actors}]
    if word in cues.suffers and relation in {"dobj"} | {f"prep:{p}" for p in ("with", "from")}:
        recipients = recipients or [r for r in done_by if r.code not in {a.code for a in actors}]
        return actors or _who_menaces(verb, recipients, scene), recipients
    light = (word in cues.light or _is_cue(word, scene)) and not (word in REJECTS and kind not in PAIR)
    light = light and not (word in cues.verbs.demand and relation.startswith("prep"))
    near = relation in {"dobj", "nsubjpass", "attr", "oprd", "dative"} or relation.startswith("prep")
    if not actors and light and near and not _adjunct(relation, scene):
        actors = done_by
        actors = actors or _commanders(verb, scene)
    if kind in PAIR and near and light and not (actors and word in HOSTS) and not _adjunct(relation, scene):
        taken = {r.code for r in recipients}
        actors = _once([*actors, *(r for r in done_by if r.code not in taken)])
    if not recipients and near and (light or kind in PAIR):
        recipients = _of_light_verb(verb, noun, kind, actors, scene)
    return actors, recipients


def _who_menaces(verb: Token, recipients: list[Reference], scene: Scene) -> list[Reference]:
    """Who says that someone shall ``face`` something: the nearest other subject above."""
    if tree.lemma(verb) != "face":
        return []
    taken = {r.code for r in recipients}
    for above in verb.ancestors:
        if tree.is_verb(above):
            found = [r for r in resolve_all(doers(above), scene) if r.code not in taken]
            if found:
                return found
    return []


def _is_cue(word: str, scene: Scene) -> bool:
    verbs = scene.lexicon.cues.verbs
    return any(word in group for group in (verbs.threat, verbs.vow, verbs.warn, verbs.negate, verbs.mull, verbs.plan, verbs.relieve, verbs.cease))


def _adjunct(relation: str, scene: Scene) -> bool:
    return relation.startswith("prep:") and relation[5:] in scene.lexicon.cues.factive


def _of_subject_noun(
    verb: Token, relation: str, kind: EventType, actors: list[Reference], recipients: list[Reference], scene: Scene
) -> tuple[list[Reference], list[Reference]]:
    """``Strikes by X hit Y``; ``sanctions were imposed on Y``."""
    preps = TARGETED.get(kind, ())
    if not recipients and kind is EventType.FORCE and relation == "nsubj":
        recipients = _placed([*tree.objects(verb), *tree.pobjs(verb, *preps)], kind, scene)
    elif not recipients and relation == "nsubjpass":
        recipients = _placed(tree.pobjs(verb, *preps), kind, scene)
    if kind in PAIR and not actors:
        actors = resolve_all(tree.pobjs(verb, "between", "with"), scene)
    if not actors and verb.lemma_ == "be":
        wished = [d for said in tree.kids(verb, "attr") for clause in tree.kids(said, "relcl") for d in doers(clause)]
        actors = resolve_all(wished, scene)
    return actors, recipients


def _of_light_verb(verb: Token, noun: Token, kind: EventType, actors: list[Reference], scene: Scene) -> list[Reference]:
    """``imposed sanctions on X``, ``gave X an ultimatum``, ``threatened X with strikes``."""
    preps = TARGETED.get(kind, ())
    taken = {r.code for r in actors}
    if kind is EventType.DEPLOYMENT:
        return _at_border([verb], scene)
    if kind in MOVED:
        return []
    places = [p for p in tree.pobjs(verb, *preps) if p != noun and p not in tree.conjuncts(noun)]
    found = [r for r in _placed(places, kind, scene) if r.code not in taken]
    others = [o for o in (*tree.objects(verb), *tree.kids(verb, "dative")) if o != noun and o not in tree.conjuncts(noun)]
    return found or [r for r in resolve_all(others, scene) if r.code not in taken]


def implied_recipients(trigger: Token, scene: Scene, actors: list[Reference]) -> list[Reference]:
    """Against whom a threat goes where only its condition or the one who is warned says so."""
    taken = {r.code for r in actors}
    for above in tree.ancestors(trigger):
        if not tree.is_verb(above):
            continue
        if tree.lemma(above) in scene.lexicon.cues.verbs.warn | scene.lexicon.cues.verbs.threat | {"tell"}:
            found = [r for r in resolve_all(tree.objects(above), scene) if r.code not in taken]
            if found:
                return [_implied(r) for r in found]
        for joined in tree.kids(above, "conj"):
            if tree.lemma(joined) in scene.lexicon.cues.verbs.warn | scene.lexicon.cues.verbs.threat:
                found = [r for r in resolve_all(tree.objects(joined), scene) if r.code not in taken]
                if found:
                    return [_implied(r) for r in found]
        for condition in (*tree.kids(above, "advcl"), *(c for j in tree.kids(above, "conj") for c in tree.kids(j, "advcl"))):
            found = _who_would(condition, trigger, scene, taken)
            if found:
                return found
    return []


def _who_would(condition: Token, trigger: Token, scene: Scene, taken: set[str]) -> list[Reference]:
    """The subject of an ``if`` or ``unless``."""
    marks = {m.lower_ for m in tree.kids(condition, "mark", "advmod")}
    if condition == trigger or condition.is_ancestor(trigger) or not marks & scene.lexicon.cues.conditionals:
        return []
    subjects = [s for base in tree.kids(condition, "nsubj") for s in tree.conjuncts(base)]
    return [_implied(r) for r in resolve_all(subjects, scene) if r.code not in taken]


def _implied(reference: Reference) -> Reference:
    return Reference(reference.text, reference.code, reference.span, "implied", reference.kind, 0.8 * reference.certainty)

