"""Connect under tens of thousands of feeds: at their usual rate, and when all are due at once."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from urllib.request import urlopen

import psutil
from service import Process, wait_for

from config.settings import Settings, load_settings
from connectors import identity
from connectors.outcome import Outcome
from connectors.store import FeedState, Seen, Store
from deploy.local.kafka import EmbeddedKafka
from deploy.local.process import Port
from deploy.topics import apply_topics
from pipeline.records.topics import Topics
from tests.bench import feed_hosts

FEEDS = 50_000
HOSTS = 10_000
CHANGES = 5.0
"""Polls of a hundred that find a new entry."""
INTERVAL_S = 900.0
ENDED = 'fetches_total{{kind="feed",outcome="{}"}}'
STEADY_S = 60.0
BURST_S = 30.0
START_S = 25.0
"""Until the first feeds are due: connect reads a list of 50,000 first."""


def measure(folder: Path) -> dict[str, object]:
    """Both, each with a process of its own whose state says what is due when."""
    settings = load_settings(data_dir=folder, topic_prefix="bench", heartbeat_interval_s=0)
    with EmbeddedKafka(folder, settings.cache_dir) as kafka, serving() as port:
        settings = settings.model_copy(update={"bootstrap_servers": kafka.bootstrap_servers})
        apply_topics(settings, Topics(settings.topic_prefix))
        listing = folder / "feeds.yaml"
        listing.write_text(listed(port), encoding="utf-8")
        seen = folder / "seen"
        remember(seen)
        return {
            "feeds": FEEDS,
            "steady": phase(settings, listing, seen, port, spread_s=INTERVAL_S, seconds=STEADY_S),
            "burst": phase(settings, listing, seen, port, spread_s=0.0, seconds=BURST_S),
        }


@contextmanager
def serving() -> Iterator[int]:
    """The hosts, as a process of their own; where they listen."""
    command = [sys.executable, "-m", "tests.bench.feed_hosts", str(FEEDS), str(CHANGES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        try:
            yield int(child.stdout.readline())
        finally:
            child.kill()


def listed(port: int) -> str:
    """The list of all feeds."""
    rows = (f"  - {{id: feed-{n}, url: '{address(n, port)}', language: en}}" for n in range(FEEDS))
    return "\n".join((f"defaults: {{interval: {INTERVAL_S:g}s}}", "feeds:", *rows)) + "\n"


def address(number: int, port: int) -> str:
    """Of a feed."""
    return f"http://{feed_hosts.host(number, HOSTS)}:{port}/{number}"


def remember(folder: Path) -> None:
    """What feeds showed, as after months: a million articles."""
    now = time.time()
    with Store(folder) as store:
        rows = (row for number in range(FEEDS) for row in shown(number, now))
        store.keep(sorted(rows, key=attrgetter("article_id")))


def line_up(folder: Path, port: int, spread_s: float, delay_s: float) -> None:
    """Every feed was read, and is due within ``spread_s`` from ``delay_s`` on."""
    dice, now = random.Random(1), time.time()
    with Store(folder) as store:
        for number in range(FEEDS):
            due = now + delay_s + dice.random() * spread_s
            store.record(
                FeedState(
                    id=f"feed-{number}",
                    url=address(number, port),
                    outcome=Outcome.OK,
                    etag='"0"',
                    polled_at=now,
                    read_at=now,
                    next_due=due,
                )
            )


def shown(number: int, now: float) -> Iterator[Seen]:
    """What a feed showed at first."""
    name = f"feed-{number}"
    for n in range(feed_hosts.SHOWN):
        url = feed_hosts.url(number, n)
        digest = identity.content_hash(feed_hosts.title(number, n), feed_hosts.text(n))
        yield Seen(identity.article_id(url, name, "", ""), name, digest, 0, now)


@dataclass(frozen=True, slots=True)
class Sample:
    """What connect has come to, at a moment."""

    at: float
    cpu_s: float
    rss_mb: float
    children_mb: float
    values: dict[str, float]

    def value(self, name: str) -> float:
        """The sum of a metric's samples whose name and labels begin so."""
        return sum(value for key, value in self.values.items() if key.startswith(f"brinkwatch_connect_{name}"))


def sample(process: psutil.Process, port: int) -> Sample:
    """Of the process, its children, and its metrics."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    values = {key: float(value) for key, value in re.findall(r"^(brinkwatch_connect_\S+) (\S+)$", text, re.MULTILINE)}
    children = process.children(recursive=True)
    cpu = sum(sum(each.cpu_times()[:2]) for each in (process, *children))
    memory = [each.memory_info().rss / 1e6 for each in (process, *children)]
    return Sample(time.monotonic(), cpu, memory[0], sum(memory[1:]), values)


def phase(
    settings: Settings, listing: Path, seen: Path, port: int, *, spread_s: float, seconds: float
) -> dict[str, object]:
    """One run of connect, and what it did in so many seconds, from when it polls on."""
    settings = settings.model_copy(update={"data_dir": settings.data_dir / f"spread-{spread_s:g}"})
    state = settings.data_dir / "connectors"
    shutil.copytree(seen, state)
    line_up(state, port, spread_s, START_S)  # what is overdue at a start is spread out
    seeded = time.monotonic()
    metrics = Port()
    settings = settings.model_copy(update={"connect_metrics_port": metrics.hand_over()})
    with Process(settings, "connect", "--feeds", str(listing), folder=settings.data_dir / "logs") as connect:
        process = psutil.Process(connect.child.pid)
        wait_for(lambda: polled(settings.connect_metrics_port), 120, f"polls: {connect.said()}")
        up = time.monotonic()
        samples = [sample(process, settings.connect_metrics_port)]
        while samples[-1].at - samples[0].at < seconds:
            time.sleep(2.0)
            samples.append(sample(process, settings.connect_metrics_port))
        ended = time.monotonic()
        code = connect.end(60)
    return {
        **found(samples),
        "start_s": round(up - seeded, 1),
        "end_s": round(time.monotonic() - ended, 1),
        "exit": code,
    }


def polled(port: int) -> bool:
    """Whether polls have begun."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            return b'fetches_total{kind="feed",outcome="not_modified"} 0.0' not in answer.read()
    except OSError:
        return False


def found(samples: list[Sample]) -> dict[str, object]:
    """The figures."""
    first, last = samples[0], samples[-1]
    took = last.at - first.at
    polls = last.value("fetches_total") - first.value("fetches_total")
    late = last.value("poll_delay_seconds_count") - last.value('poll_delay_seconds_bucket{le="30.0"}')
    bounds = [0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0]
    within = {bound: last.value(f'poll_delay_seconds_bucket{{le="{bound}"}}') for bound in bounds}
    total = last.value("poll_delay_seconds_count")
    ends = {name: last.value(ENDED.format(name)) for name in ("ok", "not_modified")}
    unmodified = ends["not_modified"] - first.value(ENDED.format("not_modified"))
    cpu_s = last.cpu_s - first.cpu_s
    return {
        "seconds": round(took, 1),
        "polls_per_s": round(polls / took, 1),
        "polls_per_cpu_s": round(polls / cpu_s),
        "cores": round(cpu_s / took, 3),
        "not_modified": round(unmodified / max(polls, 1), 3),
        "failed": last.value("fetches_total") - sum(ends.values()),
        "articles_new": last.value('articles_total{outcome="new"}'),
        "rss_mb": round(max(each.rss_mb for each in samples)),
        "children_mb": round(max(each.children_mb for each in samples)),
        "begun_more_than_30_s_late": late,
        "begun_within": {str(bound): round(count / max(total, 1), 4) for bound, count in within.items()},
    }
