"""Delivering: one receiver is tried until it took a transition, refused it for good, or its deadline has passed."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from config.endpoints import Endpoint
from config.receivers import AnyReceiver
from pipeline import metrics
from pipeline.notify.compose import compose
from pipeline.notify.request import Request
from pipeline.notify.retry import Answer, Ending, Outcome, pause_s, verdict
from pipeline.notify.sender import Sender
from pipeline.records import Alert

log = logging.getLogger(__name__)
LEAST_S = 0.05


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a transition.

    Attributes:
        outcome: Delivered, refused or exhausted.
        attempts: How many tries it took.
        detail: How the last one ended, for a person.
    """

    outcome: Outcome
    attempts: int
    detail: str


class Courier:
    """Delivers to one receiver.

    Attributes:
        receiver: The receiver.
    """

    def __init__(self, sender: Sender, receiver: AnyReceiver, endpoint: Endpoint) -> None:
        self.receiver = receiver
        self._sender, self._endpoint = sender, endpoint
        self._slots = asyncio.Semaphore(receiver.concurrency)

    async def deliver(self, alert: Alert, alone: AbstractAsyncContextManager[object] | None = None) -> Delivery:
        """Try until it is settled. Never raises for what the receiver does.

        Args:
            alert: The transition.
            alone: Held during each try, and not between them.
        """
        deadline = time.monotonic() + self.receiver.retry.deadline
        for attempt in count(1):
            async with alone or nullcontext():
                request = compose(self.receiver, self._endpoint, alert, datetime.now(UTC))
                answer = await self.post(request, deadline)
            wait_s = pause_s(answer, attempt, self.receiver.retry, random.random())  # noqa: S311  jitter is no secret
            outcome = verdict(answer, wait_s, deadline - time.monotonic())
            if outcome is not None:
                return Delivery(outcome, attempt, f"{answer.ending}: {answer.detail}")
            self._log(alert, attempt, wait_s, answer)
            await asyncio.sleep(wait_s)
        raise AssertionError("unreachable: a count has no end")

    async def post(self, request: Request, deadline: float) -> Answer:
        """One try, counted, which ends at the monotonic time ``deadline`` at the latest; it waits its turn."""
        async with self._slots:
            timeout_s = max(LEAST_S, min(self.receiver.timeout, deadline - time.monotonic()))
            answer = await self._sender.post(self._endpoint, request, timeout_s)
        metrics.NOTIFY_ATTEMPTS.labels(self.receiver.name, answer.ending).inc()
        if answer.ending is Ending.OK:
            metrics.NOTIFY_SUCCESS.labels(self.receiver.name).set_to_current_time()
        return answer

    def _log(self, alert: Alert, attempt: int, wait_s: float, answer: Answer) -> None:
        fields = {
            "receiver": self.receiver.name,
            "alert": alert.alert_id,
            "sequence": alert.sequence,
            "dyad": alert.dyad,
            "attempt": attempt,
            "retry_s": round(wait_s, 1),
            "why": f"{answer.ending}: {answer.detail}",
        }
        log.warning("a receiver was not reached; it is tried again", extra={"fields": fields})
