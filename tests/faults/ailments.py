"""Ailments: in what ways the whole service is broken for its alerts, and which of them must fire for each."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from urllib.request import urlopen

import psutil
from samples import alert, article
from service import overwritten, wait_for

from pipeline.kafka.client import producer
from pipeline.records import encode
from pipeline.records.topics import Topics
from tests.faults.disk import CantMountError
from tests.faults.second_broker import SecondBroker
from tests.faults.whole import NEVER, NOT_NOW, OK, Whole, again_and_again, standing_still

READY_S = 120.0
STEP_BYTES = 5_000_000
STEP_S = 0.5
STEPS = 115
BAD = 60
LONG = "Karvenia moved 8,000 troops to its border with Belmora, and Belmora threatened to strike them. " * 300
"""What takes seconds to read."""
BORN_S = 0.5
"""A process that is killed while it is made says nothing of articles: extract ends then, and is started again."""


@dataclass(frozen=True)
class Case:
    """An alert that must fire and end.

    Attributes:
        alert: Its name, without ``Brinkwatch``.
        labels: Labels that it must have.
    """

    alert: str
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """As a person reads it."""
        return self.alert + "".join(f" {value}" for _, value in self.labels)

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether this alert of Prometheus is it."""
        return labels["alertname"] == f"Brinkwatch{self.alert}" and set(self.labels) <= labels.items()


@dataclass(frozen=True)
class Ailment:
    """One way to break the service.

    Attributes:
        broken: What is done, for a person.
        breaks: Does it, and mends it in the end.
        cases: What must fire meanwhile, and end afterwards.
        stand_in: Whether a page that is not the product's own tells of it.
    """

    broken: str
    breaks: Callable[[Whole], AbstractContextManager[object]]
    cases: tuple[Case, ...]
    stand_in: bool = field(default=False)


def case(name: str, **labels: str) -> Case:
    """A case, briefly."""
    return Case(name, tuple(labels.items()))


def bad_rules(whole: Whole) -> AbstractContextManager[None]:
    """The file of alert rules can't be read."""
    return overwritten(whole.settings.alerts_file, "rules: [")


def bad_list(whole: Whole) -> AbstractContextManager[None]:
    """The list of feeds can't be read."""
    return overwritten(whole.feeds_file, "feeds: [")


@contextmanager
def hanging_runner(whole: Whole) -> Iterator[None]:
    """The runner of extract is killed, and the next ones stand still as they start."""
    stopped = {}

    def stop() -> None:
        runner = whole.named("prism", of=whole.role("extract"))
        runner.suspend()
        stopped[runner.pid] = runner

    whole.named("prism", of=whole.role("extract")).kill()
    try:
        with again_and_again(stop, 0.1):
            yield
    finally:
        for runner in stopped.values():
            with suppress(psutil.Error):
                runner.resume()


@contextmanager
def broken_receivers(whole: Whole) -> Iterator[None]:
    """Forty alerts of the world; one receiver answers 503, the other refuses them for good."""
    whole.desk.then, whole.strict.then = NOT_NOW, NEVER
    try:
        with producer(whole.settings, "alarms") as sender:
            for _ in range(40):
                one = alert(alert_id=uuid.uuid4().hex)
                sender.send(Topics("brinkwatch").alerts.name, key=one.alert_id.encode(), value=encode(one))
            sender.flush()
        yield
    finally:
        whole.desk.then = whole.strict.then = OK


def dying_monitor(whole: Whole) -> AbstractContextManager[None]:
    """Monitor is killed as often as it is started, before it can be scraped."""
    return again_and_again(lambda: whole.role("monitor").kill(), 0.2)


def dying_notify(whole: Whole) -> AbstractContextManager[None]:
    """Notify, which nobody supervises here, is killed and started once it was scraped."""

    def work() -> None:
        whole.notify.kill()
        whole.start_notify()
        wait_for(lambda: _answers(whole.ports["notify"]), READY_S, "notify")

    return again_and_again(work, 2.5)


@contextmanager
def withdrawn_feed(whole: Whole) -> Iterator[None]:
    """A feed answers 410; it is mended as a person would: taken off the list, and connect started again."""
    with whole.wires.misbehaving("gone"):
        yield
    whole.feeds_file.write_text(whole.wires.config(withdrawn=False), encoding="utf-8")
    whole.role("connect").terminate()


@contextmanager
def filling_disk(whole: Whole) -> Iterator[None]:
    """The broker's disk fills, by some megabytes a second, to less than a gigabyte of room."""
    if (disk := whole.disk) is None:
        raise CantMountError(whole.no_disk)
    steps = iter(range(STEPS))

    def grow() -> None:
        if next(steps, None) is not None:
            disk.grow(STEP_BYTES)

    try:
        with again_and_again(grow, STEP_S):
            yield
    finally:
        disk.clear()


@contextmanager
def still_runner(whole: Whole) -> Iterator[None]:
    """The runner of extract stands still; extract itself answers."""
    with standing_still(whole.named("prism", of=whole.role("extract"))):
        yield


@contextmanager
def bad_messages(whole: Whole) -> Iterator[None]:
    """Messages that are no articles."""
    with producer(whole.settings, "alarms") as sender:
        for number in range(BAD):
            sender.send(Topics("brinkwatch").articles.name, key=b"bad %d" % number, value=b"no article")
        sender.flush()
    yield


@contextmanager
def dying_worker(whole: Whole) -> Iterator[None]:
    """The process that reads articles is killed while it does, as one that an article brings down ends."""
    topic = Topics("brinkwatch").articles.name
    with producer(whole.settings, "alarms") as sender:

        def work() -> None:
            for _ in range(5):
                one = article(article_id=uuid.uuid4().hex, text=LONG)
                sender.send(topic, key=one.article_id.encode(), value=encode(one))
            sender.flush()
            end = time.monotonic() + 3.0
            while time.monotonic() < end:
                for each in _readers(whole):
                    if time.time() - each.create_time() > BORN_S:
                        each.kill()
                time.sleep(0.05)

        with again_and_again(work, 1.0):
            yield


def still(*roles: str) -> Callable[[Whole], AbstractContextManager[None]]:
    """Processes that answer nobody."""
    return lambda whole: standing_still(*(whole.role(name) for name in roles))


def still_notify(whole: Whole) -> AbstractContextManager[None]:
    """Notify answers nobody."""
    return standing_still(psutil.Process(whole.notify.child.pid))


@contextmanager
def two_installations(whole: Whole) -> Iterator[None]:
    """A score of another installation is scraped as one of this."""
    with whole.another_score("other", whole.second_score_port, topic_prefix="other") as other:
        wait_for(lambda: other.has_said('"active"'), READY_S, "the other score to be active")
        yield


@contextmanager
def occupied_place(whole: Whole) -> Iterator[None]:
    """A score that nobody scrapes has taken the place of the active one, which stands by."""
    with whole.another_score("hidden") as hidden:
        wait_for(lambda: hidden.has_said("standing by"), READY_S, "the hidden score to stand by")
        with standing_still(whole.role("score")):
            wait_for(lambda: hidden.has_said('"active"'), READY_S, "the hidden score to be active")
        yield


@contextmanager
def gone_broker(whole: Whole) -> Iterator[None]:
    """One of two brokers is killed, and started again in the end."""
    second = SecondBroker(whole.settings, whole.settings.data_dir.parent / "second")
    whole.keep(second)
    second.kill()
    yield
    second.start()


@contextmanager
def hanging_broker(whole: Whole) -> Iterator[None]:
    """The broker takes connections, and answers nobody."""
    with standing_still(whole.named("java")):
        yield


def _readers(whole: Whole) -> list[psutil.Process]:
    """The processes that are forked to read articles."""
    return whole.child("-m", "pipeline.extraction.forkserver", of=whole.role("extract")).children()


def _answers(port: int) -> bool:
    with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def misbehaving(*modes: str) -> Callable[[Whole], AbstractContextManager[None]]:
    """Feeds misbehave so."""
    return lambda whole: whole.wires.misbehaving(*modes)


passing = partial(case, "HeartbeatMissing")
ROUNDS = (
    (
        Ailment(
            "every feed serves a page that asks for consent", misbehaving("blocked"),
            (case("FeedsLost"), case("FeedsFailing"), case("FetchErrors"), case("NoArticles")),
        ),
        Ailment(
            "one receiver answers 503, the other 400", broken_receivers,
            (
                case("NotifyFailing", receiver="desk"), case("NotifyBacklog", receiver="desk"),
                case("AlertsUndelivered", receiver="strict"),
            ),
        ),
        Ailment("`alerts.yaml` can't be read", bad_rules, (case("RulesBad"),)),
        Ailment("the list of feeds can't be read", bad_list, (case("FeedListBad"),)),
        Ailment(
            "monitor is killed before it can be scraped; `up` starts it", dying_monitor,
            (case("RestartLoop", job="brinkwatch-monitor"),),
        ),
        Ailment("the score of another installation is scraped as one of this", two_installations,
                (case("TwoActiveScores"),)),
    ),
    (
        Ailment("the broker's disk fills by 10 MB/s, to less than 1 GiB", filling_disk,
                (case("BrokerDiskFilling"), case("BrokerDiskLow"))),
        Ailment("hosts answer after 7 s", misbehaving("slow"), (case("PollsLate"),)),
        Ailment("a host answers 429", misbehaving("limited"), (case("PublisherAsksToSlow"),)),
        Ailment("a feed answers 410; it is taken off the list", withdrawn_feed, (case("FeedStopped"),)),
        Ailment("notify is killed and started once it was scraped, by no supervisor", dying_notify,
                (case("RestartLoop", job="brinkwatch-notify"),)),
        Ailment(
            "SIGSTOP to extract's Prism", still_runner,
            (
                case("EventTimeStalled", stage="extract"), case("Stalled", stage="extract"),
                case("LagHigh", stage="extract"), case("LagGrowing", stage="extract"),
                passing(stage="extract"), passing(stage="score"),
            ),
        ),
    ),
    (
        Ailment("a score that nobody scrapes took the place of the active one", occupied_place,
                (case("NoActiveScore"),)),
        Ailment("60 messages that are no articles", bad_messages, (case("DeadLetters"), case("DeadLetterRatio"))),
        Ailment("kill -9 of the processes that read articles", dying_worker, (case("WorkerRestarts"),)),
        Ailment("SIGSTOP to connect", still("connect"),
                (case("StageDown", stage="connect"), case("ReplicaDown", job="brinkwatch-connect"))),
        Ailment("SIGSTOP to monitor", still("monitor"), (case("MonitorDown"),)),
        Ailment("SIGSTOP to notify", still_notify, (case("NotifyDown"),)),
    ),
    (
        Ailment(
            "SIGSTOP to the broker", hanging_broker,
            (
                case("BrokerDown"), case("KafkaUnreachable"), case("NotReady", process="connect"),
                passing(stage="connect"), case("UnacknowledgedArticles"),
            ),
        ),
    ),
    (
        Ailment("kill -9 of the second of two brokers, which is started again", gone_broker,
                (case("PartitionsOffline"), case("PartitionsUnderReplicated"))),
        Ailment(
            "extract's Prism is killed, the next one stands still as it starts", hanging_runner,
            (case("RunnerDown", process="extract"),),
        ),
    ),
)  # fmt: skip
"""Rounds one after the other; what is in one is broken at once."""
