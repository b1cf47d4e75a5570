"""What a signal weighs: how grave, how sure, in how much news, and whether it tells of more than was told before."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pipeline.records import EventType, Flow, Modality, Signal

MAX_SEVERITY = 100.0
REFERENCE = 200.0
"""Articles a day at which a signal weighs what it is: the shipped rules were tried on about so many headlines a day."""
THIN, BUSY = 1.5, 0.05
"""Bounds of the factor: at 90 articles a day or fewer, and at 80,000 or more."""
GROWN = 1.25
"""How many times what was told before an amount must be to count as growth."""
MAX_GROWTH = 2.0
FORGOTTEN_S = 30 * 86400.0
"""After so long without being told again an amount is compared with no more."""
MAX_UNITS = 8
MAX_AMOUNT = 1e12
BUILD_UP = frozenset({EventType.DEPLOYMENT, EventType.MOBILIZATION})

Counted = dict[str, tuple[float, float, float]]
"""Of each unit the largest amount told of a build-up lately, when (seconds since 1970), and the largest before that."""


def flow_factor(flow: Flow | None) -> float:
    """Less where much news comes in: the square root of how many times more than the reference.

    Twice the articles bring twice the signals, false ones among them, but not twice the stories that matter.
    """
    if flow is None or flow.articles <= 0:
        return 1.0
    return min(THIN, max(BUSY, math.sqrt(REFERENCE / flow.articles)))


def amounts(signal: Signal) -> dict[str, float]:
    """The largest amount of each unit that an active build-up is told of with."""
    if not signal.active or signal.event_type not in BUILD_UP or signal.modality is not Modality.ASSERTED:
        return {}
    found: dict[str, float] = {}
    for magnitude in signal.magnitudes:
        if magnitude.value is not None and math.isfinite(magnitude.value) and magnitude.value > 0:
            unit = magnitude.unit[:40]
            found[unit] = min(MAX_AMOUNT, max(magnitude.value, found.get(unit, 0.0)))
    return found


def growth(told: Mapping[str, float], counted: Counted, at: float) -> float:
    """1, or more where an amount is well above the largest that was told lately: 175,000 after 94,000 is news.

    Amounts of one moment are not held against one another, for their order is nobody's.
    """
    ratios = []
    for unit, value in told.items():
        largest, when, before = counted.get(unit, (0.0, at, 0.0))
        known = before if when >= at else largest if at - when < FORGOTTEN_S else 0.0
        if known > 0 and value >= GROWN * known:
            ratios.append(value / known)
    return min(MAX_GROWTH, 1.0 + math.log2(max(ratios))) if ratios else 1.0


def noted(counted: Counted, told: Mapping[str, float], at: float) -> Counted:
    """The amounts with these; of more than eight units the ones told longest ago are let go.

    A figure that is about the largest renews it; a far smaller one, of another unit perhaps, does not keep it alive.
    """
    if not told:
        return counted
    kept = {unit: entry for unit, entry in counted.items() if at - entry[1] < FORGOTTEN_S}
    for unit, value in told.items():
        largest, when, before = kept.get(unit, (0.0, at, 0.0))
        if value * GROWN >= largest:
            kept[unit] = (max(value, largest), at, before if when >= at else largest)
    latest = sorted(kept, key=lambda unit: (-kept[unit][1], unit))[:MAX_UNITS]
    return {unit: kept[unit] for unit in sorted(latest)}


def weight(signal: Signal, grown: float) -> float:
    """What the signal weighs when it is published; not finite where one of the factors is not."""
    severity = _bounded(signal.severity.score)
    return severity * _confidence(signal) * flow_factor(signal.flow) * (grown if severity > 0 else 1.0)


def factors(signal: Signal, grown: float) -> dict[str, float]:
    """What the weight is the product of, by name; factors of 1 are left out."""
    severity = _bounded(signal.severity.score)
    found = {
        "severity": severity,
        "confidence": _confidence(signal),
        "flow": flow_factor(signal.flow),
        "growth": grown if severity > 0 else 1.0,
    }
    return {name: round(float(value), 4) for name, value in found.items() if name == "severity" or value != 1.0}


def _bounded(severity: float) -> float:
    return max(-MAX_SEVERITY, min(MAX_SEVERITY, severity)) if math.isfinite(severity) else math.nan


def _confidence(signal: Signal) -> float:
    return max(0.0, min(1.0, signal.confidence))
