"""Modality: in what way the sentence holds an event to be true.

The walk climbs from the trigger to the root and collects cues on its way; the verdict then applies them from the inside
out. What takes an event for granted (``after the attack``, a relative clause) ends the walk; a noun that governs the event
(``fears of``, ``plans for``, ``threat of``) lets nothing but a negation through from above.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.dates import past_of
from pipeline.extraction.referents import resolve_all
from pipeline.extraction.roles import doers
from pipeline.records import EventType, Modality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacy.tokens import Token

    from pipeline.extraction.scene import Reference, Scene

HARD = frozenset({EventType.FORCE, EventType.SANCTION, EventType.RUPTURE, EventType.WEAPONS_TEST})
REACTIONS = frozenset({"response", "retaliation", "consequence", "reaction", "action", "measure", "sanction", "reprisal", "answer", "step", "blow", "embargo", "price"})
DEFINITE = frozenset({"the", "this", "that", "these", "those", "its", "their", "his", "her", "our"})
OPTIONS = frozenset({"something", "option", "goal", "intention", "aim", "solution", "answer", "interest", "possibility", "plan", "case", "alternative", "choice", "scenario", "question", "objective"})
ABILITY = frozenset({"ability", "capability", "capacity", "right", "power", "means", "authority", "excuse", "pretext", "reason", "temptation", "permission"})
CAUSES = frozenset({"trigger", "prompt", "provoke", "spark", "invite", "draw", "mean", "bring", "meet", "unleash", "lead", "result", "cause"})
ANSWERS = frozenset({"reject", "refuse", "dismiss", "defy", "accept", "ignore", "meet", "consider", "discuss", "study", "weigh", "deny", "fear"})
MAX_STEPS = 24


class Turn(StrEnum):
    """What a cue does to the modality found so far."""

    NEGATE = "negated"
    CEASE = "ceased"
    SUPPOSE = "speculative"
    MULL = "mulled"
    PLAN = "planned"
    FUTURE = "future"
    THREAT = "threatened"
    DEMAND = "demanded"
    PROTASIS = "conditional"
    CONDITION = "condition"
    RESOLVE = "resolve"
    PAST = "historical"


@dataclass(frozen=True, slots=True)
class Step:
    """One cue on the way up.

    Attributes:
        turn: What it does.
        text: Its words.
        span: Their place in the sentence; None where nothing is written.
    """

    turn: Turn
    text: str
    span: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Modality of an event.

    Attributes:
        modality: The modality.
        active: Whether the event counts today, if its type can.
        condition: Tokens of the condition it hangs on, in order; empty if none.
        cues: What decided, innermost first.
        hypothetical: True for an event that stands only inside a condition.
    """

    modality: Modality
    active: bool
    condition: tuple[Token, ...]
    cues: tuple[Step, ...]
    hypothetical: bool = False


@dataclass
class _Walk:
    """The climb, while it goes on."""

    kind: EventType
    scene: Scene
    actors: frozenset[str]
    steps: list[Step] = field(default_factory=list)
    condition: tuple[Token, ...] = ()
    barred: bool = False
    definite: bool = False
    trigger: Token | None = None

    def add(self, turn: Turn, *tokens: Token) -> None:
        """Note a cue; past a barrier only negation counts."""
        if self.barred and turn not in {Turn.NEGATE, Turn.PROTASIS}:
            return
        if any(step.turn is turn and step.span is not None and step.span[0] == tokens[0].idx for step in self.steps):
            return
        span = (tokens[0].idx, tokens[-1].idx + len(tokens[-1].text)) if tokens else None
        text = " ".join(t.text for t in tokens)
        self.steps.append(Step(turn, text, span))


def judge(trigger: Token, kind: EventType, actors: Sequence[Reference], scene: Scene) -> Verdict:
    """The modality of the event that ``trigger`` names.

    Args:
        trigger: The word.
        kind: The event's type.
        actors: Who does it: a warning of one's own deed is a threat, of another's a fear.
        scene: The sentence.
    """
    walk = _Walk(kind, scene, frozenset(r.code for r in actors), trigger=trigger)
    _own_words(trigger, walk)
    _climb(trigger, walk)
    past = past_of(trigger, scene.published)
    if past is not None and not any(s.turn in {Turn.FUTURE, Turn.PLAN} for s in walk.steps):
        walk.barred = False
        walk.steps.append(Step(Turn.PAST, past.text, (past.start, past.start + len(past.text))))
    asked = scene.doc.text.rstrip("\"' ”’").endswith("?")
    if asked and all(step.turn is Turn.FUTURE for step in walk.steps):
        walk.add(Turn.SUPPOSE, scene.doc[-1])
    return _verdict(walk)


# -- the walk


def _own_words(token: Token, walk: _Walk) -> None:
    """Cues on the trigger itself."""
    if tree.is_verb(token):
        _verb_words(token, walk)
    else:
        _noun_words(token, walk)


def _noun_words(noun: Token, walk: _Walk) -> None:
    cues = walk.scene.lexicon.cues
    for child in noun.children:
        word = tree.lemma(child)
        if child.dep_ in {"det", "preconj", "neg", "advmod"} and child.lower_ in {"no", "neither", "nor", "not", "without"}:
            walk.add(Turn.NEGATE, child)
        elif child.dep_ == "amod" or (child.dep_ in {"compound", "nmod"} and child.pos_ in {"ADJ", "VERB"}):
            _adjective(child, word, walk)
        elif child.dep_ == "det" and child.lower_ == "any":
            walk.add(Turn.SUPPOSE, child)
        if child.dep_ in {"det", "poss"} and child.lower_ in DEFINITE or child.dep_ == "poss":
            walk.definite = True
    if noun.dep_ == "conj" and not tree.is_verb(noun.head) and noun.head.pos_ in tree.NOMINAL:
        for child in noun.head.children:
            if child.dep_ in {"det", "preconj"} and child.lower_ in {"no", "neither"}:
                walk.add(Turn.NEGATE, child)
            elif child.dep_ == "amod" and tree.lemma(child) in cues.adjectives.suppose | cues.adjectives.plan:
                _adjective(child, tree.lemma(child), walk)


def _adjective(token: Token, word: str, walk: _Walk) -> None:
    adjectives = walk.scene.lexicon.cues.adjectives
    for turn, words in (
        (Turn.SUPPOSE, adjectives.suppose),
        (Turn.PLAN, adjectives.plan),
        (Turn.THREAT, adjectives.threat),
        (Turn.NEGATE, adjectives.negate),
        (Turn.PAST, adjectives.past),
    ):
        if word in words or token.lower_ in words:
            walk.add(turn, token)
            return


def _verb_words(verb: Token, walk: _Walk, *, inherited: bool = False) -> None:
    """Negation, auxiliaries, adverbs and the condition of one verb."""
    cues = walk.scene.lexicon.cues
    condition = _condition_of(verb, walk)
    for child in verb.children:
        low = child.lower_
        if child.dep_ == "neg" or (child.dep_ in {"advmod", "preconj", "det", "cc"} and low in cues.adverbs.negate and child.i <= verb.i):
            if not (low == "not" and _not_only(child)):
                walk.add(Turn.NEGATE, child)
        elif child.dep_ == "aux" and child.i < verb.i:
            _auxiliary(child, verb, walk)
        elif child.dep_ == "advmod" and low in cues.adverbs.suppose:
            walk.add(Turn.SUPPOSE, child)
        elif child.dep_ == "advmod" and low in cues.adverbs.past and child.i < verb.i:
            walk.add(Turn.PAST, child)
        elif child.dep_ in {"nsubj", "nsubjpass"} and not inherited and _says_none(child, walk):
            walk.add(Turn.NEGATE, next((c for c in child.children if c.lower_ in {"no", "neither"}), child))
        elif child.dep_ == "advmod" and low in {"yet", "still"} and verb.lemma_ == "be" and tree.kids(verb, "xcomp"):
            walk.add(Turn.SUPPOSE, child)
    if verb == walk.trigger:
        for theme in tree.objects(verb):
            _noun_negation(theme, walk)
    if condition:
        walk.condition = walk.condition or condition
        walk.add(Turn.CONDITION, *condition[:1])
    if verb.tag_ == "VB" and verb.dep_ == "ROOT" and any(c.tag_ == "TO" for c in verb.children):
        walk.add(Turn.PLAN, *[c for c in verb.children if c.tag_ == "TO"][:1])


def _not_only(token: Token) -> bool:
    following = token.doc[token.i + 1 : token.i + 2]
    return bool(following) and following[0].lower_ in {"only", "just", "merely"}


def _says_none(subject: Token, walk: _Walk) -> bool:
    if subject.lower_ in {"nobody", "none", "nothing", "neither"}:
        return True
    if walk.trigger is not None and (subject == walk.trigger or subject.is_ancestor(walk.trigger)):
        return False
    return any(c.dep_ in {"det", "preconj", "neg", "cc"} and c.lower_ in {"no", "neither"} for c in subject.children)


def _auxiliary(aux: Token, verb: Token, walk: _Walk) -> None:
    auxiliaries = walk.scene.lexicon.cues.auxiliaries
    low = aux.lower_
    if low in auxiliaries.suppose:
        walk.add(Turn.SUPPOSE, aux)
    elif low in auxiliaries.future:
        walk.add(Turn.FUTURE, aux)
    elif low in auxiliaries.would:
        walk.add(Turn.FUTURE if _reported_or_conditioned(verb, walk) else Turn.SUPPOSE, aux)
    elif low in auxiliaries.demand:
        first = aux.doc[0] == aux or aux.i < min((c.i for c in tree.kids(verb, *tree.SUBJECTS)), default=0)
        walk.add(Turn.PROTASIS if first and low == "should" else Turn.DEMAND, aux)


def _reported_or_conditioned(verb: Token, walk: _Walk) -> bool:
    """``said it would …`` is a future seen from the past; so is ``would … if``."""
    if _condition_of(verb, walk) or any(tree.lemma(c) in walk.scene.lexicon.cues.say for c in tree.kids(verb, "ccomp", "parataxis")):
        return True
    say = walk.scene.lexicon.cues.say
    return any(tree.lemma(above) in say for above in verb.ancestors) or verb.dep_ == "ROOT" and _subject_event(verb)


def _subject_event(verb: Token) -> bool:
    return tree.lemma(verb) in CAUSES


def _condition_of(verb: Token, walk: _Walk) -> tuple[Token, ...]:
    """The ``if`` clause that hangs on ``verb``, or an event in subject place that would cause it."""
    conditionals = walk.scene.lexicon.cues.conditionals
    for clause in tree.kids(verb, "advcl"):
        if walk.trigger is not None and (clause == walk.trigger or clause.is_ancestor(walk.trigger)):
            continue
        marks = [m for m in tree.kids(clause, "mark", "advmod", "aux") if m.lower_ in conditionals and m.i < clause.i]
        if any(m.lower_ not in {"should", "provided", "whether"} or m.dep_ in {"mark", "aux"} and _inverted(clause) for m in marks) or _had_inverted(clause):
            return tuple(sorted(clause.subtree, key=lambda t: t.i))
    for prep in tree.kids(verb, "prep"):
        if prep.lower_ == "in" and any(o.lower_ in {"case", "event"} for o in tree.kids(prep, "pobj")):
            return tuple(sorted(prep.subtree, key=lambda t: t.i))
    return ()


def _inverted(clause: Token) -> bool:
    """``should Russia invade``."""
    subjects = tree.kids(clause, *tree.SUBJECTS)
    return any(a.lower_ == "should" and subjects and a.i < subjects[0].i for a in tree.kids(clause, "aux"))


def _had_inverted(clause: Token) -> bool:
    """``had Nato deployed``."""
    subjects = tree.kids(clause, *tree.SUBJECTS)
    return any(a.lower_ in {"had", "were"} and subjects and a.i < subjects[0].i for a in tree.kids(clause, "aux"))


def _climb(token: Token, walk: _Walk) -> None:
    for _ in range(MAX_STEPS):
        if token.dep_ == "ROOT" or token.head == token:
            _root(token, walk)
            return
        following = _step(token, walk)
        if following is None:
            return
        token = following


def _root(token: Token, walk: _Walk) -> None:
    """Inversion at the root: ``Had Nato deployed troops, …``."""
    if tree.is_verb(token) and _had_inverted(token):
        walk.add(Turn.PROTASIS, token)


def _step(token: Token, walk: _Walk) -> Token | None:
    """One step up; None ends the walk."""
    if token.dep_ in {"pobj", "pcomp", "prep", "agent"} or (token.dep_ == "dative" and token.pos_ == "ADP"):
        return _through_preposition(token, walk)
    if token.dep_ == "conj":
        return _through_conjunction(token, walk)
    head = token.head
    if tree.is_verb(head):
        return _into_verb(token, head, walk)
    if head.pos_ == "ADJ" or (head.pos_ == "ADV" and token.dep_ in {"xcomp", "ccomp"}):
        _adjective(head, tree.lemma(head), walk)
        return head
    return _into_noun(token, head, walk)


def _through_conjunction(token: Token, walk: _Walk) -> Token | None:
    """What is joined shares the governors of the first, and its auxiliaries where it has no subject of its own."""
    head = token.head
    if tree.is_verb(token) and tree.is_verb(head):
        own = tree.kids(token, *tree.SUBJECTS, "aux", "auxpass")
        if not own or (token.tag_ == "VB" and not tree.kids(token, *tree.SUBJECTS)):
            _shared(head, walk, joined_by_or=any(c.lower_ in {"or", "nor"} for c in tree.kids(head, "cc")))
        elif tree.kids(token, *tree.SUBJECTS) and head.dep_ in {"ROOT"}:
            return None
    return head


def _shared(head: Token, walk: _Walk, *, joined_by_or: bool) -> None:
    for child in tree.kids(head, "aux"):
        _auxiliary(child, head, walk)
    if joined_by_or:
        for child in tree.kids(head, "neg"):
            walk.add(Turn.NEGATE, child)
    condition = _condition_of(head, walk)
    if condition:
        walk.condition = walk.condition or condition
        walk.add(Turn.CONDITION, condition[0])


def _through_preposition(token: Token, walk: _Walk) -> Token | None:
    """From a noun through its preposition to what that hangs on."""
    prep = token.head if token.dep_ in {"pobj", "pcomp"} else token
    if prep.pos_ in tree.NOMINAL or prep.head == prep:
        return None
    head, word = prep.head, prep.lower_
    while head.pos_ == "ADP" and head.head != head:
        word, head = head.lower_ if head.lower_ in walk.scene.lexicon.cues.factive else word, head.head
    if word == "without" or (word in {"than", "of"} and prep.head.lower_ in {"rather", "instead"}):
        walk.add(Turn.NEGATE, prep)
        return None
    if word in {"alongside", "besides"} and token.dep_ == "pcomp":
        walk.add(Turn.PLAN, token)
        return None
    cues = walk.scene.lexicon.cues
    if tree.is_verb(head):
        if word == "since":
            walk.add(Turn.PAST, prep)
        if word in cues.factive and not (word == "against" and tree.lemma(head) in cues.verbs.warn) and not _called(head, word, walk):
            return None
        if not _called(head, word, walk) and walk.definite and token.dep_ == "pobj":
            return None
        return _into_verb(token, head, walk)
    if head.pos_ == "ADJ":
        if word in {"to", "of", "for", "about", "against"}:
            _adjective(head, tree.lemma(head), walk)
            return head
        return None
    return _into_noun(token, head, walk)


def _called(verb: Token, prep: str, walk: _Walk) -> bool:
    """Whether ``verb`` is a cue that governs through ``prep``."""
    return prep in walk.scene.lexicon.cues.governed and _verb_turn(verb, None, walk) is not None


def _into_noun(token: Token, noun: Token, walk: _Walk) -> Token | None:
    """Under a noun: a cue noun judges and bars; others are passed through or end the walk."""
    if noun.pos_ not in tree.NOMINAL and noun.pos_ not in {"PRON", "NUM", "DET"}:
        return noun if noun.head != noun else None
    word = tree.lemma(noun)
    turn = _noun_turn(token, word, walk)
    if turn is not None:
        walk.add(turn, noun)
        walk.barred = True
        _noun_negation(noun, walk)
        return noun
    if word in walk.scene.lexicon.cues.nouns.report and token.dep_ in {"acl", "ccomp", "relcl", "pobj", "prep"}:
        walk.barred = True
        _noun_negation(noun, walk)
        return noun
    if token.dep_ == "relcl" or (token.dep_ == "acl" and not _infinitive(token)):
        return None
    if token.dep_ == "acl":
        walk.add(Turn.SUPPOSE if word in ABILITY else Turn.PLAN, noun)
        walk.barred = True
        _noun_negation(noun, walk)
        return noun
    if token.dep_ == "compound" and word in {"talk", "negotiation", "proposal", "effort", "offer", "zone"}:
        walk.add(Turn.SUPPOSE, noun)
        return None
    if token.dep_ in {"compound", "nmod", "appos", "amod"} or token.dep_ == "pobj" and token.head.lower_ in {"of", "for"}:
        _noun_words(noun, walk)
        return noun
    return None


def _noun_negation(noun: Token, walk: _Walk) -> None:
    for child in noun.children:
        if child.dep_ in {"det", "neg", "preconj"} and child.lower_ in {"no", "neither", "not"}:
            walk.add(Turn.NEGATE, child)


def _infinitive(token: Token) -> bool:
    return any(c.tag_ == "TO" for c in token.children)


def _noun_turn(token: Token, word: str, walk: _Walk) -> Turn | None:
    nouns = walk.scene.lexicon.cues.nouns
    governed = token.dep_ in {"compound", "nmod", "acl", "relcl", "ccomp", "appos", "poss"} or token.head.lower_ in {"of", "for", "about", "over", "to", "against", "on", "that"}
    if not governed:
        return None
    if word in nouns.warn:
        return Turn.THREAT if _is_reaction(walk) else Turn.SUPPOSE
    for turn, words in (
        (Turn.THREAT, nouns.threat),
        (Turn.SUPPOSE, nouns.suppose),
        (Turn.PLAN, nouns.plan),
        (Turn.DEMAND, nouns.demand),
        (Turn.NEGATE, nouns.negate),
        (Turn.CEASE, nouns.cease),
        (Turn.PAST, nouns.past),
    ):
        if word in words:
            return None if turn is Turn.CEASE and walk.kind is EventType.SANCTION_RELIEF else turn
    return None


def _into_verb(token: Token, verb: Token, walk: _Walk) -> Token | None:
    """Into the verb that the event depends on."""
    if token.dep_ == "advcl":
        return _from_adverbial(token, walk)
    if token.dep_ in {"nsubj", "csubj"} and not _subject_shares(token, verb, walk):
        return None
    if token.dep_ == "nsubjpass" and tree.lemma(verb) not in walk.scene.lexicon.cues.aspectual and _verb_turn(verb, token, walk) is None:
        return None
    if token.dep_ in {"npadvmod", "parataxis", "intj"} or _spliced(token, verb, walk):
        return None
    if walk.kind is EventType.DEMAND and tree.lemma(verb) in ANSWERS and token.dep_ in {"dobj", "nsubjpass", "prep", "pobj"}:
        return None
    if tree.lemma(verb) in walk.scene.lexicon.cues.nouns.report and verb.i and tree.lemma(verb.doc[verb.i - 1]) in {"dismiss", "reject", "deny", "refute"}:
        walk.add(Turn.NEGATE, verb.doc[verb.i - 1])
    turn = _verb_turn(verb, token, walk)
    if turn is not None:
        particle = [c for c in verb.children if c.dep_ == "prt"]
        walk.add(turn, verb, *particle[:1])
    _verb_words(verb, walk)
    return verb


def _spliced(token: Token, verb: Token, walk: _Walk) -> bool:
    """A clause that only a comma joins to the next (``it is no option, we want none``); before *he said* it is said."""
    if token.dep_ != "ccomp" or token.i > verb.i or tree.kids(token, "mark"):
        return False
    return tree.lemma(verb) not in walk.scene.lexicon.cues.say or bool(tree.kids(verb, "neg"))


def _from_adverbial(clause: Token, walk: _Walk) -> Token | None:
    """An adverbial clause: a condition, a purpose, or something taken for granted."""
    conditionals = walk.scene.lexicon.cues.conditionals
    marks = [m for m in tree.kids(clause, "mark", "advmod") if m.lower_ in conditionals and m.i < clause.i]
    if any(m.lower_ != "should" for m in marks) or _inverted(clause) or _had_inverted(clause):
        walk.barred = False
        walk.add(Turn.PROTASIS, *(marks[:1] or [clause]))
        return None
    if any(m.lower_ in {"until", "till"} for m in tree.kids(clause, "mark")):
        walk.add(Turn.SUPPOSE, clause)
        return None
    if _infinitive(clause) and not tree.kids(clause, "nsubj"):
        turn = _verb_turn(clause.head, clause, walk)
        walk.add(turn or Turn.PLAN, clause.head if turn else clause)
        _verb_words(clause.head, walk)
        return clause.head
    if clause.tag_ == "VBG" and not tree.kids(clause, *tree.SUBJECTS, "mark"):
        _verb_words(clause.head, walk, inherited=True)
        return clause.head if clause.head.dep_ != "ROOT" else None
    return None


def _subject_shares(token: Token, verb: Token, walk: _Walk) -> bool:
    """Whether an event in subject place has the modality of its verb: ``the drills will begin``, ``war is no option``."""
    word = tree.lemma(verb)
    if verb.lemma_ == "be" or verb.pos_ == "AUX":
        return _copula_shares(verb)
    if word == "fear" and verb.tag_ in {"VBZ", "VBP", "NNS"}:
        walk.add(Turn.SUPPOSE, verb)
        return False
    if word in walk.scene.lexicon.cues.verbs.negate and word in {"fail", "collapse", "break_down"}:
        walk.add(Turn.NEGATE, verb)
        return False
    if word == "break" and walk.kind is EventType.TALKS and any(c.lower_ in {"down", "up", "off"} for c in tree.kids(verb, "prt", "advmod")):
        walk.add(Turn.NEGATE, verb)
        return False
    if word in CAUSES and tree.kids(verb, "aux") and any(a.lower_ in {"would", "could", "will", "might", "may"} for a in tree.kids(verb, "aux")):
        walk.add(Turn.PROTASIS, verb)
        return False
    if word in {"run", "happen", "loom", "rise"} or word in walk.scene.lexicon.cues.aspectual:
        if word == "loom":
            walk.add(Turn.SUPPOSE, verb)
        return not tree.objects(verb) or word in {"take"}
    return False


def _copula_shares(verb: Token) -> bool:
    if tree.kids(verb, "expl"):
        return True
    said = [*tree.kids(verb, "attr"), *tree.kids(verb, "acomp"), *tree.kids(verb, "oprd")]
    if any(tree.lemma(t) in OPTIONS for t in said):
        return True
    if any(t.pos_ in {"ADJ", "VERB"} and tree.lemma(t) in {"likely", "unlikely", "possible", "imminent", "inevitable", "planned", "scheduled", "due", "set", "expected", "impossible", "off", "yet", "underway", "under", "over"} for t in said):
        return True
    return any(p.lower_ in {"on", "off", "under", "in", "out"} for p in tree.kids(verb, "prep")) or bool(tree.kids(verb, "xcomp"))


def _verb_turn(verb: Token, token: Token | None, walk: _Walk) -> Turn | None:  # noqa: PLR0911 - one answer for each class of verbs
    """What a governing verb does to the event below it."""
    verbs = walk.scene.lexicon.cues.verbs
    word = tree.lemma(verb)
    particles = {c.lower_ for c in verb.children if c.dep_ in {"prt", "advmod", "prep"}}
    if any(f"{word} {particle}" in verbs.negate for particle in particles):
        return Turn.NEGATE
    if word in verbs.hesitate:
        return Turn.RESOLVE
    if word in verbs.threat:
        return Turn.THREAT
    if word in verbs.vow:
        return Turn.THREAT if walk.kind in HARD else Turn.PLAN
    if word in verbs.warn:
        return _warning(verb, walk)
    if word in verbs.face and walk.kind in HARD:
        return Turn.THREAT if word in {"face", "pay"} else Turn.SUPPOSE
    if word in verbs.negate and not _lifted(word, walk):
        return Turn.NEGATE
    if word in verbs.cease and walk.kind not in {EventType.SANCTION_RELIEF, EventType.CEASEFIRE}:
        return Turn.CEASE
    if word in verbs.demand and walk.kind is not EventType.DEMAND and _demands(verb, token, walk):
        return Turn.DEMAND
    return _weaker_turn(verb, word, token, walk)


def _weaker_turn(verb: Token, word: str, token: Token | None, walk: _Walk) -> Turn | None:
    verbs = walk.scene.lexicon.cues.verbs
    if word in verbs.doubt:
        return None if tree.kids(verb, "neg") else Turn.SUPPOSE
    if word in verbs.mull and not (word == "discuss" and walk.kind is EventType.TALKS):
        return Turn.MULL
    if word in verbs.suppose:
        return Turn.SUPPOSE
    if word in verbs.plan:
        return _planning(verb, word, token, walk)
    return None


def _lifted(word: str, walk: _Walk) -> bool:
    return walk.kind is EventType.SANCTION_RELIEF and word in walk.scene.lexicon.cues.verbs.relieve


def _demands(verb: Token, token: Token | None, walk: _Walk) -> bool:
    """``called the drills a provocation`` demands nothing; ``called for`` does."""
    word = tree.lemma(verb)
    if word in {"call", "press", "push", "ask", "back", "appeal"} and token is not None and token.dep_ in {"dobj", "nsubj", "nsubjpass"}:
        return word == "ask" and token.dep_ == "dobj"
    return True


def _planning(verb: Token, word: str, token: Token | None, walk: _Walk) -> Turn | None:
    noun = token is not None and token.dep_ in {"dobj", "nsubjpass"}
    if word in {"order", "instruct", "direct"} and (noun or token is None or token.dep_ in {"pobj", "prep", "nsubj"}):
        return None
    if word in {"agree", "decide", "set", "authorise", "authorize", "approve"} and (noun or (token is not None and token.dep_ == "pobj")):
        return Turn.PLAN if word.startswith(("authori", "approve")) and walk.kind is not EventType.SANCTION else None
    if word in {"want", "need"} and token is not None and token.dep_ in {"xcomp", "ccomp"} and (tree.kids(token, "nsubj") or tree.kids(verb, "dobj")):
        return Turn.DEMAND
    if word == "need":
        return Turn.DEMAND
    return Turn.PLAN


def _is_reaction(walk: _Walk) -> bool:
    return walk.trigger is not None and (tree.lemma(walk.trigger) in REACTIONS or walk.kind is EventType.SANCTION)


def _warning(verb: Token, walk: _Walk) -> Turn | None:
    """A warning of one's own deed is a threat, of another's a fear."""
    if walk.kind is EventType.DEMAND:
        return None
    warning = {r.code for r in resolve_all(doers(verb), walk.scene)}
    if warning & walk.actors or (_is_reaction(walk) and not walk.actors - warning):
        return Turn.THREAT
    if not walk.actors and not warning:
        return Turn.SUPPOSE
    if any(s.turn in {Turn.FUTURE, Turn.CONDITION} for s in walk.steps) and walk.actors and _speaks_for(verb, walk):
        return Turn.THREAT
    return Turn.SUPPOSE


def _speaks_for(verb: Token, walk: _Walk) -> bool:
    """``a senior commander warned``: an official without a country of his own speaks for the event's actor."""
    return not resolve_all(doers(verb), walk.scene) and bool(walk.actors)


# -- the verdict


def _verdict(walk: _Walk) -> Verdict:
    state: Modality | None = None
    ceased = mulled = future = conditioned = protasis = resolve = False
    for step in walk.steps:
        turn = step.turn
        if turn is Turn.NEGATE:
            state = _negated(state, ceased=ceased, resolve=resolve)
        elif turn is Turn.RESOLVE:
            resolve = True
            state = Modality.THREATENED if walk.kind in HARD else Modality.PLANNED
        elif turn is Turn.CEASE:
            ceased = state is None
            state = Modality.NEGATED if state is None else state
        elif turn is Turn.PROTASIS:
            protasis = True
        elif turn is Turn.CONDITION:
            conditioned = True
        elif turn is Turn.FUTURE:
            future = future or state is None
            state = state or Modality.PLANNED
        elif turn is Turn.MULL:
            mulled = mulled or state in {None, Modality.PLANNED}
            state = _outer(state, Modality.SPECULATIVE, ceased=ceased)
        else:
            state = _outer(state, _STATES[turn], ceased=ceased)
    return _settled(walk, state or Modality.ASSERTED, mulled=mulled, future=future, conditioned=conditioned, protasis=protasis)


_STATES = {
    Turn.SUPPOSE: Modality.SPECULATIVE,
    Turn.PLAN: Modality.PLANNED,
    Turn.THREAT: Modality.THREATENED,
    Turn.DEMAND: Modality.DEMANDED,
    Turn.PAST: Modality.HISTORICAL,
}
_OVERRIDES = {
    Modality.SPECULATIVE: frozenset({Modality.PLANNED, Modality.THREATENED}),
    Modality.PLANNED: frozenset[Modality](),
    Modality.THREATENED: frozenset({Modality.PLANNED, Modality.SPECULATIVE}),
    Modality.DEMANDED: frozenset({Modality.PLANNED, Modality.SPECULATIVE}),
    Modality.HISTORICAL: frozenset({Modality.PLANNED, Modality.THREATENED, Modality.DEMANDED, Modality.SPECULATIVE}),
}


def _negated(state: Modality | None, *, ceased: bool, resolve: bool) -> Modality | None:
    if resolve:
        return state
    if state is Modality.NEGATED and not ceased:
        return Modality.SPECULATIVE
    return Modality.NEGATED


def _outer(state: Modality | None, new: Modality, *, ceased: bool) -> Modality:
    """The innermost cue wins, save where an outer one takes back what it grants."""
    if state is None or (ceased and new is Modality.DEMANDED):
        return new
    return new if state in _OVERRIDES[new] else state


def _settled(
    walk: _Walk, state: Modality, *, mulled: bool, future: bool, conditioned: bool, protasis: bool
) -> Verdict:
    cues = tuple(walk.steps)
    if protasis:
        return Verdict(Modality.CONDITIONAL, active=False, condition=(), cues=cues, hypothetical=True)
    if conditioned and (state in {Modality.ASSERTED, Modality.PLANNED} or (mulled and state is Modality.SPECULATIVE)):
        if not (state is Modality.ASSERTED and walk.kind not in HARD):
            state = Modality.CONDITIONAL
    elif future and state is Modality.PLANNED and walk.kind is EventType.FORCE:
        state = Modality.THREATENED
    active = state in {Modality.ASSERTED, Modality.PLANNED, Modality.THREATENED, Modality.CONDITIONAL}
    return Verdict(state, active, walk.condition, cues)
