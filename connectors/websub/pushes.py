"""Pushes: from a request of a hub to articles that the broker has acknowledged."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Protocol

from config.errors import BrinkwatchError
from config.feeds import Feed
from config.redaction import printable
from config.spans import Span
from connectors import metrics
from connectors.fetch import Fetched, Limits
from connectors.outcome import Outcome
from connectors.poll import Poll
from connectors.store import FeedState
from connectors.websub.outcome import Pushed
from connectors.websub.rate import Bucket, spent
from connectors.websub.signature import genuine, method_of
from connectors.websub.subscriber import Subscriber
from connectors.websub.subscription import Subscription

log = logging.getLogger(__name__)
MAX_AT_ONCE = 8
ANSWER_S = 8.0
"""Within which a hub is answered; hubs give up after about ten seconds."""
TAKE_S = 300.0
"""Within which a push is taken to its end, behind the answer; it is given up then."""
BODY_S = 10.0
MAX_BYTES = Limits().max_bytes
MAX_BUCKETS = 10_000


class Takes(Protocol):
    """What reads a body of a feed: ``connectors.poll.Poller``."""

    def state(self, feed: Feed) -> FeedState | None:
        """What is known of the feed."""

    async def take(self, feed: Feed, fetched: Fetched, span: Span, asked: str = "") -> Poll:
        """Read it; return when the broker has acknowledged what was new."""


class Up(Protocol):
    """What knows whether the broker is there: ``connectors.deliver.Delivery``."""

    @property
    def up(self) -> bool:
        """Whether it took what it was sent last."""


class Body(Protocol):
    """A body that comes in pieces: aiohttp's ``StreamReader``."""

    async def readany(self) -> bytes:
        """The next piece; empty at the end."""


@dataclass(frozen=True, slots=True)
class Push:
    """The head of a request that distributes content."""

    token: str
    signature: str
    content_type: str
    encoding: str


class Pushes:
    """Takes pushes, few at once. What it can't take the hub sends again, or polling finds.

    What a genuine push brings is taken to its end, however long that takes: its pages, say, are asked for slowly. The
    hub is answered in time all the same, and when it comes again with that, all of it is known.
    """

    def __init__(self, subscriber: Subscriber, poller: Takes, delivery: Up, answer_s: float = ANSWER_S) -> None:
        """Have what ``subscriber`` subscribed to read by ``poller``, each answered within ``answer_s`` seconds."""
        self._subscriber = subscriber
        self._poller = poller
        self._delivery = delivery
        self._answer_s = answer_s
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._under_way = 0
        self._late: dict[asyncio.Task[Pushed], str] = {}

    async def close(self) -> None:
        """Give up what is still under way: what was not written down comes again."""
        late = list(self._late)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def take(self, push: Push, body: Body) -> Pushed:
        """How a push ended; when it is ``delivered``, the broker has acknowledged everything that was new."""
        found = self._subscriber.feed(push.token)
        if found is None:
            return Pushed.LEFT if self._subscriber.known(push.token) else Pushed.UNKNOWN
        if not self._may(push.token):
            return Pushed.RATE_LIMITED
        if push.encoding.strip().lower() not in {"", "identity"}:
            return Pushed.ENCODED
        if self._under_way + len(self._late) >= MAX_AT_ONCE or found[0].id in self._late.values():
            return Pushed.BUSY
        self._under_way += 1
        try:
            return await self._read(push, body, *found)
        finally:
            self._under_way -= 1

    async def _read(self, push: Push, body: Body, feed: Feed, one: Subscription) -> Pushed:
        begun = time.time()
        data = await _whole(body) if method_of(push.signature) else Pushed.UNSIGNED
        if isinstance(data, Pushed):
            return data
        if not genuine(push.signature, one.secret, data):
            return Pushed.FORGED
        if self._poller.state(feed) is None:
            return Pushed.EARLY
        fetched = Fetched(Outcome.OK, body=data, final_url=one.base, content_type=printable(push.content_type[:200]))
        if not data.strip(b" \t\r\n\0"):
            return Pushed.UNREADABLE
        if not self._delivery.up:
            return Pushed.UNACKNOWLEDGED
        return await self._in_time(feed.id, self._taken(feed, fetched, Span(begun, time.time()), one))

    async def _in_time(self, feed_id: str, taking: Coroutine[None, None, Pushed]) -> Pushed:
        """How taking a body ended; where that takes too long, it goes on behind the answer."""
        task = asyncio.create_task(taking)
        try:
            await asyncio.wait({task}, timeout=self._answer_s)
        finally:  # also where the hub has hung up
            if not task.done():
                self._late[task] = feed_id
                task.add_done_callback(self._ended)
        return task.result() if task.done() else Pushed.UNACKNOWLEDGED

    def _ended(self, task: asyncio.Task[Pushed]) -> None:
        feed_id = self._late.pop(task)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.error("%s: a push could not be taken", feed_id, exc_info=error)
        else:
            log.info("%s: pushed, taken late: %s", feed_id, task.result().value, extra={"fields": {"feed": feed_id}})

    async def _taken(self, feed: Feed, fetched: Fetched, span: Span, one: Subscription) -> Pushed:
        """What is given up here was not marked as seen: the hub's next attempt, or a poll, brings it again."""
        try:
            async with asyncio.timeout(TAKE_S):
                poll = await self._poller.take(feed, fetched, span)
        except TimeoutError:
            return Pushed.UNACKNOWLEDGED
        except BrinkwatchError as error:
            log.error("%s: a push could not be taken: %s", feed.id, error)  # noqa: TRY400  # its text says it all
            return Pushed.UNACKNOWLEDGED
        except Exception:  # what one push brings must not end what takes the others
            log.exception("%s: a push could not be read", feed.id)
            return Pushed.UNREADABLE
        if poll.outcome is not Outcome.OK:
            return Pushed.UNREADABLE
        self._subscriber.delivered(one)
        return Pushed.DELIVERED

    def _may(self, token: str) -> bool:
        bucket = spent(self._buckets.get(token, Bucket()), time.monotonic())
        if bucket is None:
            return False
        self._buckets[token] = bucket
        self._buckets.move_to_end(token)
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return True


def note(ended: Pushed) -> None:
    """Count it."""
    metrics.PUSHES.labels(ended.value).inc()


async def _whole(body: Body) -> bytes | Pushed:
    """All of a body, or why there is none."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_S):
            while part := await body.readany():
                size += len(part)
                if size > MAX_BYTES:
                    return Pushed.TOO_LARGE
                parts.append(part)
    except (Exception, TimeoutError):  # noqa: BLE001  # whatever the library says of it, the other side broke off
        return Pushed.BROKEN
    return b"".join(parts)
