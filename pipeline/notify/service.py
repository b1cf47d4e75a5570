"""The notify process: a worker for each receiver, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Sequence

import kafka.errors
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from config.endpoints import Endpoint
from config.errors import BrinkwatchError
from config.health import board
from config.receivers import Alertmanager, AnyReceiver
from config.settings import Settings
from pipeline import metrics
from pipeline.kafka.client import consumer, explained
from pipeline.kafka.group import REBALANCED, GroupMember
from pipeline.notify.deliver import Courier
from pipeline.notify.resend import read_open
from pipeline.notify.retry import Ending, Outcome
from pipeline.notify.sender import Sender
from pipeline.notify.standing import Standing
from pipeline.notify.worker import Worker
from pipeline.records.topics import Topics

log = logging.getLogger(__name__)
COMMITTED = {"isolation_level": "read_committed"}
Ready = tuple[AnyReceiver, Endpoint]


async def run_until_signal(settings: Settings, receivers: Sequence[Ready], *, once: bool) -> None:
    """``run`` until SIGTERM or SIGINT, then finish what is under way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, receivers, stop, once=once)


async def run(settings: Settings, receivers: Sequence[Ready], stop: asyncio.Event, *, once: bool = False) -> None:
    """Deliver to ``receivers`` until ``stop`` is set; with ``once``, what is on the topic now.

    Raises:
        BrinkwatchError: Kafka is away, refused, or lacks a topic. The process ends, and whoever supervises it starts it
            again: what was not committed is read again.
    """
    metrics.init_notify([receiver.name for receiver, _ in receivers], Ending, Outcome)
    members: list[GroupMember] = []
    board.watch_kafka(lambda: _oldest(members) if len(members) == len(receivers) else None)
    async with Sender() as sender:
        try:
            async with asyncio.TaskGroup() as group:
                for receiver, endpoint in receivers:
                    group.create_task(_serve(settings, Courier(sender, receiver, endpoint), stop, members, once=once))
        except ExceptionGroup as errors:
            raise _first(settings, errors) from errors


def _first(settings: Settings, errors: ExceptionGroup[Exception]) -> Exception:
    """The first of the errors that ended the workers, in words where it is Kafka's."""
    first = errors.exceptions[0]
    if isinstance(first, kafka.errors.KafkaError):
        return BrinkwatchError(f"notifying failed: {settings.bootstrap_servers}: {first!r}")
    return first


def _oldest(members: Sequence[GroupMember]) -> float | None:
    """Seconds since the broker answered all of them."""
    ages = [member.answered_s() for member in members]
    return max((age for age in ages if age is not None), default=None) if None not in ages else None


async def _serve(
    settings: Settings, courier: Courier, stop: asyncio.Event, members: list[GroupMember], *, once: bool
) -> None:
    receiver, topics = courier.receiver, Topics(settings.topic_prefix)
    group = topics.notify_group(receiver.name)
    if receiver.start_at == "latest":
        await asyncio.to_thread(begin_at_end, settings, topics.alerts.name, group)
    standing = Standing(receiver.match)
    member = await asyncio.to_thread(_join, settings, topics.alerts.name, group)
    members.append(member)
    if isinstance(receiver, Alertmanager):
        standing.begin(await asyncio.to_thread(read_open, settings))
    log.info("notifying", extra={"fields": {"receiver": receiver.name, "type": receiver.type, "group": group}})
    await Worker(courier, member, topics.deadletter.name, standing).run(stop, once=once)


def _join(settings: Settings, topic: str, group: str) -> GroupMember:
    return GroupMember(settings, topic, group, group.removeprefix(f"{settings.topic_prefix}."))


def begin_at_end(settings: Settings, topic: str, group: str) -> None:
    """Put a group that never committed at the topic's end, once: from then on nothing is skipped, whatever fails.

    Raises:
        BrinkwatchError: The broker is away, or the topic does not exist.
    """
    with explained(settings):
        reader = consumer(settings, "notify-begin", group_id=group, **COMMITTED)
        try:
            partitions = [TopicPartition(topic, number) for number in reader.partitions_for_topic(topic) or ()]
            fresh = [partition for partition in partitions if reader.committed(partition) is None]
            if fresh and len(fresh) == len(partitions):
                ends = reader.end_offsets(fresh)
                reader.commit({partition: OffsetAndMetadata(ends[partition], "", -1) for partition in fresh})
        except REBALANCED:
            log.info("another member of the group has begun", extra={"fields": {"group": group}})
        finally:
            reader.close(autocommit=False)
