"""Shards: which part of the list a feed belongs to, and how many parts a process is to poll. Decisions only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_FILE = re.compile(r"state-(\d+)-of-(\d+)\.sqlite")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``of`` parts of the list of feeds; the whole list where there is one part.

    Attributes:
        number: Which, from 0.
        of: How many there are.
    """

    number: int = 0
    of: int = 1

    @property
    def file_name(self) -> str:
        """Its state's."""
        return "state.sqlite" if self.of == 1 else f"state-{self.number}-of-{self.of}.sqlite"

    @property
    def lock_name(self) -> str:
        """Of the file that whoever polls its feeds has locked."""
        return "lock" if self.of == 1 else f"lock-{self.number}-of-{self.of}"


WHOLE = Shard()


def layout(of: int) -> tuple[Shard, ...]:
    """All shards where there are ``of``."""
    return tuple(Shard(number, of) for number in range(of))


def shard_of(feed_id: str, of: int) -> int:
    """The number of the shard that a feed belongs to: the same in every process, version and run."""
    if of == 1:
        return 0
    return int.from_bytes(hashlib.sha256(feed_id.encode()).digest()[:8], "big") % of


def share(shards: int, members: Sequence[str], me: str) -> int:
    """How many of ``shards`` the process ``me`` is to hold beside the other ``members``.

    Shares differ by one at most, and add up to all where everybody sees the same members; who is unknown has none.
    """
    ranked = sorted(set(members))
    if me not in ranked:
        return 0
    each, left = divmod(shards, len(ranked))
    return each + (ranked.index(me) < left)


@dataclass(frozen=True, slots=True)
class Move:
    """What to do next: which shards to give up, and how many more to take of those that are free."""

    leave: tuple[int, ...] = ()
    want: int = 0


def move(held: Collection[int], goal: int) -> Move:
    """From the shards that are held to as many as ``goal``; the highest numbers are given up."""
    ordered = sorted(held)
    return Move(tuple(ordered[goal:]), max(goal - len(ordered), 0))


def pinned(text: str, of: int) -> tuple[int, ...]:
    """The shards that a setting such as ``0,2`` names, once each; nothing for an empty one.

    Raises:
        ValueError: There is no such shard.
    """
    numbers = tuple(sorted({int(part) for part in text.split(",") if part}))
    if numbers and numbers[-1] >= of:
        raise ValueError(f"shards from 0 to {of - 1} (found {numbers[-1]})")
    return numbers


def of_file(name: str) -> Shard | None:
    """The shard whose state a file of that name is; None for another file."""
    if name == WHOLE.file_name:
        return WHOLE
    found = _FILE.fullmatch(name)
    return Shard(int(found[1]), int(found[2])) if found else None
