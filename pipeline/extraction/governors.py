"""Governors: what a verb or noun that an event depends on does to its modality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.control import doers
from pipeline.extraction.referents import resolve_all
from pipeline.extraction.steps import HARD, ONGOING, Turn, Walk
from pipeline.records import EventType

if TYPE_CHECKING:
    from spacy.tokens import Token


JOINED = frozenset({EventType.TALKS, EventType.CEASEFIRE, EventType.EXERCISE})
LEAVES = frozenset(
    {
        "pull",
        "walk",
        "quit",
        "withdraw",
        "boycott",
        "skip",
        "snub",
        "leave",
        "abandon",
        "exit",
        "violate",
        "breach",
        "block",
    }
)
"""Talks that are left and truces that are broken are not going on."""
REACTIONS = frozenset(
    {
        "response",
        "retaliation",
        "consequence",
        "reaction",
        "action",
        "measure",
        "sanction",
        "reprisal",
        "answer",
        "step",
        "blow",
        "embargo",
        "price",
    }
)


DREADED = frozenset(
    {
        "concern",
        "worry",
        "fear",
        "alarm",
        "anxiety",
        "pressure",
        "protest",
        "jitter",
        "unease",
        "anger",
        "outcry",
        "row",
    }
)
"""Feelings: *over* or *about* what goes on, they take it for granted; *of* something, they only expect it."""


def noun_turn(token: Token, word: str, walk: Walk) -> Turn | None:
    """What a noun does to the event below it; None for one that is no cue or does not govern it."""
    nouns = walk.scene.lexicon.cues.nouns
    governed = token.dep_ in {"compound", "nmod", "acl", "relcl", "ccomp", "appos", "poss"} or token.head.lower_ in {
        "of",
        "for",
        "about",
        "over",
        "to",
        "against",
        "on",
        "that",
    }
    if not governed:
        return None
    if walk.kind in ONGOING and word in DREADED and _is_about(token):
        walk.granted = True
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


def _is_about(token: Token) -> bool:
    """``concern over troops``: the event is a noun after *over* or *about*."""
    preposition = token if token.pos_ == "ADP" else token.head
    return preposition.lower_ in {"over", "about", "at"} and not any(tree.is_verb(c) for c in preposition.children)


def verb_turn(verb: Token, token: Token | None, walk: Walk) -> Turn | None:  # noqa: PLR0911 - one answer for each class of verbs
    """What a governing verb does to the event below it."""
    verbs = walk.scene.lexicon.cues.verbs
    word = tree.lemma(verb)
    particles = {c.lower_ for c in verb.children if c.dep_ in {"prt", "advmod", "prep"}}
    called_off = any(f"{word} {particle}" in verbs.negate for particle in particles)
    if called_off or (walk.kind in JOINED and word in LEAVES):
        return Turn.NEGATE
    if word in verbs.hesitate:
        return Turn.RESOLVE
    if word in verbs.threat:
        return Turn.THREAT
    if word in verbs.vow | verbs.warn:
        return _warning(verb, walk) if word in verbs.warn else Turn.THREAT if walk.kind in HARD else Turn.PLAN
    if word in verbs.face and walk.kind in HARD:
        return Turn.THREAT if word in {"face", "pay"} else Turn.SUPPOSE
    if word in verbs.negate and not _lifted(word, walk):
        return Turn.NEGATE
    if word in verbs.cease and walk.kind not in {EventType.SANCTION_RELIEF, EventType.CEASEFIRE}:
        return Turn.CEASE
    if word in verbs.demand and walk.kind is not EventType.DEMAND and _demands(verb, token):
        return Turn.DEMAND
    return _weaker_turn(verb, word, token, walk)


def _weaker_turn(verb: Token, word: str, token: Token | None, walk: Walk) -> Turn | None:
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


def _lifted(word: str, walk: Walk) -> bool:
    return walk.kind is EventType.SANCTION_RELIEF and word in walk.scene.lexicon.cues.verbs.relieve


def _demands(verb: Token, token: Token | None) -> bool:
    """``called the drills a provocation`` demands nothing; ``called for`` does."""
    word = tree.lemma(verb)
    if (
        word in {"call", "press", "push", "ask", "back", "appeal"}
        and token is not None
        and token.dep_ in {"dobj", "nsubj", "nsubjpass"}
    ):
        return word == "ask" and token.dep_ == "dobj"
    return True


def _planning(verb: Token, word: str, token: Token | None, walk: Walk) -> Turn | None:
    noun = token is not None and token.dep_ in {"dobj", "nsubjpass"}
    if word in {"order", "instruct", "direct"} and (noun or token is None or token.dep_ in {"pobj", "prep", "nsubj"}):
        return None
    if word in {"agree", "decide", "set", "authorise", "authorize", "approve"} and (
        noun or (token is not None and token.dep_ == "pobj")
    ):
        return Turn.PLAN if word.startswith(("authori", "approve")) and walk.kind is not EventType.SANCTION else None
    if (
        word in {"want", "need"}
        and token is not None
        and token.dep_ in {"xcomp", "ccomp"}
        and (tree.kids(token, "nsubj") or tree.kids(verb, "dobj"))
    ):
        return Turn.DEMAND
    if word == "need":
        return Turn.DEMAND
    return Turn.PLAN


def _is_reaction(walk: Walk) -> bool:
    return walk.trigger is not None and (tree.lemma(walk.trigger) in REACTIONS or walk.kind is EventType.SANCTION)


def _warning(verb: Token, walk: Walk) -> Turn | None:
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


def _speaks_for(verb: Token, walk: Walk) -> bool:
    """``a senior commander warned``: an official without a country of his own speaks for the event's actor."""
    return not resolve_all(doers(verb), walk.scene) and bool(walk.actors)
