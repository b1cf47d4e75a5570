"""Restart of score with three months of signals on the topic: it reads how things stand, not the history."""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path
from typing import Any

import psutil
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata
from service import Process, Topic, wait_for

from config.alerts import load_alerts
from config.settings import Settings, load_settings
from deploy.local.kafka import EmbeddedKafka
from deploy.local.prism import find_prism
from deploy.topics import apply_topics
from pipeline.kafka.client import consumer, producer
from pipeline.records import Dyad, encode
from pipeline.records.topics import Topics
from pipeline.scoring.book import Book
from tests.bench.scoring import told

SIGNALS = 2_000_000
SCORED = 60_000
VERSIONS = 10
"""Of each dyad, as the topic holds them before it is compacted: 500 dyads of up to 34 KB, so 150 MB."""


def measure(folder: Path, signals: int = SIGNALS) -> dict[str, Any]:
    """Fill the topics as a long life would have, then start score and wait until it has scored one more signal."""
    with EmbeddedKafka(folder / "data", load_settings().cache_dir) as kafka:
        settings = load_settings(
            bootstrap_servers=kafka.bootstrap_servers,
            data_dir=folder / "data",
            prism=find_prism(load_settings()),
            clock="records",
            score_metrics_port=0,
        )
        topics = Topics(settings.topic_prefix)
        apply_topics(settings, topics)
        messages = [told(number, chance) for chance in [random.Random(7)] for number in range(SCORED)]
        dyads = _stand(settings, messages)
        _fill(settings, topics, signals, messages, dyads)
        _commit_all(settings, topics)
        return {"signals": signals, "dyads": len(dyads), "dyad_messages": len(dyads) * VERSIONS} | _restart(
            settings, topics, folder
        )


def _stand(settings: Settings, messages: list[Any]) -> list[Dyad]:
    """The dyads after real signals."""
    book = Book(load_alerts(settings.alerts_file))
    for key, signal in messages:
        book.apply(key, signal)
    return book.dyads()


def _fill(settings: Settings, topics: Topics, signals: int, messages: list[Any], dyads: list[Dyad]) -> None:
    values = [(key.encode(), encode(signal)) for key, signal in messages[:2000]]
    states = [(dyad.dyad.encode(), encode(dyad)) for dyad in dyads]
    with producer(settings, "bench", compression_type="gzip", linger_ms=50, batch_size=1 << 20) as sender:
        for key, value in itertools.islice(itertools.cycle(values), signals):
            sender.send(topics.signals.name, key=key, value=value)
        for key, value in states * VERSIONS:
            sender.send(topics.dyads.name, key=key, value=value)
        sender.flush()


def _commit_all(settings: Settings, topics: Topics) -> None:
    """As if score had read all of it."""
    with consumer(settings, "bench", group_id=topics.score_group) as reader:
        partitions = [TopicPartition(topics.signals.name, n) for n in range(topics.signals.partitions)]
        ends = reader.end_offsets(partitions)
        reader.commit({partition: OffsetAndMetadata(end, "", -1) for partition, end in ends.items()})


def _restart(settings: Settings, topics: Topics, folder: Path) -> dict[str, Any]:
    dyads = Topic(settings, topics.dyads.name)
    before = len(dyads.look())
    key, signal = told(SCORED + 1, random.Random(9))
    with producer(settings, "bench") as sender:
        sender.send(topics.signals.name, key=key.encode(), value=encode(signal)).get(30)
    begin = time.monotonic()
    with Process(settings, "score", folder=folder) as score:
        wait_for(lambda: score.has_said('"restored"'), 300, "the state to be restored")
        restored = time.monotonic() - begin
        wait_for(lambda: len(dyads.look()) > before, 300, "the next signal to be scored")
        scored = time.monotonic() - begin
        memory = round(psutil.Process(score.child.pid).memory_info().rss / 1e6)
        score.end()
    return {"restored_s": round(restored, 1), "next_signal_scored_s": round(scored, 1), "rss_mb": memory}
