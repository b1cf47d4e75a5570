"""Scoring: signals a second through the real job on one core, state of a busy dyad, and replay against live."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psutil
from kafka import TopicPartition
from samples import signal
from service import Process, Topic, wait_for

from config.settings import Settings, load_settings
from deploy.local.kafka import EmbeddedKafka
from deploy.local.prism import find_prism
from deploy.local.process import Port
from deploy.topics import apply_topics
from pipeline.kafka.client import consumer, producer
from pipeline.records import EventType, Flow, Modality, Severity, Signal, encode
from pipeline.records.dyad import dyad_key
from pipeline.records.minhash import signature
from pipeline.records.topics import Topics
from pipeline.replay import Line

SIGNALS = 60_000
DYADS = 500
START = datetime(2031, 5, 6, tzinfo=UTC) - timedelta(days=4000)
KINDS = (
    (EventType.FORCE, Modality.ASSERTED, True, 9.0),
    (EventType.FORCE, Modality.SPECULATIVE, False, 2.25),
    (EventType.DEPLOYMENT, Modality.ASSERTED, True, 6.5),
    (EventType.SANCTION, Modality.NEGATED, False, 1.5),
    (EventType.TALKS, Modality.PLANNED, True, -1.5),
)
HEADLINES = 2_000


def measure(folder: Path) -> dict[str, Any]:
    """Fill the signals topic, start score pinned to one core, and time it to the end; then replay against live."""
    with EmbeddedKafka(folder / "data", load_settings().cache_dir) as kafka, Port() as port:
        settings = load_settings(
            bootstrap_servers=kafka.bootstrap_servers,
            data_dir=folder / "data",
            prism=find_prism(load_settings()),
            clock="records",
            score_metrics_port=port.number,
        )
        apply_topics(settings, Topics(settings.topic_prefix))
        _fill(settings)
        figures = _drain(settings, folder)
    return figures | {"replay": _replay(folder)}


def told(number: int, chance: random.Random) -> tuple[str, Signal]:
    """One of three copies of a story, on one of the dyads."""
    kind, modality, active, severity = chance.choice(KINDS)
    at = START + timedelta(seconds=number / 10)
    identity = hashlib.sha256(str(number).encode()).hexdigest()[:32]
    key = dyad_key(f"S{chance.randrange(DYADS):03d}", "ZZZ")
    return key, signal(
        signal_id=identity,
        article_id=identity,
        source=f"outlet{number % 97}.example",
        published_at=at,
        observed_at=at,
        event_type=kind,
        modality=modality,
        active=active,
        dyads=(key,),
        severity=Severity(plover="X", base=severity, factors={}, score=severity),
        story=signature(" ".join(f"w{number // 3}x{word}" for word in range(40))),
        flow=Flow(articles=2000, sources=900),
    )


def _fill(settings: Settings) -> None:
    chance, topic = random.Random(7), Topics(settings.topic_prefix).signals.name
    with producer(settings, "bench") as sender:
        for number in range(SIGNALS):
            key, news = told(number, chance)
            sender.send(topic, key=key.encode(), value=encode(news))
        sender.flush()


def _drain(settings: Settings, folder: Path) -> dict[str, Any]:
    """Seconds from the first committed offset to the last, with score and its runner on one core."""
    topics = Topics(settings.topic_prefix)
    with Process(settings, "score", folder=folder) as score:
        wait_for(lambda: score.has_said("job submitted"), 60, "score")
        processes = [psutil.Process(score.child.pid), *psutil.Process(score.child.pid).children(recursive=True)]
        core = sorted(os.sched_getaffinity(0))[-1:]
        for thread in [thread.id for process in processes for thread in process.threads()]:
            os.sched_setaffinity(thread, core)
        first = wait_for(lambda: _committed(settings), 60, "the first commit")
        begin, worked = time.monotonic(), _cpu(processes)
        wait_for(lambda: _committed(settings) >= SIGNALS, 300, "the last commit")
        seconds, worked = time.monotonic() - begin, _cpu(processes) - worked
        busiest = max(len(m.value or b"") for m in Topic(settings, topics.dyads.name).look())
        memory = round(psutil.Process(score.child.pid).memory_info().rss / 1e6)
        score.end()
    return {
        "signals": SIGNALS,
        "dyads": DYADS,
        "signals_a_second": round((SIGNALS - first) / seconds),
        "signals_a_cpu_second": round((SIGNALS - first) / worked),
        "largest_dyad_bytes": busiest,
        "rss_mb": memory,
    }


def _cpu(processes: list[psutil.Process]) -> float:
    """CPU seconds that they have taken: tells of a core's work where others want it, too."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _committed(settings: Settings) -> int:
    topics = Topics(settings.topic_prefix)
    with consumer(settings, "bench", group_id=topics.score_group) as reader:
        partitions = [TopicPartition(topics.signals.name, n) for n in range(topics.signals.partitions)]
        return sum(reader.committed(partition) or 0 for partition in partitions)


def _replay(folder: Path) -> dict[str, Any]:
    """Headlines of a month, replayed; and the same put through the live line one by one, as they would come."""
    lines, file = _headlines(), folder / "headlines.jsonl"
    file.write_bytes(b"\n".join(msgspec.json.encode(line) for line in lines))
    begin = time.monotonic()
    command = ["replay", str(file), "--alerts", str(folder / "alerts.jsonl")]
    subprocess.run([sys.executable, "-m", "pipeline.cli.main", *command], check=True, capture_output=True)
    replayed = time.monotonic() - begin
    return {"headlines": len(lines), "replay_s": round(replayed, 1), "live": _live(folder / "live", lines)}


def _live(folder: Path, lines: list[Line]) -> dict[str, Any]:
    """The service as it is, one article sent when the one before it is through: time moves with the records."""
    from pipeline.replay import as_article, published_at

    folder.mkdir()
    with EmbeddedKafka(folder / "data", load_settings().cache_dir) as kafka, Port() as one, Port() as two:
        settings = load_settings(
            bootstrap_servers=kafka.bootstrap_servers, data_dir=folder / "data", clock="records",
            prism=find_prism(load_settings()), extract_metrics_port=one.number, score_metrics_port=two.number,
        )  # fmt: skip
        topics = Topics(settings.topic_prefix)
        apply_topics(settings, topics)
        begin = time.monotonic()
        with (
            Process(settings, "extract", folder=folder) as extract,
            Process(settings, "score", folder=folder) as score,
            producer(settings, "bench") as sender,
        ):
            for line in lines[: len(lines) // 10]:
                article = as_article(line, published_at(line.published))
                key, value = article.article_id.encode(), encode(article)
                sender.send(topics.articles.name, key=key, value=value).get(timeout=30)
                _through(settings, topics)
            seconds = (time.monotonic() - begin) * 10
            extract.end()
            score.end()
    return {"one_by_one_s": round(seconds), "measured_on": len(lines) // 10}


def _through(settings: Settings, topics: Topics) -> None:
    """Wait until extract has committed all articles: only then is the next one sent."""
    with consumer(settings, "bench", group_id=topics.extract_group) as reader:
        partitions = [TopicPartition(topics.articles.name, n) for n in range(topics.articles.partitions)]
        ends = reader.end_offsets(partitions)
        wait_for(lambda: all((reader.committed(p) or 0) >= end for p, end in ends.items()), 60, "extract")


def _headlines() -> list[Line]:
    """Ordinary and hard news, of our own writing, over a month."""
    folder = Path(__file__).parent / "articles.jsonl"
    titles = [msgspec.json.decode(raw)["title"] for raw in folder.read_bytes().splitlines() if raw]
    return [
        Line(
            published=(START + timedelta(minutes=20 * number)).isoformat(),
            title=f"{titles[number % len(titles)]} ({number})",
            source=f"outlet{number % 40}.example",
            url=f"https://outlet{number % 40}.example/{number}",
        )
        for number in range(HEADLINES)
    ]
