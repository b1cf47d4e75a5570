"""Stores: the shards of the connectors' state that this process holds, looked at as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from connectors import shards
from connectors.aliases import Alias
from connectors.members import Members
from connectors.resharding import adopt, shared
from connectors.shards import Shard, shard_of
from connectors.state_file import StoreBusyError, StoreError
from connectors.store import FeedState, Seen, Store


class Stores:
    """Takes shards of a folder and gives them up; use it as a context manager.

    One process at a time holds a shard, by a lock that the kernel frees when the process ends, however it does.
    """

    def __init__(self, folder: Path, of: int = 1, pins: Sequence[int] = ()) -> None:
        """The state in ``folder``, in ``of`` shards; with ``pins`` these are held, else a fair share of all."""
        self.folder = folder
        self.of = of
        self._pins = tuple(pins)
        self._held: dict[int, Store] = {}
        self._retired: set[int] = set()
        self._layout: IO[bytes] | None = None
        self._members: Members | None = None

    def __enter__(self) -> Self:
        try:
            adopt(self.folder, self.of)
            if self.of > 1:
                self._layout = shared(self.folder, self.of)
            if self.whole:
                self.hold(0, self.opened(0))
            elif not self._pins:
                self._members = Members(self.folder).__enter__()
        except OSError as error:
            self.close()
            raise StoreError(f"opening the connectors' state failed: {self.folder}: {error}") from None
        except StoreError:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give everything up."""
        for number in self.held:
            self.leave(number)
        if self._members is not None:
            self._members.__exit__(None, None, None)
            self._members = None
        if self._layout is not None:
            self._layout.close()
            self._layout = None

    @property
    def whole(self) -> bool:
        """Whether there is one shard only, which this process has for as long as it lives."""
        return self.of == 1

    @property
    def held(self) -> tuple[int, ...]:
        """The numbers of the shards that this process holds."""
        return tuple(sorted(self._held))

    @property
    def retired(self) -> tuple[int, ...]:
        """Those of them that it gives up as soon as no poll is under way."""
        return tuple(sorted(self._retired))

    @property
    def unsettled(self) -> bool:
        """Whether something is not committed yet."""
        return any(store.unsettled for store in self._held.values())

    def number(self, feed_id: str) -> int:
        """Of the shard that a feed belongs to."""
        return shard_of(feed_id, self.of)

    def holds(self, feed_id: str) -> bool:
        """Whether this process is to poll a feed: it holds its shard, and does not give it up."""
        number = self.number(feed_id)
        return number in self._held and number not in self._retired

    def owns(self, feed_id: str) -> bool:
        """Whether a feed is for this process alone, held yet or not: it was given the shard, or has the whole list."""
        return self.whole or self.number(feed_id) in self._pins

    def goal(self) -> int:
        """How many shards this process is to hold now.

        Raises:
            StoreError: Who shares the folder can't be seen.
        """
        if self._members is None:
            return len(self._pins) or self.of
        try:
            return shards.share(self.of, self._members.alive(), self._members.me)
        except OSError as error:
            raise StoreError(f"looking for other connectors failed: {self.folder}: {error}") from None

    def wanted(self) -> tuple[int, ...]:
        """The shards that this process may take, and does not hold."""
        every = self._pins or range(self.of)
        return tuple(number for number in every if number not in self._held)

    def opened(self, number: int) -> Store | None:
        """A shard's state, ready to be held; None where another process has it. From any thread.

        It reads the whole file: a matter of seconds.

        Raises:
            StoreError: Its file can't be used; where there is one shard only, another process has it.
        """
        store = Store(self.folder, Shard(number, self.of))
        try:
            return store.__enter__()
        except StoreBusyError:
            if self.whole:
                raise
            return None

    def hold(self, number: int, store: Store | None) -> bool:
        """Hold a shard from now on, if ``store`` is its."""
        if store is not None:
            self._held[number] = store
        return store is not None

    def retire(self, number: int, retired: bool = True) -> None:
        """Poll no more feeds of a shard, which is still held; or do poll them again."""
        if retired:
            self._retired.add(number)
        else:
            self._retired.discard(number)

    def leave(self, number: int) -> None:
        """Give a shard up, all that it was told written down."""
        self._retired.discard(number)
        self._held.pop(number).close()

    def part(self, feed_id: str) -> Store:
        """Where a feed's state is.

        Raises:
            StoreError: Its shard is not held.
        """
        number = shard_of(feed_id, self.of)
        try:
            return self._held[number]
        except KeyError:
            raise StoreError(f"the connectors' state failed: {self.folder}: shard {number} is not held") from None

    def feeds(self) -> dict[str, FeedState]:
        """What is known of every feed of the shards that are held, by id."""
        return {name: state for store in self._held.values() for name, state in store.feeds().items()}

    def feeds_of(self, number: int) -> dict[str, FeedState]:
        """What is known of every feed of one of them."""
        return self._held[number].feeds()

    def seen(self, article_ids: Sequence[str], feed_id: str = "") -> Mapping[str, Seen]:
        """Those of ``article_ids`` that were acknowledged before. What the feed's own shard knows counts first."""
        own = [self.part(feed_id)] if feed_id else []
        found: dict[str, Seen] = {}
        for store in (*own, *(each for each in self._held.values() if each not in own)):
            if missing := [name for name in article_ids if name not in found]:
                found.update(store.seen(missing))
        return found

    def aliases(self, feed_id: str, marks: Sequence[str]) -> Mapping[str, Alias]:
        """As ``Store.aliases``: what a feed's entries are known by is in its own shard."""
        return self.part(feed_id).aliases(feed_id, marks)

    def aliases_of(self, feed_id: str, article_id: str) -> Sequence[Alias]:
        """As ``Store.aliases_of``, as far as the shards that are held know: the feed may be of another."""
        return [alias for store in self._held.values() for alias in store.aliases_of(feed_id, article_id)]

    def record(self, state: FeedState, seen: Iterable[Seen] = (), aliases: Iterable[Alias] = ()) -> None:
        """As ``Store.record``, in the feed's shard."""
        self.part(state.id).record(state, seen, aliases)

    def noted(self, name: str) -> tuple[str, ...]:
        """The texts that the shards keep under a name."""
        return tuple(text for store in self._held.values() if (text := store.noted(name)))

    def noted_of(self, number: int, name: str) -> tuple[str, ...]:
        """That of one of them."""
        text = self._held[number].noted(name)
        return (text,) if text else ()

    def settle(self) -> None:
        """As ``Store.settle``."""
        for store in self._held.values():
            store.settle()

    def pruning(self, now: float) -> Iterator[int]:
        """As ``Store.pruning``; a shard that is given up meanwhile is its next holder's matter."""
        for number, store in tuple(self._held.items()):
            steps = store.pruning(now)
            while self._held.get(number) is store and (went := next(steps, None)) is not None:
                yield went

    def hold_all(self) -> None:
        """Hold every shard that this process may.

        Raises:
            StoreError: Another process has one of them.
        """
        for number in self.wanted():
            if not self.hold(number, self.opened(number)):
                raise StoreBusyError(
                    f"opening the connectors' state failed: {self.folder}: "
                    f"another `brinkwatch connect` uses shard {number}"
                )
