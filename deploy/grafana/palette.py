"""Colours, the same on every dashboard: what a thing is called decides its colour, not the order in which it comes."""

from __future__ import annotations

CALM, WATCH, WARNING, CRITICAL = "#73BF69", "#F2CC0C", "#FF9830", "#F2495C"
GOOD, POOR, BAD = CALM, WARNING, CRITICAL
NEUTRAL, MUTED, FAINT = "#5794F2", "#8E9BAE", "#5A6270"

LEVELS = {"calm": CALM, "watch": WATCH, "warning": WARNING, "critical": CRITICAL}
TRANSITIONS = {"raised": CRITICAL, "updated": WARNING, "resolved": CALM}
# Force in reds, preparation in oranges and yellows, politics in purples, what calms in greens and blues.
EVENT_TYPES = {
    "force": "#E02F44",
    "incident": "#FF7383",
    "mobilization": "#FA6400",
    "deployment": "#FF9830",
    "exercise": "#FFCB7D",
    "weapons_test": "#F2CC0C",
    "arms_supply": "#C4A000",
    "sanction": "#A352CC",
    "rupture": "#CA95E5",
    "demand": "#DEB6F2",
    "evacuation": "#B877D9",
    "talks": "#8AB8FF",
    "sanction_relief": "#5794F2",
    "withdrawal": "#96D98D",
    "ceasefire": "#37872D",
}
MODALITIES = {
    "asserted": "#F2495C",
    "planned": "#FF9830",
    "threatened": "#FFCB7D",
    "conditional": "#F2CC0C",
    "speculative": "#8AB8FF",
    "demanded": "#CA95E5",
    "negated": "#73BF69",
    "historical": "#8E9BAE",
}
FEED_STATES = {"ok": GOOD, "waiting": NEUTRAL, "failing": BAD, "stopped": WARNING, "disabled": FAINT}
ENTRIES = {"new": GOOD, "updated": NEUTRAL, "repeated": MUTED, "held": POOR, "too_large": BAD}
ARTICLES = {"signals": CRITICAL, "silent": NEUTRAL, "gated": MUTED, "language": FAINT}
SIGNALS = {"applied": CRITICAL, "inactive": NEUTRAL, "repeated": MUTED}
QUANTILES = {"half": NEUTRAL, "95 %": WARNING, "99 %": BAD}
STAGES = {"connect": NEUTRAL, "extract": WARNING, "score": "#B877D9", "notify": GOOD, "monitor": "#8AB8FF", "up": MUTED}
