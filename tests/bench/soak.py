"""A soak: the whole line under a steady load for half an hour; what each process holds, and how long a signal takes."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any, Self

import psutil
from kafka import KafkaConsumer
from loopback import LOOPBACK
from service import Process, wait_for

from config.settings import Settings, load_settings
from deploy.local.kafka import EmbeddedKafka
from deploy.local.prism import find_prism
from deploy.topics import apply_topics
from pipeline.kafka.client import consumer, partitions_of
from pipeline.kafka.message import flat
from pipeline.records import Signal, decode
from pipeline.records.topics import Topics
from tests.bench.wire import Wire

RATE = 50.0
MINUTES = 30.0
WARM_UP = 1 / 3
"""The share of the run that is left out of the comparison."""
WINDOW = 1 / 6
"""The share of the run at the beginning and at the end of what is left that is compared."""
SAMPLE_S = 10.0
EXTRACTS = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """How things stood at one time.

    Attributes:
        at_s: Since the load began.
        published, fetched, read: Entries that the feeds have shown, articles on their topic, and those that extract is
            done with.
        signals: Of those written since the last sample: from ``observed_at`` to the message, p50 and p99 in seconds;
            and how many.
        held: Of each process: RSS (MB), file descriptors, threads.
    """

    at_s: float
    published: int
    fetched: int
    read: int
    signals: tuple[float, float, int]
    held: dict[str, tuple[float, int, int]] = field(default_factory=dict)


def measure(folder: Path, minutes: float = MINUTES) -> dict[str, Any]:
    """Run it; the samples go to build/soak.json, the comparison of the beginning with the end is given."""
    samples = list(_samples(folder, minutes))
    Path("build").mkdir(exist_ok=True)
    Path("build/soak.json").write_text(json.dumps([asdict(each) for each in samples]), encoding="utf-8")
    return compare(samples)


def compare(samples: list[Sample]) -> dict[str, Any]:
    """What was held in a window after the warm-up against one at the end: means, and their ratio."""
    end = samples[-1].at_s
    early = [s for s in samples if end * WARM_UP <= s.at_s < end * (WARM_UP + WINDOW)]
    late = [s for s in samples if s.at_s >= end * (1 - WINDOW)]
    table = {}
    for name in sorted(set(early[0].held) & set(late[-1].held)):
        one, other = ([s.held[name] for s in window if name in s.held] for window in (early, late))
        before, after = (fmean(row[0] for row in window) for window in (one, other))
        table[name] = {
            "rss_mb": (round(before, 1), round(after, 1)),
            "rss_ratio": round(after / before, 3),
            "fds": (one[0][1], other[-1][1]),
            "threads": (one[0][2], other[-1][2]),
        }
    latency = {
        name: tuple(round(fmean(s.signals[place] for s in window if s.signals[2]), 3) for window in (early, late))
        for place, name in enumerate(("p50_s", "p99_s"))
    }
    last = samples[-1]
    counts = {"published": last.published, "fetched": last.fetched, "read": last.read}
    return {"minutes": round(end / 60, 1), **counts, "signals": sum(s.signals[2] for s in samples)} | {
        "observed_to_signal": latency,
        "most_behind": max(s.fetched - s.read for s in samples),
        "processes": table,
    }


def _samples(folder: Path, minutes: float) -> Iterator[Sample]:
    with ExitStack() as stack:
        kafka = stack.enter_context(EmbeddedKafka(folder / "data", load_settings().cache_dir))
        wire = Wire(RATE)
        stack.callback(wire.end)
        listing = folder / "feeds.yaml"
        listing.write_text(wire.config(), encoding="utf-8")
        settings = load_settings(
            bootstrap_servers=kafka.bootstrap_servers, data_dir=folder / "data", prism=find_prism(load_settings()),
            extract_metrics_port=0, score_metrics_port=0, connect_metrics_port=0, score_instance="soak",
            fetch_allow_networks=LOOPBACK,
        )  # fmt: skip
        apply_topics(settings, Topics(settings.topic_prefix))
        jobs = {f"extract-{n}": ["extract"] for n in range(EXTRACTS)} | {"score": ["score"]}
        running = {name: _start(stack, settings, folder / name, *words) for name, words in jobs.items()}
        for name, process in running.items():
            wait_for(lambda process=process: process.has_said("job submitted"), 120, name)
        wire.begin()
        running["connect"] = _start(stack, settings, folder / "connect", "connect", "--feeds", str(listing))
        view = stack.enter_context(_View(settings))
        begun, taken = time.monotonic(), 0
        while (at_s := time.monotonic() - begun) < minutes * 60:
            view.look()
            if at_s >= taken * SAMPLE_S:
                taken += 1
                _check(running)
                held = dict(_held({**{name: p.child.pid for name, p in running.items()}, "kafka": kafka.pid or 0}))
                sample = Sample(round(at_s, 1), wire.published(), *view.counts(), view.latencies(), held)
                _tell(sample)
                yield sample
        for process in reversed(running.values()):
            process.end()


def _start(stack: ExitStack, settings: Settings, folder: Path, *words: str) -> Process:
    return stack.enter_context(Process(settings, *words, folder=folder))


def _check(running: dict[str, Process]) -> None:
    for name, process in running.items():
        if process.child.poll() is not None:
            raise AssertionError(f"{name} ended: {process.said()}")


def _tell(sample: Sample) -> None:
    counts = f"{sample.published} published, {sample.fetched} fetched, {sample.fetched - sample.read} behind"
    text = f"{sample.at_s:7.0f} s  {counts}, signals {sample.signals}"
    print(text, *(f"{name} {row[0]:.0f}" for name, row in sample.held.items()), file=sys.stderr, flush=True)


def _held(roots: dict[str, int]) -> Iterator[tuple[str, tuple[float, int, int]]]:
    """Of each process and its children by what they are: memory, descriptors, threads; a worker by its place."""
    for name, pid in roots.items():
        root = psutil.Process(pid)
        yield name, _of(root)
        places: dict[str, int] = defaultdict(int)
        for child in root.children(recursive=True):
            try:
                kind = "prism" if "prism" in child.name() else "child"
                label = f"{name} {kind}{places[kind] or ''}"
                places[kind] += 1
                yield label, _of(child)
            except psutil.NoSuchProcess:
                continue


def _of(process: psutil.Process) -> tuple[float, int, int]:
    with process.oneshot():
        return process.memory_info().rss / 1e6, process.num_fds(), process.num_threads()


class _View:
    """What the broker has: counts, and how old signals were when they were written."""

    def __init__(self, settings: Settings) -> None:
        self._topics = Topics(settings.topic_prefix)
        self._signals = consumer(settings, "soak", isolation_level="read_committed")
        self._assign(self._signals, self._topics.signals.name)
        self._group = consumer(settings, "soak", group_id=self._topics.extract_group)
        self._ages: list[float] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._signals.close(autocommit=False)
        self._group.close(autocommit=False)

    def look(self) -> None:
        """Read the signals that have come, for half a second."""
        for message in flat(self._signals.poll(timeout_ms=500, max_records=5000)):
            signal = decode(message.value, Signal)
            self._ages.append(message.timestamp_ms / 1000 - signal.observed_at.timestamp())

    def latencies(self) -> tuple[float, float, int]:
        """p50, p99 and the number of signals since the last time."""
        ages, self._ages = sorted(self._ages), []
        if len(ages) < 2:
            return (ages or [0.0])[0], (ages or [0.0])[0], len(ages)
        cuts = quantiles(ages, n=100, method="inclusive")
        return round(cuts[49], 3), round(cuts[98], 3), len(ages)

    def counts(self) -> tuple[int, int]:
        """Articles on their topic, and those that extract has committed."""
        partitions = partitions_of(self._group, self._topics.articles.name)
        ends = self._group.end_offsets(partitions)
        return sum(ends.values()), sum(self._group.committed(each) or 0 for each in partitions)

    @staticmethod
    def _assign(reader: KafkaConsumer, name: str) -> None:
        partitions = partitions_of(reader, name)
        reader.assign(partitions)
        reader.seek_to_beginning(*partitions)


def main() -> None:
    """The command: run for some minutes, or draw what a run has left."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--draw", type=Path, metavar="FILE", help="draw build/soak.json there instead")
    options = parser.parse_args()
    if options.draw:
        from tests.bench.soak_picture import draw

        rows = json.loads(Path("build/soak.json").read_text(encoding="utf-8"))
        draw([Sample(**row) for row in rows], options.draw)
        return
    with tempfile.TemporaryDirectory(prefix="brinkwatch-soak-") as folder:
        print(json.dumps(measure(Path(folder), options.minutes), indent=2))


if __name__ == "__main__":
    main()
