"""Two scores at once: never two opinions on one alert, and the fenced one ends and says why."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest
from service import Process, Topic, wait_for

sys.path.insert(0, str(Path(__file__).parents[2]))

from config.alerts import load_alerts
from config.settings import PACKAGED
from pipeline.kafka.client import producer
from pipeline.records import encode
from pipeline.records.topics import Topics
from tests.faults.line import RULES, written
from tests.faults.oracle import first_copies, judge_scoring
from tests.faults.signals import told
from tests.faults.watch import Watch

pytestmark = pytest.mark.slow
EVERY_S = 0.04
SAID = "another one is active now"


class Load:
    """Signals, as long as the test goes on: 25 a second."""

    def __init__(self, settings) -> None:
        self._settings, self._stop = settings, threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def _send(self):
        topic = Topics(self._settings.topic_prefix).signals.name
        number = 0
        with producer(self._settings, "test") as sender:
            while not self._stop.wait(EVERY_S):
                each = told(number)
                sender.send(topic, key=each.dyads[0].encode(), value=encode(each))
                number += 1
            sender.flush()

    def end(self):
        """No more; all of them are on the topic."""
        self._stop.set()
        self._thread.join(30)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.end()


@pytest.fixture
def settings(broker, prism, tmp_path):
    """An installation on the clock of records, under the rules of the faults."""
    shutil.copytree(PACKAGED, tmp_path / "config", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(RULES, tmp_path / "config" / "alerts.yaml")
    changes = {"prism": prism, "runner": "prism", "clock": "records", "score_metrics_port": 0, "log_format": "json"}
    return broker.settings("fencing").model_copy(update={**changes, "config_dir": tmp_path / "config"})


def working(settings, count):
    """Wait until ``count`` more transitions were told."""
    topic = Topic(settings, Topics(settings.topic_prefix).alerts.name)
    there = len(topic.look())
    topic.wait(there + count, 90)
    topic.close()


def hold_to_the_guarantee(settings, process):
    """Let the process work everything off and end; then every transition is there once, as the pure book says."""
    with Watch(settings) as watch:
        wait_for(lambda: watch.latest and watch.latest.score == watch.latest.signals, 60, "the rest")
    assert process.end() == 0, process.said()
    found = written(settings)
    verdict = judge_scoring(found, first_copies(found.signals)[0], load_alerts(RULES))
    assert verdict.faults == []
    assert verdict.transitions > 10


def ended_as_fenced(process):
    """Wait for the fenced one to end by itself, with 1, and why in its last words."""
    wait_for(lambda: process.child.poll() is not None, 60, "the fenced one to end")
    assert process.child.returncode == 1
    assert SAID in process.said()[-1000:]


def test_one_that_was_stopped_and_continues_is_fenced(settings, tmp_path):
    """Stopped by SIGSTOP it can't know of the second; continued, nothing that it still writes counts, and it ends."""
    with Process(settings, "score", folder=tmp_path / "first") as first, Load(settings) as load:
        working(settings, 5)
        first.child.send_signal(signal.SIGSTOP)
        with Process(settings, "score", folder=tmp_path / "second") as second:
            working(settings, 5)
            first.child.send_signal(signal.SIGCONT)
            ended_as_fenced(first)
            working(settings, 5)
            load.end()
            hold_to_the_guarantee(settings, second)
