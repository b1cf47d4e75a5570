"""Delivery: articles to the broker, each either acknowledged or still in hand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from config import spans, trace
from config.access import BrokerRefuses, check
from config.errors import BrinkwatchError
from config.kafka import answered_s, connection
from config.settings import Settings
from config.spans import Span
from connectors import metrics
from pipeline.records import Article, encode
from pipeline.records.codec import MAX_BYTES
from pipeline.records.topics import Topics

log = logging.getLogger(__name__)
CHUNK = 100
REACH_S = 10.0
REQUEST_MS = 10_000
ACKNOWLEDGE_MS = 30_000
METADATA_MS = 5_000
"""How often the broker is asked for the topic, however little is sent: by that one sees whether it is there."""
RETRY_S = 1.0
MAX_RETRY_S = 15.0
FLUSH_S = 5.0
END_S = 2.0


class DeliveryError(BrinkwatchError):
    """The broker did not acknowledge, and there is no more time to wait."""


class Delivery:
    """Sends articles and waits for the broker; use it as an async context manager.

    kafka-python blocks, so it is called from one thread of its own. At most 100 articles of a caller are on their way
    at once. While the broker is away ``send`` keeps trying and ``ready`` holds new polls back, so that what waits in
    memory is what the polls under way have read, and no more.
    """

    def __init__(self, settings: Settings, *, patient: bool = True) -> None:
        """Deliver to the brokers of ``settings``; with ``patient`` False, the first failure is an error."""
        self._settings = settings
        self._patient = patient
        self._topic = Topics(settings.topic_prefix).articles.name
        self._producer: Any = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="deliver")
        self._up = asyncio.Event()
        self._was_up = False  # then a refusal may pass: a broker that has just started does not know its users yet
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await self._call(lambda: _end(producer, FLUSH_S))
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def up(self) -> bool:
        """Whether the broker took what it was sent last."""
        return self._up.is_set()

    def answered_s(self) -> float | None:
        """Seconds since a broker last answered; None where it does not take what it is sent. From any thread."""
        producer = self._producer
        return answered_s(producer) if producer is not None and self._up.is_set() else None

    async def ready(self) -> None:
        """Return when the broker is there; fetching waits for this.

        Raises:
            DeliveryError: It is not, and the delivery is not patient; or it does not let us in, and never has.
        """
        if self._up.is_set():
            return
        async with self._opening:
            delay = RETRY_S
            while not self._up.is_set():
                try:
                    await self._open()
                except Exception as error:  # noqa: BLE001  # kafka-python's errors share no root with OSError and ValueError
                    await self._wait(error, delay)
                    delay = min(2 * delay, MAX_RETRY_S)

    async def send(self, articles: Sequence[Article], fetched: Span | None = None) -> None:
        """Send ``articles`` and return when the broker has acknowledged every one.

        Args:
            articles: What to send; each message names its article's trace.
            fetched: From when to when they were fetched, where that is known.

        Cancelling it leaves some perhaps sent, none wrongly taken for sent.

        Raises:
            DeliveryError: The broker refused or was away, and the delivery is not patient.
        """
        for start in range(0, len(articles), CHUNK):
            chunk = articles[start : start + CHUNK]
            delivered = [spans.deliver(article.article_id, fetched) for article in chunk]
            await self._send_chunk(chunk, [trace.header(each.parent) for each in delivered])
            for article, each in zip(chunk, delivered, strict=True):
                each.end()
                _log(article)

    async def _send_chunk(self, articles: Sequence[Article], headers: Sequence[trace.Headers]) -> None:
        messages = [(a.article_id.encode(), encode(a), named) for a, named in zip(articles, headers, strict=True)]
        delay = RETRY_S
        metrics.PENDING.inc(len(messages))
        try:
            while True:
                await self.ready()
                producer = self._producer
                try:
                    await self._acknowledged(producer, messages)
                except Exception as error:  # noqa: BLE001  # as above
                    first = await self._lose(producer)
                    await self._wait(error, delay, tell=first)
                    delay = min(2 * delay, MAX_RETRY_S)
                else:
                    if not all(article.heartbeat for article in articles):
                        metrics.LAST_ARTICLE.set_to_current_time()
                    return
        finally:
            metrics.PENDING.dec(len(messages))

    async def _acknowledged(self, producer: Any, messages: Sequence[tuple[bytes, bytes, trace.Headers]]) -> None:
        futures = await self._call(
            lambda: [producer.send(self._topic, key=key, value=value, headers=named) for key, value, named in messages]
        )
        # Waiting happens beside the sending thread: another poll's articles may go out meanwhile.
        await asyncio.gather(*(_settled(future) for future in futures))

    async def _open(self) -> None:
        if self._producer is None:
            self._producer = await self._call(lambda: _producer(self._settings))
        producer = self._producer
        partitions = await self._call(lambda: producer.partitions_for(self._topic))
        if not partitions:
            raise DeliveryError(
                f"delivering articles failed: {self._settings.bootstrap_servers}: no topic {self._topic}"
            )
        self._up.set()
        self._was_up = True
        log.info("delivering to Kafka", extra={"fields": {"topic": self._topic}})

    async def _lose(self, producer: Any) -> bool:
        """Give ``producer`` up: after a failure an idempotent producer may be past mending, and a new one never is.

        Returns:
            False if another poll met the failure first: what this one met is only that the producer was given up.
        """
        if self._producer is not producer:
            return False
        self._producer = None
        self._up.clear()
        await self._call(lambda: _end(producer, 0.0))
        return True

    async def _wait(self, error: Exception, delay: float, *, tell: bool = True) -> None:
        why = f"{type(error).__name__}: {error}"[:300]
        if isinstance(error, BrokerRefuses) and not (self._patient and self._was_up):
            raise DeliveryError(f"delivering articles failed: {error}") from error
        if not self._patient:
            if isinstance(error, DeliveryError):
                raise error
            raise DeliveryError(
                f"delivering articles failed: {self._settings.bootstrap_servers}: no answer from Kafka ({why})"
            ) from error
        level = logging.WARNING if tell else logging.DEBUG
        log.log(level, "Kafka does not take articles, fetching waits", extra={"fields": {"why": why, "retry_s": delay}})
        await asyncio.sleep(delay)

    async def _call(self, work: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _log(article: Article) -> None:
    """Some fifty a second, so only where somebody asks for it."""
    if log.isEnabledFor(logging.DEBUG):
        fields = {**trace.fields(article.article_id), "feed": article.feed, "heartbeat": article.heartbeat}
        log.debug("article delivered", extra={"fields": fields})


def _producer(settings: Settings) -> Any:
    from kafka import KafkaProducer

    check(settings, REACH_S)
    return KafkaProducer(
        **connection(settings, "connect"),
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_request_size=MAX_BYTES + 64 * 1024,
        max_block_ms=10_000,
        request_timeout_ms=REQUEST_MS,
        delivery_timeout_ms=ACKNOWLEDGE_MS,
        bootstrap_timeout_ms=10_000,
        metadata_max_age_ms=METADATA_MS,
        allow_auto_create_topics=False,
    )


def _end(producer: Any, flush_s: float) -> None:
    """Close ``producer``, thread and sockets; what is not sent after ``flush_s`` seconds fails at once.

    ``close`` alone raises while a batch is on its way, before it has ended its thread. An end never raises: who gives a
    producer up has its articles still in hand, and the other polls' articles fail into their own next try.
    """
    try:
        if flush_s:
            producer.flush(timeout=flush_s)
    except Exception as error:  # noqa: BLE001  # as above
        log.info("articles on their way are given up", extra={"fields": {"why": f"{type(error).__name__}: {error}"}})
    try:
        producer._sender.force_close()  # noqa: SLF001  # no public call ends it while a batch is incomplete
        producer._sender.join(END_S)  # noqa: SLF001  # it fails the batches as it ends; `close` waits for them
        producer.close(timeout=0)
    except Exception as error:  # noqa: BLE001  # as above
        log.warning("closing a producer failed", extra={"fields": {"why": f"{type(error).__name__}: {error}"}})


def _settled(sent: Any) -> asyncio.Future[None]:
    """kafka-python's future, whose callbacks come from its own thread, as one to await here."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)

    def from_thread(error: BaseException | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, error)

    sent.add_callback(lambda _: from_thread(None))
    sent.add_errback(from_thread)
    return future
