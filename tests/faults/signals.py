"""Signals without articles: four dyads that flare up and calm down by turns, over and over."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import samples

from pipeline.records import EventType, Polarity, Signal
from pipeline.records.signal import Severity
from tests.faults import news

DYADS = ("ARM-AZE", "DZA-MAR", "JPN-PRK", "ECU-PER")
CALMS = {
    "event_type": EventType.WITHDRAWAL,
    "polarity": Polarity.DEESCALATORY,
    "severity": Severity(plover="YIELD/withdraw", base=-6.5, factors={}, score=-6.5),
}


def told(number: int) -> Signal:
    """Signal ``number``: each of another story; dyads take turns, and all times go on."""
    at = news.BASE + timedelta(seconds=number / 5)
    digest = hashlib.sha256(b"%d" % number).hexdigest()[:32]
    return samples.signal(
        signal_id=digest,
        article_id=digest,
        source=f"wire-{number % 7}.example",
        observed_at=at,
        published_at=at,
        dyads=(DYADS[number % len(DYADS)],),
        drill=True,
        **(CALMS if number // 40 % 2 else {}),
    )
