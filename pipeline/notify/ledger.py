"""Ledger: which of the messages that were read are done with, and so how far may be committed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import takewhile


class Ledger:
    """Messages by partition, in the order of their offsets; done in any order."""

    def __init__(self) -> None:
        self._open: dict[int, dict[int, bool]] = {}
        self._owed: dict[int, int] = {}

    @property
    def partitions(self) -> set[int]:
        """The partitions of which something was read that is not committed yet."""
        return self._open.keys() | self._owed.keys()

    def begin(self, partition: int, offset: int) -> None:
        """A message was read."""
        self._open.setdefault(partition, {})[offset] = False

    def finish(self, partition: int, offset: int) -> None:
        """A message is done with; nothing, if its partition was dropped meanwhile."""
        if offset in self._open.get(partition, ()):
            self._open[partition][offset] = True

    def drop(self, partitions: Collection[int]) -> None:
        """Forget partitions that another reader has now."""
        for partition in partitions:
            self._open.pop(partition, None)
            self._owed.pop(partition, None)

    def owe(self, offsets: Mapping[int, int]) -> None:
        """What was settled could not be committed: a rebalance may refuse that, and leave the partition with us."""
        self._owed |= offsets

    def settle(self) -> dict[int, int]:
        """The next offset to read of each partition, up to the first message that is not done; those are forgotten.

        What was owed is among them.
        """
        settled, self._owed = self._owed, {}
        for partition, offsets in list(self._open.items()):
            done = list(takewhile(offsets.__getitem__, offsets))
            for offset in done:
                del offsets[offset]
                settled[partition] = offset + 1
            if not offsets:
                del self._open[partition]
        return settled
