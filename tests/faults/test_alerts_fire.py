"""Each alert fires when what it tells of is broken for real, and ends when it is mended.

One line of connect, extract and score with a broker of its own is broken in one way after another, under a real
Prometheus and Alertmanager. The rules' times are divided by ``PACE``; feeds are polled every three seconds.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Self

import psutil
import pytest
from loopback import LOOPBACK
from prometheus import AlertingPrometheus, available
from rssserver import serve
from samples import article
from service import Process, overwritten, wait_for

from config.settings import PACKAGED, Settings, load_settings
from deploy.local.kafka import EmbeddedKafka
from deploy.local.process import Port
from deploy.topics import apply_topics
from pipeline.kafka.client import producer
from pipeline.records import encode
from pipeline.records.topics import Topics

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not available(), reason="Prometheus or Alertmanager is not on this machine"),
]
PACE = 60.0
FEEDS = 10
SUPPORT = Path(__file__).parents[1] / "support"
NO_FEED = b"<html><body>Please agree to our terms.</body></html>"
# What is asserted of an alert is that it comes and goes, never how quickly: these are bounds of patience.
START_S, FIRE_S, END_S = 300.0, 240.0, 240.0


class Line:
    """The line, and the ways to break it; each way is a context manager that mends it in the end."""

    def __init__(self, folder: Path, prism: Path) -> None:
        self._folder, self._prism = folder, prism
        self._blocked = threading.Event()
        self._stack = ExitStack()
        self.processes: dict[str, Process] = {}
        self.ports: dict[str, int] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def poison(self) -> Iterator[None]:
        """Messages that are no articles, and articles that crash what reads them."""
        topic = Topics(self._settings.topic_prefix).articles.name
        with producer(self._settings, "test") as sender:
            for number in range(30):
                sender.send(topic, key=b"bad %d" % number, value=b"no article")
            for number in range(8):
                sender.send(topic, value=encode(article(article_id=f"{number:032x}", text="segfault")))
            sender.flush()
        yield

    @contextmanager
    def still_runner(self) -> Iterator[None]:
        """The runner of extract stands still; extract itself answers."""
        children = psutil.Process(self.processes["extract"].child.pid).children()
        with _stopped(next(each.pid for each in children if each.name() == self._prism.name)):
            yield

    @contextmanager
    def still_connect(self) -> Iterator[None]:
        """Connect answers nobody."""
        with _stopped(self.processes["connect"].child.pid):
            yield

    @contextmanager
    def no_feeds(self) -> Iterator[None]:
        """Every feed serves a page that asks for consent."""
        self._blocked.set()
        try:
            yield
        finally:
            self._blocked.clear()

    def bad_rules(self) -> AbstractContextManager[None]:
        """The file of alert rules can't be read."""
        return overwritten(self._settings.alerts_file, "rules: [")

    @contextmanager
    def no_broker(self) -> Iterator[None]:
        """Kafka does not run."""
        self._kafka.stop()
        try:
            yield
        finally:
            self._kafka.start()

    def _start(self) -> None:
        data = self._folder / "data"
        self._kafka = self._stack.enter_context(EmbeddedKafka(data, load_settings().cache_dir))
        server = serve(self._rss)
        self._stack.callback(server.server_close)
        self._stack.callback(server.shutdown)
        config = self._folder / "config"
        shutil.copytree(PACKAGED, config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        feed = "  - {{id: f{0}, url: 'http://127.0.0.1:{1}/{0}.xml', interval: 3s, drill: true, language: en}}\n"
        listed = (feed.format(number, server.server_address[1]) for number in range(FEEDS))
        (config / "feeds.yaml").write_text("feeds:\n" + "".join(listed), encoding="utf-8")
        self._settings = self._settings_in(config, data)
        apply_topics(self._settings, Topics(self._settings.topic_prefix))
        paths = os.pathsep.join([str(SUPPORT), *sys.path])
        for name, module in (
            ("score", "pipeline.cli.main"),
            ("extract", "poisoned_extract"),
            ("connect", "pipeline.cli.main"),
        ):
            words = () if module == "poisoned_extract" else (name,)
            process = Process(self._settings, *words, folder=self._folder, module=module, PYTHONPATH=paths)
            self.processes[name] = self._stack.enter_context(process)

    def _settings_in(self, config: Path, data: Path) -> Settings:
        for name in ("connect", "extract", "score"):
            with Port() as port:
                self.ports[name] = port.number
        return load_settings(
            bootstrap_servers=self._kafka.bootstrap_servers, config_dir=config, data_dir=data,
            runner="prism", prism=self._prism, score_instance="line", fetch_allow_networks=LOOPBACK,
            **{f"{name}_metrics_port": port for name, port in self.ports.items()},
        )  # fmt: skip

    def _rss(self, number: int) -> bytes:
        """One entry that is new each time, or no feed at all."""
        if self._blocked.is_set():
            return NO_FEED
        stamp = time.time_ns()
        link = f"https://wire.example/{number}/{stamp}"
        text = f"The port of Havnstad reopened after a storm, report {stamp} of wire {number} says."
        shown = (
            f"<guid>{link}</guid><link>{link}</link><description>{text}</description><pubDate>{formatdate()}</pubDate>"
        )
        return f"<rss version='2.0'><channel><title>Wire</title><item>{shown}</item></channel></rss>".encode()


@dataclass(frozen=True)
class Breakage:
    """One way to break the line.

    Attributes:
        breaks: Breaks it, and mends it in the end.
        fires: The alerts that must fire meanwhile, and end afterwards.
        needs: A metric without which they can't; where no process exports it, the line is not broken so.
    """

    breaks: Callable[[Line], object]
    fires: frozenset[str]
    needs: str = "up"


BREAKAGES = (
    Breakage(Line.bad_rules, frozenset({"BrinkwatchRulesBad"})),
    Breakage(
        Line.poison,
        frozenset({"BrinkwatchDeadLetters", "BrinkwatchDeadLetterRatio", "BrinkwatchWorkerRestarts"}),
    ),
    Breakage(Line.still_runner, frozenset({"BrinkwatchEventTimeStalled"})),
    Breakage(Line.still_connect, frozenset({"BrinkwatchStageDown"})),
    Breakage(Line.no_feeds, frozenset({"BrinkwatchFeedsLost"})),
    Breakage(
        Line.no_broker, frozenset({"BrinkwatchBrokerDown", "BrinkwatchKafkaUnreachable"}), needs="brinkwatch_kafka_up"
    ),
)


def test_each_alert_fires_for_what_it_tells_of(tmp_path, prism):
    """A rule that looks at what nobody exports, or at other values than the processes give, would stay silent."""
    with Line(tmp_path, prism) as line, AlertingPrometheus(tmp_path / "monitoring", line.ports, PACE) as prometheus:
        expected = set().union(*(breakage.fires for breakage in BREAKAGES))
        at_work = (
            'brinkwatch_connect_feeds{state="ok"} > 5 and on () brinkwatch_event_time_seconds{process="extract"} > 0'
        )
        wait_for(lambda: prometheus.query(at_work), START_S, "the line to work")
        prometheus.wait_resolved(expected, END_S)  # while it started it was down
        exported = prometheus.exported()
        for breakage in (each for each in BREAKAGES if each.needs in exported):
            with breakage.breaks(line):
                prometheus.wait_firing(breakage.fires, FIRE_S)
                wait_for(partial(_told, prometheus, breakage.fires), FIRE_S, f"{breakage.fires} at Alertmanager")
        prometheus.wait_resolved(expected, END_S)


def _told(prometheus: AlertingPrometheus, names: frozenset[str]) -> bool:
    """Whether Alertmanager has these, each for the receiver of its severity."""
    receivers = {"page": "pager", "ticket": "tickets"}
    found = {
        each["labels"]["alertname"]
        for each in prometheus.notified()
        if [one["name"] for one in each["receivers"]] == [receivers[each["labels"]["severity"]]]
    }
    return names <= found


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
