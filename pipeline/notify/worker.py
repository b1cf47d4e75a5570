"""Worker: the loop that reads the alerts of one receiver, delivers them, and commits what is done with."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from config import trace
from config.health import board
from config.receivers import Alertmanager
from pipeline import metrics
from pipeline.kafka.group import GroupMember
from pipeline.kafka.message import Message, Outgoing, as_dead_letter, place
from pipeline.notify.deliver import Courier
from pipeline.notify.ledger import Ledger
from pipeline.notify.resend import resend
from pipeline.notify.retry import Outcome
from pipeline.notify.selection import wants
from pipeline.notify.standing import Standing
from pipeline.records import Alert, DecodeError, decode

log = logging.getLogger(__name__)
UNDER_WAY = 50
GRACE_S = 5.0
IDLE_MS = 100
BUSY_MS = 20
_T = TypeVar("_T")


class Worker:
    """Delivers transitions at least once, those of one alert in order, and loses none.

    kafka-python blocks and belongs to one thread: all of it happens in a thread of the worker's own. A transition is
    done with when it was delivered, is not wanted, or stands on the dead-letter topic; what is done with is committed
    up to the first that is not.
    """

    def __init__(self, courier: Courier, member: GroupMember, dead_letters: str, standing: Standing) -> None:
        self._courier, self._member, self._dead_letters = courier, member, dead_letters
        self._name, self._stage = courier.receiver.name, f"notify.{courier.receiver.name}"
        self._standing = standing
        self._ledger = Ledger()
        self._alone = asyncio.Lock() if isinstance(courier.receiver, Alertmanager) else None
        self._tasks: dict[asyncio.Task[Outgoing | None], Message] = {}
        self._last_of: dict[bytes | None, asyncio.Task[Outgoing | None]] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._stage)

    async def run(self, stop: asyncio.Event, *, once: bool = False) -> None:
        """Until ``stop`` is set; with ``once``, until all that is on the topic is done with.

        Raises:
            KafkaError: The broker refused; what was not committed is read again.
        """
        again = self._start_resending()
        try:
            while not stop.is_set():
                messages = await self._read()
                self._note_health()
                await self._settle()
                done = not messages and not self._ledger.partitions
                if once and done and await self._call(self._member.caught_up):
                    return
            await self._finish()
        finally:
            await _cancel([*self._tasks, *again])
            await self._call(self._member.close)
            self._thread.shutdown(wait=False)

    def _note_health(self) -> None:
        board.turn()
        place = self._member.standing()
        board.note(f"receiver {self._name}", place.ok, place.why)

    async def _read(self) -> list[Message]:
        """Poll and begin what came; where enough is under way, only show the group that we live."""
        if len(self._tasks) >= UNDER_WAY:
            messages = await self._call(self._member.stay)
        else:
            wait_ms = BUSY_MS if self._tasks else IDLE_MS
            room = UNDER_WAY - len(self._tasks)
            messages = await self._call(lambda: self._member.poll(room, wait_ms))
        caught_up = not messages and not self._tasks
        metrics.note_lag(self._stage, [message.timestamp_ms for message in messages], caught_up=caught_up)
        for message in messages:
            self._begin(message)
        return messages

    def _begin(self, message: Message) -> None:
        """Deliver it after whatever of the same alert is under way."""
        self._ledger.begin(message.partition, message.offset)
        task = asyncio.create_task(self._handle(message, self._last_of.get(message.key)))
        self._tasks[task] = message
        self._last_of[message.key] = task

    async def _handle(self, message: Message, before: asyncio.Task[Outgoing | None] | None) -> Outgoing | None:
        """The dead letter that it became, if it did."""
        if before is not None:
            await asyncio.wait({before})
        try:
            alert = decode(message.value, Alert)
        except DecodeError as error:
            fields = {"receiver": self._name, "reason": error.reason, **place(message)}
            log.warning("a message becomes a dead letter", extra={"fields": fields})
            return self._dead(message, Outcome.UNREADABLE, error.reason, str(error))
        try:
            return await self._tell(message, alert)
        except Exception as error:  # one alert that can't be composed must not stop the others, nor stop us for ever
            fields = {"receiver": self._name, "alert": alert.alert_id, "dyad": alert.dyad, **place(message)}
            log.exception("an alert could not be handled: it is a dead letter", extra={"fields": fields})
            return self._dead(message, Outcome.CRASHED, "crash", type(error).__name__)

    async def _tell(self, message: Message, alert: Alert) -> Outgoing | None:
        self._standing.note(alert)
        if not wants(self._courier.receiver.match, alert):
            metrics.NOTIFIED.labels(self._name, Outcome.FILTERED).inc()
            return None
        delivery = await self._courier.deliver(alert, self._alone)
        fields = {"receiver": self._name, "alert": alert.alert_id, "sequence": str(alert.sequence), "dyad": alert.dyad}
        fields |= {"trace_id": parent.trace} if (parent := trace.parent_of(message.headers)) else {}
        fields |= {"attempts": str(delivery.attempts), "how": delivery.detail}
        if delivery.outcome is not Outcome.DELIVERED:
            log.error("an alert was not delivered: it is a dead letter", extra={"fields": fields})
            return self._dead(message, delivery.outcome, delivery.outcome, delivery.detail)
        log.info("delivered", extra={"fields": fields})
        metrics.NOTIFIED.labels(self._name, delivery.outcome).inc()
        metrics.NOTIFY_SECONDS.labels(self._name).observe(max(0.0, time.time() - message.timestamp_ms / 1000))
        return None

    def _dead(self, message: Message, outcome: Outcome, reason: str, why: str) -> Outgoing:
        metrics.NOTIFIED.labels(self._name, outcome).inc()
        metrics.DEAD_LETTERS.labels(self._stage, reason).inc()
        return as_dead_letter(message, self._dead_letters, self._stage, reason, why)

    async def _settle(self) -> None:
        """Write the dead letters of what has ended, then commit as far as everything is done with."""
        await self._drop_lost()
        ended = {task: message for task, message in self._tasks.items() if task.done()}
        letters = [letter for task in ended if (letter := task.result()) is not None]
        if letters:
            await self._call(lambda: self._write(letters))
        for task, message in ended.items():
            self._ledger.finish(message.partition, message.offset)
            self._forget(task, message)
        await self._commit()
        metrics.NOTIFY_WAITING.labels(self._name).set(len(self._tasks))

    async def _commit(self) -> None:
        """Commit as far as all is done with; what a rebalance refuses is tried again while its partition is ours."""
        offsets = self._ledger.settle()
        if not offsets:
            return
        if not await self._call(lambda: self._member.commit_up_to(offsets)):
            self._ledger.owe(offsets)

    def _write(self, letters: Iterable[Outgoing]) -> None:
        self._member.write(letters)
        self._member.flush()

    async def _drop_lost(self) -> None:
        """Leave the messages of partitions that are no longer ours to their new reader."""
        if not self._ledger.partitions:
            return
        lost = self._ledger.partitions - await self._call(self._member.owned)
        dropped = {task: message for task, message in self._tasks.items() if message.partition in lost}
        await _cancel(dropped)
        for task, message in dropped.items():
            self._forget(task, message)
        self._ledger.drop(lost)

    def _forget(self, task: asyncio.Task[Outgoing | None], message: Message) -> None:
        del self._tasks[task]
        if self._last_of.get(message.key) is task:
            del self._last_of[message.key]

    async def _finish(self) -> None:
        """Give what is under way a moment; what is not done with by then is read again after the next start."""
        end = time.monotonic() + GRACE_S
        while self._ledger.partitions and time.monotonic() < end:
            for message in await self._call(self._member.stay):
                log.debug("read while stopping, left to the next start", extra={"fields": {"offset": message.offset}})
            await self._settle()

    def _start_resending(self) -> list[asyncio.Task[None]]:
        receiver = self._courier.receiver
        if not isinstance(receiver, Alertmanager) or self._alone is None:
            return []
        return [asyncio.create_task(resend(self._courier, receiver, self._standing, self._alone))]

    async def _call(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


async def _cancel(tasks: Iterable[asyncio.Task[_T]]) -> None:
    """Cancel and wait, so that nothing is sent afterwards."""
    waiting = [task for task in tasks if not task.done()]
    for task in waiting:
        task.cancel()
    for task in waiting:
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
