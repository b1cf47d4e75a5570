"""Waiting for a broker: for how long, and what is said meanwhile."""

from __future__ import annotations

import socket
import threading

import pytest

from config.settings import load_settings
from deploy.local.process import Port
from pipeline.kafka.client import Patience, await_broker


class Now:
    """A clock that is set."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


def over_at(there, times, seconds=60, longest_s=240):
    """The first of the times at which nothing more is waited for, with a broker that is there as ``there`` says."""
    now = Now()
    patience = Patience(lambda: there(now.at), seconds, longest_s, now)
    for now.at in times:
        if patience.over:
            return now.at
    return None


def test_a_broker_that_takes_connections_must_answer():
    """A client that hangs beside a broker that is there must be given up after its minute, and not later."""
    assert over_at(lambda _: True, range(0, 500, 5)) == 65


def test_while_no_broker_is_there_no_patience_is_lost():
    """Two minutes without a broker must cost no restart; once it is back, it has its minute for the answer."""
    assert over_at(lambda at: at > 120, range(0, 181, 5)) is None
    assert over_at(lambda at: at > 120, range(0, 500, 5)) == 185


def test_no_broker_is_waited_for_without_end():
    """By then the partitions are another's, and a write would be given up by the client."""
    assert over_at(lambda _: False, range(0, 500, 5)) == 245


@pytest.mark.parametrize("comes", [True, False], ids=["comes", "told to stop"])
def test_a_job_that_starts_waits_for_a_broker(caplog: pytest.LogCaptureFixture, comes: bool):
    """It must neither end while Kafka is away nor wait on when told to stop; what it waits for is said once."""
    stop = threading.Event()
    with Port() as port:
        settings = load_settings(bootstrap_servers=f"127.0.0.1:{port.number}")
        waiting = threading.Thread(target=await_broker, args=(settings, stop), daemon=True)
        waiting.start()
        waiting.join(2.5)
        assert waiting.is_alive()
        with socket.socket() as server:
            if comes:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind(("127.0.0.1", port.number))
                server.listen()
            else:
                stop.set()
            waiting.join(20)
    assert not waiting.is_alive()
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["waiting for Kafka"]
