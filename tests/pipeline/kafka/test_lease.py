"""The place of the active one, on a real broker: who stood still does not take it from the one that has it now."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from service import wait_for

from deploy.local.installation import environment
from pipeline.kafka.lease import Lease
from pipeline.records.topics import Topics

HOLDER = """
import os
import threading
import time
from config.settings import load_settings
from pipeline.kafka.lease import Lease
from pipeline.records.topics import Topics

settings = load_settings()
topics = Topics(settings.topic_prefix)
lease = Lease(settings, topics.dyads.name, topics.score_lease, "first")
lease.wait(threading.Event())
print("held", flush=True)
while not lease.lost:
    lease._lost.wait(0.1)
print("lost", flush=True)
time.sleep(1)
os._exit(1)  # as a job does that is over
"""


@pytest.fixture
def holder(broker):
    """A process that has the place, and the settings that it goes by."""
    settings = broker.settings("lease")
    env = {**os.environ, **environment(settings)}
    child = subprocess.Popen([sys.executable, "-c", HOLDER], env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "held\n"
        yield settings, child
    finally:
        child.kill()
        child.wait()


def test_who_stood_still_does_not_take_it_back(holder):
    """Continued at the moment when another has the place, it must go without a word to the broker.

    It still counts the partition as its own; asked to share out a partition that two say they own, the group takes it
    from both, and both would end.
    """
    settings, child = holder
    topics = Topics(settings.topic_prefix)
    second = Lease(settings, topics.dyads.name, topics.score_lease, "second")
    try:
        assert not second._held.wait(3.0)
        child.send_signal(signal.SIGSTOP)
        stop = threading.Event()
        waiting = threading.Timer(30.0, stop.set)
        waiting.start()
        assert second.wait(stop)
        waiting.cancel()
        child.send_signal(signal.SIGCONT)
        wait_for(lambda: child.poll() is not None, 20, "the first to give it up")
        assert child.stdout.readline() == "lost\n"
        time.sleep(9.0)  # for the rebalances of a wrong claim, and the 6 s for which the dead are waited for
        assert not second.lost
    finally:
        second.close()
