"""The right to be the one active process of several: a place in a consumer group with a single partition to give."""

from __future__ import annotations

import logging
import threading
import time

import kafka.errors

from config.health import Check, board
from config.kafka import answered_s
from config.settings import Settings
from pipeline.kafka.client import consumer, partitions_of
from pipeline.kafka.group import MEMBERSHIP, standing, take_up_rebalance

log = logging.getLogger(__name__)
LOOK_MS = 200
SAY_AFTER_S = 3.0
CLOSE_S = 10.0
STILL_S = (MEMBERSHIP["session_timeout_ms"] - 2 * MEMBERSHIP["heartbeat_interval_ms"]) / 1000
"""A process that stood still for so long may have lost its place, whatever it still believes: the broker's time runs
from its last heartbeat."""


class Lease:
    """Held by whoever the broker gave the partition; the others wait, and one of them has it within seconds of its end.

    It says who is to start, and so keeps two from taking turns. That there are never two opinions is the matter of the
    transactional id: whoever starts fences whoever still believes to be the active one.

    Args:
        settings: Of the broker.
        topic: Of one partition; nothing of it is used.
        group: For this alone.
        client_id: In the broker's log.
        instance: A name under which a process that was killed has its place back at once, and not after the 6 s that
            the broker waits for the dead. Only where nobody stands by: one that ends in peace keeps its place as long.
    """

    def __init__(self, settings: Settings, topic: str, group: str, client_id: str, instance: str | None = None) -> None:
        self._held, self._ended, self._lost = threading.Event(), threading.Event(), threading.Event()
        self._standing = Check(ok=False, why="not in line for it yet")
        self._consumer = consumer(
            settings,
            client_id,
            group_id=group,
            group_instance_id=instance,
            **MEMBERSHIP,  # sticky: who comes later takes nothing away from the one that has it
        )
        partitions_of(self._consumer, topic)
        self._consumer.subscribe([topic])
        # kafka-python's consumer belongs to one thread, and must be asked all the while.
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    def wait(self, stop: threading.Event) -> bool:
        """Wait until it is ours; False where ``stop`` was set before."""
        say_at = time.monotonic() + SAY_AFTER_S
        while not stop.is_set():
            board.turn()
            if self._held.wait(LOOK_MS / 1000):
                return True
            if time.monotonic() > say_at:
                log.info("standing by: another process is the active one, or was until a moment ago")
                say_at = float("inf")
        return False

    def answered_s(self) -> float | None:
        """Seconds since a broker last answered; None where none did. From any thread."""
        return answered_s(self._consumer)

    def standing(self) -> Check:
        """Whether it is ours, or we stand by for it. From any thread."""
        return self._standing

    @property
    def lost(self) -> bool:
        """Whether it was ours, and may be another's now."""
        return self._lost.is_set()

    def close(self) -> None:
        """Give it up, to the next in line if there is one."""
        self._ended.set()
        self._thread.join(CLOSE_S)

    def _keep(self) -> None:
        turned = time.monotonic()
        while not self._ended.is_set():
            turned, before = time.monotonic(), turned
            if self._held.is_set() and turned - before > STILL_S:
                self._note(ours=False)  # asked again, the broker might take it from the one that has it now
                break
            try:
                take_up_rebalance(self._consumer)
                self._consumer.poll(timeout_ms=LOOK_MS, max_records=1)
                self._consumer.pause(*self._consumer.assignment())
            except kafka.errors.FencedInstanceIdError:
                self._note(ours=False)  # another process has come under our name
                break
            except kafka.errors.KafkaError as error:
                log.warning("the lease can't be renewed", extra={"fields": {"why": repr(error)}})
                self._ended.wait(LOOK_MS / 1000)
            self._note(ours=bool(self._consumer.assignment()))
        self._consumer.close(autocommit=False)

    def _note(self, *, ours: bool) -> None:
        self._standing = Check(ok=True) if ours else standing(self._consumer)
        if ours:
            self._held.set()
        elif self._held.is_set():
            self._lost.set()
            self._held.clear()
