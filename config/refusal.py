"""Refusal: a process whose broker has fallen silent finds out whether it is away, or no longer lets us in.

kafka-python takes a password that was changed after the start for a broker that is away, and waits for ever.
"""

from __future__ import annotations

import logging
import threading

import kafka.errors

from config import health
from config.access import BrokerRefuses, check
from config.health import KAFKA, Board, Snapshot
from config.settings import Settings

log = logging.getLogger(__name__)
LOOK_S = 15.0
CHECK_S = 10.0


def silent(seen: Snapshot) -> bool:
    """Whether the process needs a broker, had one, and hears nothing of it any more.

    One that never had any finds out by itself what is wrong before it makes a client.
    """
    return KAFKA in seen.needs and seen.kafka_s is not None and not health.kafka_up(seen)


def why_refused(settings: Settings, seconds: float = CHECK_S) -> str:
    """Why the brokers do not let us in; empty where they do, or none can be reached. It takes ``seconds`` at most."""
    try:
        check(settings, seconds)
    except BrokerRefuses as error:
        return str(error)
    except (OSError, ValueError, kafka.errors.KafkaError):
        return ""
    return ""


def look(settings: Settings, board: Board) -> None:
    """Ask the broker that is silent, note why it refuses us, and say it once in the log."""
    seen = board.snapshot()
    why = why_refused(settings) if silent(seen) else ""
    if why and why != seen.refused:
        log.error("%s", why)
    board.set_refused(why)


def watch(settings: Settings, board: Board | None = None) -> None:
    """``look`` every 15 s, from a daemon thread that lives as long as the process."""
    watched = board or health.board

    def follow() -> None:
        while True:
            pause.wait(LOOK_S)
            try:
                look(settings, watched)
            except Exception:  # a secret's file that is gone for a moment must not end the watch
                log.exception("asking the broker why it is silent failed")

    pause = threading.Event()
    threading.Thread(target=follow, name="refusal", daemon=True).start()
