"""The monitor's loop: ask every 15 seconds, note what came, whatever fails."""

from __future__ import annotations

import logging
import threading
import time

from config.errors import BrinkwatchError
from config.health import board
from config.settings import Settings
from pipeline.monitor.exported import Exported
from pipeline.monitor.surveyor import Surveyor

log = logging.getLogger(__name__)
EVERY_S = 15.0


def run(settings: Settings, exported: Exported, stop: threading.Event, every_s: float = EVERY_S) -> None:
    """Ask the broker every ``every_s`` seconds until ``stop`` is set; while it is away, go on asking.

    Args:
        settings: Where Kafka is.
        exported: Told of each survey, or of the absence of one.
        stop: Ends it.
        every_s: From the beginning of one round to that of the next, at least.
    """
    surveyor: Surveyor | None = None
    while not stop.is_set():
        begun = time.monotonic()
        board.turn()
        try:
            surveyor = surveyor or Surveyor(settings)
            exported.note(surveyor.look())
        except Exception as error:  # noqa: BLE001  # a monitor that ends tells nothing at all
            exported.note(None)
            why = str(error) if isinstance(error, BrinkwatchError) else repr(error)
            log.warning("the broker could not be asked", extra={"fields": {"why": why[:500]}})
            _close(surveyor)
            surveyor = None
        stop.wait(max(0.0, begun + every_s - time.monotonic()))
    _close(surveyor)


def _close(surveyor: Surveyor | None) -> None:
    """Close it, whatever it says to that: its connections may be past closing."""
    if surveyor is None:
        return
    try:
        surveyor.close()
    except Exception as error:  # noqa: BLE001  # as it says
        log.info("closing the connections failed", extra={"fields": {"why": repr(error)[:300]}})
