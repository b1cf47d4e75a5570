"""Replicas of extract: two against one on the same backlog; then a third joins and one is killed, under load."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from kafka import TopicPartition
from msgspec.structs import replace
from service import Process, Topic, wait_for

from config.settings import Settings, load_settings
from deploy.local.kafka import EmbeddedKafka
from deploy.local.prism import find_prism
from deploy.topics import apply_topics
from pipeline.extraction.engine import Engine
from pipeline.kafka.client import consumer, producer
from pipeline.records import Article, Signal, decode, encode
from pipeline.records.topics import Topics
from tests.bench.corpus import articles

COPIES = 25
LOOK_S = 0.2


def measure(folder: Path) -> dict[str, Any]:
    """Articles a second of one process and of two, each on a topic of its own; and what joining and killing cost."""
    with EmbeddedKafka(folder / "data", load_settings().cache_dir) as kafka:
        base = load_settings(
            bootstrap_servers=kafka.bootstrap_servers,
            data_dir=folder / "data",
            prism=find_prism(load_settings()),
            extract_metrics_port=0,
        )
        one, two = (_rate(base.model_copy(update={"topic_prefix": f"r{n}"}), folder / str(n), n) for n in (1, 2))
        moved = _joined_and_killed(base.model_copy(update={"topic_prefix": "moved"}), folder / "moved")
    return {"one": round(one, 1), "two": round(two, 1), "ratio": round(two / one, 2)} | moved


def _corpus() -> list[Article]:
    return [
        replace(each, article_id=f"{copy:016x}{number:016x}")
        for copy in range(COPIES)
        for number, each in enumerate(articles())
    ]


def _fill(settings: Settings) -> int:
    topics = Topics(settings.topic_prefix)
    apply_topics(settings, topics)
    corpus = _corpus()
    with producer(settings, "bench") as sender:
        for article in corpus:
            sender.send(topics.articles.name, key=article.article_id.encode(), value=encode(article))
        sender.flush()
    return len(corpus)


def _committed(settings: Settings) -> int:
    topics = Topics(settings.topic_prefix)
    with consumer(settings, "bench", group_id=topics.extract_group) as reader:
        partitions = [TopicPartition(topics.articles.name, n) for n in range(topics.articles.partitions)]
        return sum(reader.committed(partition) or 0 for partition in partitions)


def _rate(settings: Settings, folder: Path, processes: int) -> float:
    """Articles a second from the first commit on, with all processes started before the backlog is there."""
    apply_topics(settings, Topics(settings.topic_prefix))
    with ExitStack() as stack:
        running = [stack.enter_context(Process(settings, "extract", folder=folder / str(n))) for n in range(processes)]
        for process in running:
            wait_for(lambda process=process: process.has_said("partitions assigned"), 120, "an extract")
        total = _fill(settings)
        first = wait_for(lambda: _committed(settings), 120, "the first commit")
        begin = time.monotonic()
        wait_for(lambda: _committed(settings) >= total, 600, "the last commit")
        return (total - first) / (time.monotonic() - begin)


def _joined_and_killed(settings: Settings, folder: Path) -> dict[str, Any]:
    """Two at work, a third joins, one is killed: the longest time without a commit, and what is on the topic then."""
    topics = Topics(settings.topic_prefix)
    total = _fill(settings)
    with ExitStack() as stack:
        running = [stack.enter_context(Process(settings, "extract", folder=folder / str(n))) for n in range(2)]
        wait_for(lambda: _committed(settings) > total * 0.1, 300, "a tenth")
        running.append(stack.enter_context(Process(settings, "extract", folder=folder / "2")))
        joined = _longest_pause(settings, lambda done: done > total * 0.4)
        running[0].kill()
        killed = _longest_pause(settings, lambda done: done >= total)
    expected = {
        (key, signal.signal_id)
        for found in Engine.load(load_settings()).extract(_corpus())
        for signal in found.signals
        for key in signal.dyads or ("*-*",)
    }
    view = Topic(settings, topics.signals.name)
    found = Counter(((m.key or b"").decode(), decode(m.value, Signal).signal_id) for m in view.look())
    view.close()
    return {
        "pause_join_s": round(joined, 1),
        "pause_kill_s": round(killed, 1),
        "signals": len(expected),
        "lost": len(expected - set(found)),
        "unknown": len(set(found) - expected),
        "copies": sum(found.values()) - len(found),
    }


def _longest_pause(settings: Settings, ended: Any) -> float:
    """The longest time between two commits of the group, until ``ended`` says so of what is committed."""
    longest, last, done = 0.0, time.monotonic(), _committed(settings)
    while not ended(done):
        time.sleep(LOOK_S)
        now = _committed(settings)
        if now != done:
            longest, last, done = max(longest, time.monotonic() - last), time.monotonic(), now
        if time.monotonic() - last > 120:
            raise AssertionError(f"nothing was committed for 120 s, at {done}")
    return longest
