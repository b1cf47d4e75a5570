"""Re-sending: an Alertmanager forgets what it is not told again, and all of it when it is restarted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from config.receivers import Alertmanager
from config.settings import Settings
from pipeline.notify.alertmanager import again
from pipeline.notify.deliver import Courier
from pipeline.notify.retry import Ending
from pipeline.notify.standing import Standing
from pipeline.records import Alert
from pipeline.records.topics import Topics
from pipeline.watch.subscribe import open_now
from pipeline.watch.tail import Tail

log = logging.getLogger(__name__)
CHUNK = 64


def read_open(settings: Settings) -> Sequence[Alert]:
    """The alerts that are open now. Blocks.

    Raises:
        BrinkwatchError: The broker is away, or the topic does not exist.
    """
    with Tail(settings, "notify-current") as tail:
        tail.from_beginning(Topics(settings.topic_prefix).alerts_current)
        return tuple(open_now(tail.to_end()).values())


async def resend(courier: Courier, receiver: Alertmanager, standing: Standing, alone: asyncio.Lock) -> None:
    """Send what stands every ``resend`` seconds, for ever.

    ``alone`` keeps it and the transitions apart: an alert that is being sent again while its end is sent would come
    back to life.
    """
    while True:
        for first in range(0, len(standing.now()), CHUNK):
            async with alone:
                alerts = standing.now()[first : first + CHUNK]
                answer = await courier.post(
                    again(alerts, receiver, datetime.now(UTC)), time.monotonic() + receiver.timeout
                )
            if answer.ending is not Ending.OK:
                fields = {"receiver": receiver.name, "why": f"{answer.ending}: {answer.detail}"}
                log.warning("open alerts could not be sent again", extra={"fields": fields})
        await asyncio.sleep(receiver.resend)
