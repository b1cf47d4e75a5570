"""Cues that stand with a word itself: negation, auxiliaries, adjectives, adverbs, and the condition of a verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.steps import Turn, Walk

if TYPE_CHECKING:
    from spacy.tokens import Token


DEFINITE = frozenset({"the", "this", "that", "these", "those", "its", "their", "his", "her", "our"})
CAUSES = frozenset(
    {
        "trigger",
        "prompt",
        "provoke",
        "spark",
        "invite",
        "draw",
        "mean",
        "bring",
        "meet",
        "unleash",
        "lead",
        "result",
        "cause",
    }
)


def own_words(token: Token, walk: Walk) -> None:
    """Cues on the trigger itself."""
    if tree.is_verb(token):
        verb_words(token, walk)
    else:
        noun_words(token, walk)


def noun_words(noun: Token, walk: Walk) -> None:
    """Cues on a noun: its determiner, its adjectives; shared from the first of several joined nouns."""
    cues = walk.scene.lexicon.cues
    for child in noun.children:
        word = tree.lemma(child)
        if child.dep_ in {"det", "preconj", "neg", "advmod"} and child.lower_ in {
            "no",
            "neither",
            "nor",
            "not",
            "without",
        }:
            walk.add(Turn.NEGATE, child)
        elif child.dep_ == "amod" or (child.dep_ in {"compound", "nmod"} and child.pos_ in {"ADJ", "VERB"}):
            adjective(child, word, walk)
        elif child.dep_ == "det" and child.lower_ == "any":
            walk.add(Turn.SUPPOSE, child)
        if (child.dep_ in {"det", "poss"} and child.lower_ in DEFINITE) or child.dep_ == "poss":
            walk.definite = True
    if noun.dep_ == "conj" and not tree.is_verb(noun.head) and noun.head.pos_ in tree.NOMINAL:
        for child in noun.head.children:
            if child.dep_ in {"det", "preconj"} and child.lower_ in {"no", "neither"}:
                walk.add(Turn.NEGATE, child)
            elif child.dep_ == "amod" and tree.lemma(child) in cues.adjectives.suppose | cues.adjectives.plan:
                adjective(child, tree.lemma(child), walk)


def adjective(token: Token, word: str, walk: Walk) -> None:
    """What an adjective does, if it is a cue."""
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


def verb_words(verb: Token, walk: Walk, *, inherited: bool = False) -> None:
    """Negation, auxiliaries, adverbs and the condition of one verb."""
    condition = condition_of(verb, walk)
    for child in verb.children:
        if child.dep_ == "aux" and child.i < verb.i:
            auxiliary(child, verb, walk)
        elif child.dep_ in {"nsubj", "nsubjpass"} and not inherited and _says_none(child, walk):
            walk.add(Turn.NEGATE, next((c for c in child.children if c.lower_ in {"no", "neither"}), child))
        elif (turn := _adverb_turn(child, verb, walk)) is not None:
            walk.add(turn, child)
    if verb == walk.trigger:
        for theme in tree.objects(verb):
            noun_negation(theme, walk)
    if condition:
        walk.condition = walk.condition or condition
        walk.add(Turn.CONDITION, *condition[:1])
    if verb.tag_ == "VB" and verb.dep_ == "ROOT" and any(c.tag_ == "TO" for c in verb.children):
        walk.add(Turn.PLAN, *[c for c in verb.children if c.tag_ == "TO"][:1])


def _adverb_turn(child: Token, verb: Token, walk: Walk) -> Turn | None:
    """What a negation or adverb does."""
    adverbs = walk.scene.lexicon.cues.adverbs
    low = child.lower_
    negates = child.dep_ in {"advmod", "preconj", "det", "cc"} and low in adverbs.negate and child.i <= verb.i
    if child.dep_ == "neg" or negates:
        return None if low == "not" and _not_only(child) else Turn.NEGATE
    if child.dep_ != "advmod":
        return None
    if low in adverbs.suppose or (low in {"yet", "still"} and verb.lemma_ == "be" and tree.kids(verb, "xcomp")):
        return Turn.SUPPOSE
    return Turn.PAST if low in adverbs.past and child.i < verb.i else None


def _not_only(token: Token) -> bool:
    following = token.doc[token.i + 1 : token.i + 2]
    return bool(following) and following[0].lower_ in {"only", "just", "merely"}


def _says_none(subject: Token, walk: Walk) -> bool:
    if subject.lower_ in {"nobody", "none", "nothing", "neither"}:
        return True
    if walk.trigger is not None and (subject == walk.trigger or subject.is_ancestor(walk.trigger)):
        return False
    return any(c.dep_ in {"det", "preconj", "neg", "cc"} and c.lower_ in {"no", "neither"} for c in subject.children)


def auxiliary(aux: Token, verb: Token, walk: Walk) -> None:
    """What an auxiliary does: *could*, *will*, *would*, *should*."""
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


def _reported_or_conditioned(verb: Token, walk: Walk) -> bool:
    """``said it would …`` is a future seen from the past; so is ``would … if``."""
    if condition_of(verb, walk) or any(
        tree.lemma(c) in walk.scene.lexicon.cues.say for c in tree.kids(verb, "ccomp", "parataxis")
    ):
        return True
    say = walk.scene.lexicon.cues.say
    return any(tree.lemma(above) in say for above in verb.ancestors) or (verb.dep_ == "ROOT" and _subject_event(verb))


def _subject_event(verb: Token) -> bool:
    return tree.lemma(verb) in CAUSES


def condition_of(verb: Token, walk: Walk) -> tuple[Token, ...]:
    """The ``if`` clause that hangs on ``verb``, or an event in subject place that would cause it."""
    conditionals = walk.scene.lexicon.cues.conditionals
    for clause in tree.kids(verb, "advcl"):
        if walk.trigger is not None and (clause == walk.trigger or clause.is_ancestor(walk.trigger)):
            continue
        marks = [m for m in tree.kids(clause, "mark", "advmod", "aux") if m.lower_ in conditionals and m.i < clause.i]
        if any(
            m.lower_ not in {"should", "provided", "whether"} or (m.dep_ in {"mark", "aux"} and inverted(clause))
            for m in marks
        ) or had_inverted(clause):
            return tuple(sorted(clause.subtree, key=lambda t: t.i))
    for prep in tree.kids(verb, "prep"):
        if prep.lower_ == "in" and any(o.lower_ in {"case", "event"} for o in tree.kids(prep, "pobj")):
            return tuple(sorted(prep.subtree, key=lambda t: t.i))
    return ()


def inverted(clause: Token) -> bool:
    """``should Russia invade``."""
    subjects = tree.kids(clause, *tree.SUBJECTS)
    return any(a.lower_ == "should" and subjects and a.i < subjects[0].i for a in tree.kids(clause, "aux"))


def had_inverted(clause: Token) -> bool:
    """``had Nato deployed``."""
    subjects = tree.kids(clause, *tree.SUBJECTS)
    return any(a.lower_ in {"had", "were"} and subjects and a.i < subjects[0].i for a in tree.kids(clause, "aux"))


def noun_negation(noun: Token, walk: Walk) -> None:
    """*No* and its like on a noun."""
    for child in noun.children:
        if child.dep_ in {"det", "neg", "preconj"} and child.lower_ in {"no", "neither", "not"}:
            walk.add(Turn.NEGATE, child)


def infinitive(token: Token) -> bool:
    """Whether a verb has *to*."""
    return any(c.tag_ == "TO" for c in token.children)
