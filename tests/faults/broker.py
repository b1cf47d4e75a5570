"""A broker that can be away, as the supervisor sees it: gone, and not started again before it may come back."""

from __future__ import annotations

import os
import signal

from deploy.local.kafka import EmbeddedKafka


class Broker:
    """The embedded broker as a supervised service: while it is sent away, it counts as running."""

    def __init__(self, kafka: EmbeddedKafka) -> None:
        self._kafka = kafka
        self._away = False
        self._stopped: int | None = None

    @property
    def pid(self) -> int | None:
        """Its process id; None if it does not run."""
        return self._kafka.pid

    @property
    def running(self) -> bool:
        """Whether the supervisor need not start it."""
        return self._away or self._kafka.running

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return self._kafka.bootstrap_servers

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._kafka.start()

    def stop(self) -> None:
        """End it cleanly."""
        self.come_back()
        self._kafka.stop()

    def leave(self) -> None:
        """Gone, by kill -9: its port refuses every connection."""
        self._away = True
        self._kafka.kill()

    def hang(self) -> None:
        """SIGSTOP: the kernel takes connections and what is sent, and nobody answers."""
        self._stopped = self._kafka.pid
        if self._stopped is not None:
            os.killpg(self._stopped, signal.SIGSTOP)

    def come_back(self) -> None:
        """It may run again: the supervisor starts one that is gone, one that was stopped goes on where it was."""
        self._away = False
        if self._stopped is not None and self._kafka.pid == self._stopped:
            os.killpg(self._stopped, signal.SIGCONT)
        self._stopped = None

    def last_words(self) -> str:
        """How it ended."""
        return self._kafka.last_words()
