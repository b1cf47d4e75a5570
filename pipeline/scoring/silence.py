"""When a dyad has been silent for so long that nothing of it is left, and it can be forgotten.

What is forgotten starts afresh with the next signal. So the decision rests on the state alone, and once it is true it
stays true until a signal comes: whoever looks, and whenever, a signal finds the dyad known or forgotten all the same.
"""

from __future__ import annotations

import math

from config.alerts import Rule
from pipeline.scoring.state import ID_HALF_LIVES, MAX_STORY_SOURCES, DyadState
from pipeline.scoring.stories import source_factor

NO_WEIGHT = 5e-5
"""What all strands may still weigh together: a score of it is written as 0."""
NO_BASELINE = 0.05
"""A baseline up to this is shown as 0.0, and no rule's threshold is as low."""


def ids_age(state: DyadState) -> float:
    """When every id is older than ids are surely known: the younger generation's last may be as late as its end."""
    return state.ids.started + 2 * ID_HALF_LIVES * state.half_life


def is_silent(state: DyadState) -> bool:
    """Whether, at ``state.at``, nothing is left: no alert open or on hold, no weight, no baseline, no recent id."""
    if state.at < ids_age(state) or state.baseline > NO_BASELINE:
        return False
    if state.episode is not None or any(since is not None for since in state.held):
        return False
    return state.at >= _weightless(state)


def may_be_silent(state: DyadState, rule: Rule) -> float:
    """The earliest time at which a dyad without an alert may be silent if no signal comes, and worth a look."""
    usual = state.at
    if state.baseline > NO_BASELINE:
        usual = state.sampled * state.step + rule.baseline_half_life * math.log2(state.baseline / NO_BASELINE)
    return max(ids_age(state), _weightless(state), usual, (state.sampled + 1) * state.step)


def _weightless(state: DyadState) -> float:
    """When all that was told, with its sign left out, has decayed to no weight."""
    strands = math.fsum(abs(strand.weight) for story in state.stories for strand in story.strands)
    weight = abs(state.rest) + strands * source_factor(MAX_STORY_SOURCES)
    return state.origin + state.half_life * math.log2(weight / NO_WEIGHT) if weight > 0 else state.origin
