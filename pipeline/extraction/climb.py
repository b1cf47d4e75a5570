"""The climb: from a trigger up to the root, collecting cues on the way, until something takes the event for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.cues import (
    CAUSES,
    adjective,
    auxiliary,
    condition_of,
    had_inverted,
    infinitive,
    inverted,
    noun_negation,
    noun_words,
    verb_words,
)
from pipeline.extraction.governors import noun_turn, verb_turn
from pipeline.extraction.steps import Turn, Walk
from pipeline.records import EventType

if TYPE_CHECKING:
    from spacy.tokens import Token


OPTIONS = frozenset(
    {
        "something",
        "option",
        "goal",
        "intention",
        "aim",
        "solution",
        "answer",
        "interest",
        "possibility",
        "plan",
        "case",
        "alternative",
        "choice",
        "scenario",
        "question",
        "objective",
    }
)
ABILITY = frozenset(
    {
        "ability",
        "capability",
        "capacity",
        "right",
        "power",
        "means",
        "authority",
        "excuse",
        "pretext",
        "reason",
        "temptation",
        "permission",
    }
)
ANSWERS = frozenset(
    {
        "reject",
        "refuse",
        "dismiss",
        "defy",
        "accept",
        "ignore",
        "meet",
        "consider",
        "discuss",
        "study",
        "weigh",
        "deny",
        "fear",
    }
)
MAX_STEPS = 24


def climb(token: Token, walk: Walk) -> None:
    """Collect cues from ``token`` upwards."""
    for _ in range(MAX_STEPS):
        if token.dep_ == "ROOT" or token.head == token:
            _root(token, walk)
            return
        following = _step(token, walk)
        if following is None:
            return
        token = following


def _root(token: Token, walk: Walk) -> None:
    """Inversion at the root: ``Had Nato deployed troops, …``."""
    if tree.is_verb(token) and had_inverted(token):
        walk.add(Turn.PROTASIS, token)


def _step(token: Token, walk: Walk) -> Token | None:
    """One step up; None ends the walk."""
    if token.dep_ in {"pobj", "pcomp", "prep", "agent"} or (token.dep_ == "dative" and token.pos_ == "ADP"):
        return _through_preposition(token, walk)
    if token.dep_ == "conj":
        return _through_conjunction(token, walk)
    head = token.head
    if tree.is_verb(head):
        return _into_verb(token, head, walk)
    if head.pos_ == "ADJ" or (head.pos_ == "ADV" and token.dep_ in {"xcomp", "ccomp"}):
        adjective(head, tree.lemma(head), walk)
        return head
    return _into_noun(token, head, walk)


def _through_conjunction(token: Token, walk: Walk) -> Token | None:
    """What is joined shares the governors of the first, and its auxiliaries where it has no subject of its own."""
    head = token.head
    if tree.is_verb(token) and tree.is_verb(head):
        own = tree.kids(token, *tree.SUBJECTS, "aux", "auxpass")
        if not own or (token.tag_ == "VB" and not tree.kids(token, *tree.SUBJECTS)):
            _shared(head, walk, joined_by_or=any(c.lower_ in {"or", "nor"} for c in tree.kids(head, "cc")))
        elif tree.kids(token, *tree.SUBJECTS) and head.dep_ == "ROOT":
            return None
    return head


def _shared(head: Token, walk: Walk, *, joined_by_or: bool) -> None:
    for child in tree.kids(head, "aux"):
        auxiliary(child, head, walk)
    if joined_by_or:
        for child in tree.kids(head, "neg"):
            walk.add(Turn.NEGATE, child)
    condition = condition_of(head, walk)
    if condition:
        walk.condition = walk.condition or condition
        walk.add(Turn.CONDITION, condition[0])


def _through_preposition(token: Token, walk: Walk) -> Token | None:
    """From a noun through its preposition to what that hangs on."""
    prep = token.head if token.dep_ in {"pobj", "pcomp"} else token
    if prep.pos_ in tree.NOMINAL or prep.head == prep:
        return None
    head, word = _hung_on(prep, walk)
    if _sets_apart(token, prep, word, walk):
        return None
    if tree.is_verb(head):
        walk.granted = _taken_for_granted(token, head, prep, word, walk)
        return None if walk.granted else _into_verb(token, head, walk)
    if head.pos_ != "ADJ":
        return _into_noun(token, head, walk)
    if word in {"to", "of", "for", "about", "against"}:
        adjective(head, tree.lemma(head), walk)
        return head
    walk.granted = word in walk.scene.lexicon.cues.factive
    return None


def _hung_on(prep: Token, walk: Walk) -> tuple[Token, str]:
    """What a preposition hangs on, and its word: of several in a row the one that takes something for granted."""
    head, word = prep.head, prep.lower_
    while head.pos_ == "ADP" and head.head != head:
        word, head = head.lower_ if head.lower_ in walk.scene.lexicon.cues.factive else word, head.head
    return head, word


def _sets_apart(token: Token, prep: Token, word: str, walk: Walk) -> bool:
    """``without attacking``, ``rather than attacking``; ``besides opening talks``, which is only under way."""
    if word == "without" or (word in {"than", "of"} and prep.head.lower_ in {"rather", "instead"}):
        walk.add(Turn.NEGATE, prep)
        return True
    if word in {"alongside", "besides"} and token.dep_ == "pcomp":
        walk.add(Turn.PLAN, token)
        return True
    return False


def _taken_for_granted(token: Token, verb: Token, prep: Token, word: str, walk: Walk) -> bool:
    """``after the attack``; also what is definite and not governed (``in the war``)."""
    cues = walk.scene.lexicon.cues
    if word == "since":
        walk.add(Turn.PAST, prep)
    elif word == "before" and not walk.definite and token.dep_ == "pobj":
        walk.add(Turn.SUPPOSE, prep)
    if _called(verb, word, walk) or (word == "against" and tree.lemma(verb) in cues.verbs.warn):
        return False
    return word in cues.factive or (walk.definite and token.dep_ == "pobj")


def _called(verb: Token, prep: str, walk: Walk) -> bool:
    """Whether ``verb`` is a cue that governs through ``prep``."""
    return prep in walk.scene.lexicon.cues.governed and verb_turn(verb, None, walk) is not None


def _into_noun(  # noqa: PLR0911 - one answer for each way in which a noun holds what is below it
    token: Token, noun: Token, walk: Walk
) -> Token | None:
    """Under a noun: a cue noun judges and bars; others are passed through or end the walk."""
    if noun.pos_ not in tree.NOMINAL and noun.pos_ not in {"PRON", "NUM", "DET"}:
        return noun if noun.head != noun else None
    word = tree.lemma(noun)
    turn = noun_turn(token, word, walk)
    if walk.granted:
        return None
    if turn is not None:
        walk.add(turn, noun)
        walk.barred = True
        noun_negation(noun, walk)
        return noun
    if word in walk.scene.lexicon.cues.nouns.report and token.dep_ in {"acl", "ccomp", "relcl", "pobj", "prep"}:
        walk.barred = True
        noun_negation(noun, walk)
        return noun
    if token.dep_ == "relcl" or (token.dep_ == "acl" and not infinitive(token)):
        return None
    if token.dep_ == "acl":
        walk.add(Turn.SUPPOSE if word in ABILITY else Turn.PLAN, noun)
        walk.barred = True
        noun_negation(noun, walk)
        return noun
    if token.dep_ == "compound" and word in {"talk", "negotiation", "proposal", "effort", "offer", "zone"}:
        walk.add(Turn.SUPPOSE, noun)
        return None
    if token.dep_ in {"compound", "nmod", "appos", "amod"} or (
        token.dep_ == "pobj" and token.head.lower_ in {"of", "for"}
    ):
        noun_words(noun, walk)
        return noun
    return None


def _into_verb(token: Token, verb: Token, walk: Walk) -> Token | None:
    """Into the verb that the event depends on."""
    if token.dep_ == "advcl":
        return _from_adverbial(token, walk)
    if token.dep_ in {"nsubj", "csubj"} and not _subject_shares(verb, walk):
        return None
    if (
        token.dep_ == "nsubjpass"
        and tree.lemma(verb) not in walk.scene.lexicon.cues.aspectual
        and verb_turn(verb, token, walk) is None
    ):
        return None
    if token.dep_ in {"npadvmod", "parataxis", "intj"} or _spliced(token, verb, walk):
        return None
    if (
        walk.kind is EventType.DEMAND
        and tree.lemma(verb) in ANSWERS
        and token.dep_ in {"dobj", "nsubjpass", "prep", "pobj"}
    ):
        return None
    if (
        tree.lemma(verb) in walk.scene.lexicon.cues.nouns.report
        and verb.i
        and tree.lemma(verb.doc[verb.i - 1]) in {"dismiss", "reject", "deny", "refute"}
    ):
        walk.add(Turn.NEGATE, verb.doc[verb.i - 1])
    turn = verb_turn(verb, token, walk)
    if turn is not None:
        particle = [c for c in verb.children if c.dep_ == "prt"]
        walk.add(turn, verb, *particle[:1])
    verb_words(verb, walk)
    return verb


def _spliced(token: Token, verb: Token, walk: Walk) -> bool:
    """A clause that only a comma joins to the next (``it is no option, we want none``); before *he said* it is said."""
    if token.dep_ != "ccomp" or token.i > verb.i or tree.kids(token, "mark"):
        return False
    cues = walk.scene.lexicon.cues
    reports = tree.lemma(verb) in cues.say - cues.verbs.demand
    return not reports or bool(tree.kids(verb, "neg", "dobj"))


def _from_adverbial(clause: Token, walk: Walk) -> Token | None:
    """An adverbial clause: a condition, a purpose, or something taken for granted."""
    conditionals = walk.scene.lexicon.cues.conditionals
    marks = [m for m in tree.kids(clause, "mark", "advmod") if m.lower_ in conditionals and m.i < clause.i]
    if any(m.lower_ != "should" for m in marks) or inverted(clause) or had_inverted(clause):
        walk.barred = False
        walk.add(Turn.PROTASIS, *(marks[:1] or [clause]))
        return None
    if any(m.lower_ in {"until", "till"} for m in tree.kids(clause, "mark")):
        walk.add(Turn.SUPPOSE, clause)
        return None
    if infinitive(clause) and not tree.kids(clause, "nsubj"):
        turn = verb_turn(clause.head, clause, walk)
        walk.add(turn or Turn.PLAN, clause.head if turn else clause)
        verb_words(clause.head, walk)
        return clause.head
    if clause.tag_ == "VBG" and not tree.kids(clause, *tree.SUBJECTS, "mark"):
        verb_words(clause.head, walk, inherited=True)
        return clause.head if clause.head.dep_ != "ROOT" else None
    walk.granted = True
    return None


def _subject_shares(verb: Token, walk: Walk) -> bool:
    """Whether an event in subject place has its verb's modality: ``the drills will begin``, ``war is no option``."""
    word = tree.lemma(verb)
    if verb.lemma_ == "be" or verb.pos_ == "AUX":
        return _copula_shares(verb)
    turn = _subject_turn(verb, word, walk)
    if turn is not None:
        walk.add(turn, verb)
    if turn in {Turn.NEGATE, Turn.PROTASIS} or word == "fear":
        return False
    begins = word in {"run", "happen", "loom", "rise"} or word in walk.scene.lexicon.cues.aspectual
    return begins and (not tree.objects(verb) or word == "take")


def _subject_turn(verb: Token, word: str, walk: Walk) -> Turn | None:
    """What a verb does to the event that is its subject: ``talks collapsed``, ``an attack would trigger …``."""
    if word == "loom" or (word == "fear" and verb.tag_ in {"VBZ", "VBP", "NNS"}):
        return Turn.SUPPOSE
    broken = word == "break" and any(c.lower_ in {"down", "up", "off"} for c in tree.kids(verb, "prt", "advmod"))
    if word in {"fail", "collapse"} or (broken and walk.kind is EventType.TALKS):
        return Turn.NEGATE
    modal = any(a.lower_ in {"would", "could", "will", "might", "may"} for a in tree.kids(verb, "aux"))
    return Turn.PROTASIS if word in CAUSES and modal else None


def _copula_shares(verb: Token) -> bool:
    if tree.kids(verb, "expl"):
        return True
    said = [*tree.kids(verb, "attr"), *tree.kids(verb, "acomp"), *tree.kids(verb, "oprd")]
    if any(tree.lemma(t) in OPTIONS for t in said):
        return True
    if any(
        t.pos_ in {"ADJ", "VERB"}
        and tree.lemma(t)
        in {
            "likely",
            "unlikely",
            "possible",
            "imminent",
            "inevitable",
            "planned",
            "scheduled",
            "due",
            "set",
            "expected",
            "impossible",
            "off",
            "yet",
            "underway",
            "under",
            "over",
        }
        for t in said
    ):
        return True
    return any(p.lower_ in {"on", "off", "under", "in", "out"} for p in tree.kids(verb, "prep")) or bool(
        tree.kids(verb, "xcomp")
    )
