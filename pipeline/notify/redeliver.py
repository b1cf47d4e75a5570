"""Redelivering: an alert that became a dead letter goes to its receiver once more, as notify sends any other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from config.endpoints import load_endpoints
from config.errors import ConfigError
from pipeline.notify.deliver import Courier, Delivery
from pipeline.notify.retry import Outcome
from pipeline.notify.selection import wants
from pipeline.notify.sender import Sender
from pipeline.notify.service import Ready
from pipeline.records import Alert, DecodeError, decode


@dataclass(frozen=True, slots=True)
class Redelivered:
    """What became of an alert.

    Attributes:
        outcome: Delivered or filtered: it is done with; else it was not.
        how: For a person.
    """

    outcome: Outcome
    how: str

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do for it."""
        return self.outcome in {Outcome.DELIVERED, Outcome.FILTERED}


class Redelivery:
    """Delivers one alert after another; a receiver that was not reached is not tried again.

    So its alerts keep their order, and nobody waits for its deadline over and over.

    Args:
        path: The file of receivers. A receiver's secrets are read when the first alert is for it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ready: dict[str, Ready] = {}
        self._given_up: dict[str, str] = {}

    def deliver(self, receiver: str, value: bytes | None) -> Redelivered:
        """Deliver what a letter holds. Blocks until the receiver's deadline at the longest."""
        if receiver in self._given_up:
            return Redelivered(Outcome.EXHAUSTED, self._given_up[receiver])
        try:
            alert = decode(value, Alert)
            chosen = self._ready.get(receiver) or load_endpoints(self._path, [receiver])[0]
        except DecodeError as error:
            return Redelivered(Outcome.UNREADABLE, str(error))
        except ConfigError as error:
            return self._give_up(receiver, "; ".join(str(fault) for fault in error.faults))
        self._ready[receiver] = chosen
        if not wants(chosen[0].match, alert):
            return Redelivered(Outcome.FILTERED, f"nobody, for {receiver} does not want it")
        delivery = asyncio.run(_send(chosen, alert))
        if delivery.outcome is Outcome.EXHAUSTED:
            return self._give_up(receiver, delivery.detail)
        how = f"receiver {receiver}" if delivery.outcome is Outcome.DELIVERED else delivery.detail
        return Redelivered(delivery.outcome, how)

    def _give_up(self, receiver: str, why: str) -> Redelivered:
        self._given_up[receiver] = why
        return Redelivered(Outcome.EXHAUSTED, why)


async def _send(chosen: Ready, alert: Alert) -> Delivery:
    async with Sender() as sender:
        return await Courier(sender, *chosen).deliver(alert)
