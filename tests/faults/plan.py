"""Who is killed, in which order and after which wait: a pure function of the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

VICTIMS = ("connect", "extract", "score", "runner", "broker")
"""``runner`` is the Prism of extract or of score."""
STAGES = ("connect", "extract", "score")
JOBS = ("extract", "score")
LONGEST_GAP_S = 3.0
EARLY_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill.

    Attributes:
        victim: Of ``VICTIMS``.
        job: Whose runner; empty for the others.
        gap_s: How long after the kill before it, at least.
        early: Kill it wherever it stands, while it starts too; else only once it has worked since it was killed last,
            and then ``gap_s`` later.
    """

    victim: str
    job: str
    gap_s: float
    early: bool

    @property
    def name(self) -> str:
        """For people, such as ``runner of score``."""
        return f"{self.victim} of {self.job}" if self.job else self.victim

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages whose progress shows that the victim is back."""
        if self.victim == "broker":
            return STAGES
        return (self.job or self.victim,)


def kills(seed: int, rounds: int, early_share: float = EARLY_SHARE) -> tuple[Kill, ...]:
    """The kills of a run: in each round every victim once, in an order of its own; the two jobs' runners take turns."""
    dice = random.Random(f"kills {seed}")
    plan: list[Kill] = []
    for number in range(rounds):
        for victim in dice.sample(VICTIMS, len(VICTIMS)):
            early = dice.random() < early_share
            gap = dice.uniform(0, LONGEST_GAP_S)
            job = JOBS[number % len(JOBS)] if victim == "runner" else ""
            plan.append(Kill(victim, job, round(gap, 2), early))
    return tuple(plan)
