"""Memory: what the schedule remembers of a feed between polls, as a short text in the store."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.rhythm import Rhythm, packed, unpacked

MAX_MEMORY = 300
_FORM = "1"
"""The first word: a text of another form is one that is not known, and what it held is learned anew."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a feed.

    Attributes:
        ttl_s: Seconds between polls that the feed's document asked for when it was read last; 0 for none.
        max_age_s: Seconds for which its server called it fresh; 0 for not.
        rhythm: When it published; None where that is not known.
    """

    ttl_s: float = 0.0
    max_age_s: float = 0.0
    rhythm: Rhythm | None = None


def recalled(text: str) -> Memory:
    """The memory that ``text`` holds; an empty one where it holds none that can be read."""
    form, *words = text[:MAX_MEMORY].split() or [""]
    if form != _FORM:
        return Memory()
    try:
        ttl_s, max_age_s = (max(0.0, float(word)) for word in words[:2])
        return Memory(ttl_s, max_age_s, unpacked(words[2:]) if words[2:] else None)
    except ValueError:
        return Memory()


def written(memory: Memory) -> str:
    """``memory`` as text of less than 300 characters."""
    head = f"{_FORM} {memory.ttl_s:.0f} {memory.max_age_s:.0f}"
    return f"{head} {packed(memory.rhythm)}" if memory.rhythm else head
