"""Rate: how many pushes one subscription may have. Decisions only; the clock is given."""

from __future__ import annotations

from dataclasses import dataclass

BURST = 60.0
A_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: what is left of it, as of a moment (seconds of any one clock)."""

    left: float = BURST
    at: float = 0.0


def spent(bucket: Bucket, now: float) -> Bucket | None:
    """The bucket after one more push; None where it is empty: it refills at one a second, up to sixty."""
    left = min(BURST, bucket.left + max(now - bucket.at, 0.0) * A_SECOND)
    return Bucket(left - 1, now) if left >= 1 else None
