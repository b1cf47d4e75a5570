"""The running line: how long each part takes to start, how much memory it holds, and how long an alert takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil
import yaml
from service import Process, Topic, wait_for

from config.settings import PACKAGED, Settings, load_settings
from deploy.local.drill.server import Drill, write_feeds
from deploy.local.kafka import EmbeddedKafka
from deploy.local.prism import find_prism
from deploy.local.process import Port
from deploy.topics import apply_topics
from pipeline.kafka.client import producer
from pipeline.records import Alert, Article, decode, encode
from pipeline.records.topics import Topics
from tests.bench.corpus import STATES

PAUSE_S = 0.5
SOURCES = ("one.example", "two.example", "three.example")


def measure(folder: Path) -> dict[str, Any]:
    """Start the parts one by one, send a light load, and time the alerts."""
    figures: dict[str, Any] = {}
    begin = time.monotonic()
    with EmbeddedKafka(folder / "data", load_settings().cache_dir) as kafka:
        figures["start_kafka_s"] = _since(begin)
        settings = _settings(kafka, folder)
        apply_topics(settings, Topics(settings.topic_prefix))
        begin = time.monotonic()
        with Process(settings, "extract", folder=folder) as extract:
            wait_for(lambda: extract.has_said("job submitted"), 60, "extract")
            figures["start_extract_s"] = _since(begin)
            begin = time.monotonic()
            with Process(settings, "score", folder=folder) as score:
                wait_for(lambda: score.has_said("job submitted"), 60, "score")
                figures["start_score_s"] = _since(begin)
                figures |= _latency(settings)
                figures |= _connect(settings, folder)
                figures["rss_mb"] |= {
                    "kafka": _rss(kafka.pid or 0),
                    **_jobs("extract", extract),
                    **_jobs("score", score),
                }
                score.end()
            extract.end()
    return figures


def _settings(kafka: EmbeddedKafka, folder: Path) -> Settings:
    """The shipped configuration, but that an alert is raised without a hold: else the hold is all that is measured."""
    config = folder / "config"
    config.mkdir()
    for path in PACKAGED.glob("*.yaml"):
        (config / path.name).write_bytes(path.read_bytes())
    (config / "gazetteer").symlink_to(PACKAGED / "gazetteer")
    rules = yaml.safe_load((config / "alerts.yaml").read_text(encoding="utf-8"))
    for rule in rules["rules"]:
        rule["hold_for"] = "0s"
    (config / "alerts.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    with Port() as one, Port() as two, Port() as three:
        names = ("extract_metrics_port", "score_metrics_port", "connect_metrics_port")
        ports = {name: port.number for name, port in zip(names, (one, two, three), strict=True)}
    return load_settings(
        bootstrap_servers=kafka.bootstrap_servers,
        data_dir=folder / "data",
        config_dir=config,
        prism=find_prism(load_settings()),
        **ports,
    )


def _crises() -> Iterator[tuple[str, list[str]]]:
    """A text for each of many pairs of states, grave enough to raise an alert when three outlets carry it."""
    for index, one in enumerate(STATES):
        for other in STATES[index + 1 :: 4]:
            yield (
                one,
                [
                    f"{one} launched air strikes on military bases in {other} on Monday, the government said.",
                    f"{one} has massed over 80,000 troops on its border with {other}, officials told reporters.",
                    f"{one} threatened to attack {other} with ballistic missiles unless it withdraws its forces.",
                ],
            )


def _latency(settings: Settings) -> dict[str, Any]:
    """Seconds from an article's fetched_at to the committed alert that it raised, at about six articles a second."""
    topics = Topics(settings.topic_prefix)
    alerts = Topic(settings, topics.alerts.name)
    sent: list[datetime] = []
    with producer(settings, "bench") as sender:
        number = 0
        for _, texts in _crises():
            for text, source in zip(texts, SOURCES, strict=True):
                number += 1
                article = _article(number, text, source)
                sender.send(topics.articles.name, key=article.article_id.encode(), value=encode(article))
            sender.flush()
            sent.append(datetime.now(UTC))
            time.sleep(PAUSE_S)
    time.sleep(5)
    raised = [m for m in alerts.look() if decode(m.value, Alert).transition == "raised"]
    delays = sorted(m.timestamp_ms / 1000 - decode(m.value, Alert).at.timestamp() for m in raised)
    cuts = quantiles(delays, n=100)
    return {
        "crises": len(sent),
        "alerts_raised": len(raised),
        "fetched_to_alert_p50_s": round(cuts[49], 2),
        "fetched_to_alert_p99_s": round(cuts[98], 2),
    }


def _article(number: int, text: str, source: str) -> Article:
    now = datetime.now(UTC)
    return Article(
        article_id=f"{number:032x}",
        url=f"https://{source}/{number}",
        title="",
        text=text,
        language="en",
        source=source,
        feed="bench",
        published_at=now,
        fetched_at=now,
        observed_at=now,
        content_hash="0" * 32,
    )


def _connect(settings: Settings, folder: Path) -> dict[str, Any]:
    """Start-up and memory of connect while it polls the drill's seven feeds; the child that parses them counts."""
    drill, listing = Drill(), folder / "drill.yaml"
    drill.begin()
    write_feeds(drill.port, listing)
    begin = time.monotonic()
    try:
        with Process(settings, "connect", "--feeds", str(listing), folder=folder) as connect:
            wait_for(lambda: connect.has_said('"outcome": "ok"'), 60, "connect")
            started = _since(begin)
            time.sleep(5)
            children = psutil.Process(connect.child.pid).children(recursive=True)
            memory = _rss(connect.child.pid) + sum(_rss(child.pid) for child in children)
            connect.end()
    finally:
        drill.end()
    return {"start_connect_s": started, "rss_mb": {"connect": memory}}


def _jobs(name: str, process: Process) -> dict[str, int]:
    """A job's own memory, that of its runner, and that of its other children, each page once."""
    children = psutil.Process(process.child.pid).children(recursive=True)
    prism = [child for child in children if "prism" in child.name()]
    others = [child for child in children if child not in prism]
    memory = {name: _rss(process.child.pid), f"{name}_prism": sum(_rss(child.pid) for child in prism)}
    if others:
        memory[f"{name}_children"] = round(sum(child.memory_full_info().pss for child in others) / 1e6)
    return memory


def _rss(pid: int) -> int:
    """Resident memory in MB."""
    return round(psutil.Process(pid).memory_info().rss / 1e6)


def _since(begin: float) -> float:
    return round(time.monotonic() - begin, 1)
