"""Memory: what the schedule remembers of a feed between polls, as a short text in the store."""

from __future__ import annotations

import math
from dataclasses import dataclass

from config.retry_after import MAX_RETRY_AFTER_S
from connectors.rhythm import Rhythm, packed, unpacked

MAX_MEMORY = 300
_FORM = "1"
"""The first word: a text of another form is one that is not known, and what it held is learned anew."""

_RETRY = "r"
"""Marks the word of a Retry-After, which few answers have."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a feed.

    Attributes:
        ttl_s: Seconds between polls that the feed's document asked for when it was read last; 0 for none.
        max_age_s: Seconds for which its server called it fresh; 0 for not.
        rhythm: When it published; None where that is not known.
        retry_after_s: Seconds for which its server asked to be left alone when it was polled last; 0 for not.
    """

    ttl_s: float = 0.0
    max_age_s: float = 0.0
    rhythm: Rhythm | None = None
    retry_after_s: float = 0.0


def recalled(text: str) -> Memory:
    """The memory that ``text`` holds; an empty one where it holds none that can be read."""
    form, *words = text[:MAX_MEMORY].split() or [""]
    if form != _FORM:
        return Memory()
    try:
        ttl_s, max_age_s = (max(0.0, float(word)) for word in words[:2])
        rests = len(words) > 2 and words[2].startswith(_RETRY)  # noqa: PLR2004  # what stands behind those two
        retry_after_s = min(max(0.0, float(words[2][1:])), MAX_RETRY_AFTER_S) if rests else 0.0
        counts = words[3 if rests else 2 :]
        return Memory(ttl_s, max_age_s, unpacked(counts) if counts else None, retry_after_s)
    except ValueError:
        return Memory()


def written(memory: Memory) -> str:
    """``memory`` as text of less than 300 characters."""
    head = f"{_FORM} {memory.ttl_s:.0f} {memory.max_age_s:.0f}"
    if memory.retry_after_s:
        head += f" {_RETRY}{math.ceil(memory.retry_after_s)}"
    return f"{head} {packed(memory.rhythm)}" if memory.rhythm else head
