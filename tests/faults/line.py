"""The line that is killed: an embedded Kafka, connect, extract and score under the service's own supervisor."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psutil
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from loopback import LOOPBACK
from service import Topic

from config.kafka import connection
from config.settings import PACKAGED, Settings, load_settings
from deploy.local import restart
from deploy.local.installation import environment
from deploy.local.kafka import EmbeddedKafka
from deploy.local.prism import find_prism
from deploy.local.supervisor import Command, Supervisor, brinkwatch
from deploy.topics import apply_topics
from pipeline.kafka.client import producer
from pipeline.records.topics import Topics
from tests.faults import news
from tests.faults.broker import Broker
from tests.faults.feeds import Feeds
from tests.faults.oracle import Written
from tests.faults.plan import STAGES, Kill
from tests.faults.watch import Killed, Watch

RULES = Path(__file__).with_name("rules.yaml")
LONGEST_DELAY_S = 1.0
"""The supervisor's longest wait before a restart, in place of 30 s: else nobody would be there to be killed."""
STEP_S = 0.05
PATIENCE_S = 90.0
"""How long a kill waits for its victim to have worked; it is then killed as it stands."""
BAD_EVERY_S = 5.0
HOUR_MS = 3_600_000
QUIET_S = 3.0
NO_METRICS = {"connect_metrics_port": 0, "extract_metrics_port": 0, "score_metrics_port": 0}


class Line:
    """The whole line in a folder; a context manager that ends it. Use it from the main thread."""

    def __init__(
        self,
        folder: Path,
        feeds: Feeds,
        say: Callable[[str], None],
        commands: Mapping[str, Sequence[str]] | None = None,
        **settings: Any,
    ) -> None:
        """Nothing starts yet.

        Args:
            folder: Where everything is kept.
            feeds: What is polled.
            say: Told what happens.
            commands: Others than the real ones of ``extract`` and ``score``: the faulty variants.
            settings: Set over those of a run, such as ``clock``.
        """
        self._folder, self._say = folder, say
        self._commands = {"extract": brinkwatch("extract"), "score": brinkwatch("score"), **(commands or {})}
        self.feeds = feeds
        self._changed = settings
        self.broker = Broker(EmbeddedKafka(folder / "data", load_settings().cache_dir))
        self._supervisor = Supervisor(folder / "data")
        self._children: dict[str, Command] = {}
        self._bad = threading.Event()
        self._sender: threading.Thread | None = None
        self.killed: list[Killed] = []

    def __enter__(self) -> Self:
        self._longest, restart.LONGEST_DELAY = restart.LONGEST_DELAY, LONGEST_DELAY_S
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._bad.set()
        if self._sender is not None:
            self._sender.join(30)
        if hasattr(self, "watch"):
            self.watch.__exit__()
        self._supervisor.stop()
        self.broker.stop()
        self.feeds.end()
        restart.LONGEST_DELAY = self._longest

    def works(self, seconds: float) -> bool:
        """Supervise until every stage has worked; whether it has in that time."""
        return self.wait(lambda: all(self._stage_has_worked(stage) for stage in STAGES), seconds)

    def end_jobs(self) -> None:
        """Let connect, extract and score drain, for good: from then on the topics stand still, time moves or not."""
        for child in reversed(self._children.values()):
            child.stop()

    def replace(self, name: str, seconds: float = 60) -> float:
        """Tell a job to end (SIGTERM), and let the supervisor start its successor; how many seconds the end took.

        Raises:
            AssertionError: It did not end within ``seconds``.
        """
        child, begun = self._children[name], time.monotonic()
        pid = child.pid
        assert pid is not None, f"{name} does not run"
        os.kill(pid, signal.SIGTERM)
        assert self.wait(lambda: child.pid != pid, seconds), f"{name} did not end"
        self._say(f"{name} has drained")
        return time.monotonic() - begun

    def do(self, kills: Sequence[Kill], until: float) -> None:
        """Kill as planned once every stage has worked, until a monotonic time; the news goes on all the while."""
        self._until(lambda: all(self._stage_has_worked(stage) for stage in STAGES), until)
        for kill in kills:
            if not self._wait_for(kill, until):
                self._say(f"time is over: {len(self.killed)} of {len(kills)} kills were done")
                return
            pid = self._pid(kill)
            if pid is None:  # it has just ended by itself
                continue
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self.killed.append(Killed(kill, time.monotonic()))
            self._say(f"killed {kill.name} ({'early' if kill.early else 'at work'})")

    def settle(self, seconds: float) -> bool:
        """Let the news end and everything be worked off; whether it was, in that time."""
        until = time.monotonic() + seconds
        self._bad.set()
        self._say(f"{self.feeds.stop()} entries were published; settling")
        if not self._until_worked_off(until):
            return False
        self.feeds.close_news()
        return self._until_worked_off(until)

    def wait(self, condition: Callable[[], Any], seconds: float) -> bool:
        """Supervise until the condition holds; whether it did in that time."""
        return self._until(condition, time.monotonic() + seconds)

    def _start(self) -> None:
        self._say("starting Kafka, connect, extract and score")
        self.broker.start()
        self._supervisor.add_service("kafka", self.broker)
        config = self._folder / "config"
        shutil.copytree(PACKAGED, config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        shutil.copy(RULES, config / "alerts.yaml")
        (config / "feeds.yaml").write_text(self.feeds.config(), encoding="utf-8")
        self.settings = load_settings(
            bootstrap_servers=self.broker.bootstrap_servers, config_dir=config, data_dir=self._folder / "data",
            runner="prism", prism=find_prism(load_settings(), self._say), log_format="json",
            fetch_allow_networks=LOOPBACK,
            heartbeat_interval_s=0,  # the oracle knows of the articles of feeds
            **{"clock": "records", "score_instance": "line", **NO_METRICS, **self._changed},
        )  # fmt: skip
        apply_topics(self.settings, Topics(self.settings.topic_prefix))
        _keep_history(self.settings)
        self.watch = Watch(self.settings)
        self.watch.__enter__()
        env = environment(self.settings)
        for name in ("score", "extract"):
            self._children[name] = self._supervisor.add(name, self._commands[name], env)
        self._children["connect"] = self._supervisor.add("connect", brinkwatch("connect"), env)
        self.feeds.start()
        self._sender = threading.Thread(target=_send_bad, args=(self.settings, self._bad), daemon=True)
        self._sender.start()

    def _wait_for(self, kill: Kill, until: float) -> bool:
        """Wait until the kill is due; whether it is before ``until``."""
        begun = time.monotonic()
        last = max((each.at for each in self.killed), default=begun)
        if not kill.early:
            patient = min(until, begun + PATIENCE_S)
            if not self._until(lambda: self._has_worked(kill), patient) and time.monotonic() < until:
                self._say(f"{kill.name} has not worked for {PATIENCE_S:g} s, and is killed nevertheless")
            last = max(last, time.monotonic())
        return self._until(lambda: time.monotonic() >= last + kill.gap_s and self._pid(kill) is not None, until)

    def _has_worked(self, kill: Kill) -> bool:
        """Whether the victim's stages have gone on since they were hit last."""
        return all(self._stage_has_worked(stage) for stage in kill.stages)

    def _stage_has_worked(self, stage: str) -> bool:
        hits = [each for each in self.killed if stage in each.kill.stages]
        latest = self.watch.latest
        if hits:
            last = hits[-1]
            one = Kill(stage, "", 0.0, early=False) if last.kill.victim == "broker" else last.kill
            return self.watch.went_on(Killed(one, last.at))
        return latest is not None and latest.of(stage) > 0

    def _pid(self, kill: Kill) -> int | None:
        if kill.victim == "broker":
            return self.broker.pid
        pid = self._children[kill.job or kill.victim].pid
        if pid is None or kill.victim != "runner":
            return pid
        with suppress(psutil.Error):
            for child in psutil.Process(pid).children():
                if Path(child.exe()).name == self.settings.prism.name:
                    return int(child.pid)
        return None

    def _until(self, condition: Callable[[], Any], until: float) -> bool:
        """Supervise until the condition holds; whether it did in time."""
        while time.monotonic() < until:
            self._supervisor.step()
            if condition():
                return True
            time.sleep(STEP_S)
        return False

    def _until_worked_off(self, until: float) -> bool:
        """Supervise until every published article is there, and all was worked off and stayed so for some seconds."""
        due = {news.article(item, news.BASE).article_id.encode() for item in self.feeds.published}
        articles = Topic(self.settings, Topics(self.settings.topic_prefix).articles.name)
        try:
            there = self._until(lambda: due <= {message.key for message in articles.look()}, until)
        finally:
            articles.close()
        since = time.monotonic()
        return there and self._until(lambda: self._is_quiet(since), until)

    def _is_quiet(self, since: float) -> bool:
        samples = [each for each in list(self.watch.samples) if each.asked > max(since, time.monotonic() - QUIET_S)]
        return (
            time.monotonic() > since + QUIET_S
            and len(samples) > QUIET_S
            and all(each.idle for each in samples)
            and len({(each.connect, each.signals) for each in samples}) == 1
        )


def written(settings: Settings) -> Written:
    """Everything that was committed; call it when all has settled."""
    topics = Topics(settings.topic_prefix)
    names = (topics.articles, topics.signals, topics.alerts, topics.alerts_current, topics.dyads, topics.deadletter)
    found = []
    for name in names:
        topic = Topic(settings, name.name)
        found.append(tuple(sorted(topic.look(), key=lambda message: (message.partition, message.offset))))
        topic.close()
    return Written(*found)


def _keep_history(settings: Settings) -> None:
    """Keep compacted topics whole for an hour: every state that score committed is looked at in the end."""
    topics = Topics(settings.topic_prefix)
    admin = KafkaAdminClient(**connection(settings, "faults"))
    try:
        lag = {"min.compaction.lag.ms": str(HOUR_MS)}
        names = (topics.dyads.name, topics.alerts_current.name)
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=lag) for name in names])
    finally:
        admin.close()


def _send_bad(settings: Settings, stop: threading.Event) -> None:
    """Every few seconds something that is no article, and something that is no signal."""
    topics = Topics(settings.topic_prefix)
    number = 0
    with producer(settings, "bad") as sender:
        while not stop.wait(BAD_EVERY_S):
            for topic in (topics.articles, topics.signals):
                value = b'{"schema_version": 1, "number": %d}' % number
                sender.send(topic.name, key=b"bad %d" % number, value=value)
            number += 1
        sender.flush()
