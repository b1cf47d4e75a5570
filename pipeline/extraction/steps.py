"""Steps: the cues that a walk from a trigger to the root collects, and what each does to the modality."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.records import EventType

if TYPE_CHECKING:
    from spacy.tokens import Token

    from pipeline.extraction.scene import Scene


HARD = frozenset({EventType.FORCE, EventType.SANCTION, EventType.RUPTURE, EventType.WEAPONS_TEST})
ONGOING = frozenset({EventType.DEPLOYMENT, EventType.EXERCISE, EventType.MOBILIZATION})
"""What goes on for weeks is told whenever it is mentioned; a raid was told when it happened."""


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
    MODEL = "model"


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


@dataclass
class Walk:
    """The climb, while it goes on."""

    kind: EventType
    scene: Scene
    actors: frozenset[str]
    steps: list[Step] = field(default_factory=list)
    condition: tuple[Token, ...] = ()
    barred: bool = False
    definite: bool = False
    granted: bool = False
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
