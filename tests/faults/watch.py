"""Looking on: how far each stage has come, several times a second; and how soon after a kill it went on."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from kafka import KafkaConsumer, TopicPartition

from config.settings import Settings
from pipeline.kafka.client import consumer
from pipeline.records.topics import Topics
from tests.faults.plan import Kill

EVERY_S = 0.2
TIMEOUT_MS = 3_000
ON_ITS_WAY_S = 0.3
"""How long what the victim had sent may take to take effect."""
OUTLIVES_S = 2.0
"""How long a job may go on without its runner: the bundle under way is written and committed, then it ends."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the broker said.

    Attributes:
        asked: Monotonic time before it was asked, in seconds.
        answered: And after it had answered.
        connect: Messages on ``articles``.
        extract, score: Sum of the offsets that the stage's group has committed.
        signals: Messages on ``signals``.
    """

    asked: float
    answered: float
    connect: int
    extract: int
    score: int
    signals: int

    def of(self, stage: str) -> int:
        """How far a stage has come."""
        return int(getattr(self, stage))

    @property
    def idle(self) -> bool:
        """Whether both jobs have committed all that there is."""
        return self.extract == self.connect and self.score == self.signals


@dataclass(frozen=True, slots=True)
class Killed:
    """A kill that was done, at a monotonic time in seconds."""

    kill: Kill
    at: float


def recovery(killed: Killed, samples: Sequence[Sample]) -> float | None:
    """Seconds from the kill until every stage that it hit was seen to go on; None if one never was.

    What counts as going on is the first sample above what the broker said 0.3 s after the kill (of a runner: 2 s), or
    as soon as it said anything: what was on its way when the victim died is not its successor's.
    """
    grace = OUTLIVES_S if killed.kill.job else ON_ITS_WAY_S
    after = samples[bisect_left(samples, killed.at + grace, key=lambda sample: sample.asked) :]
    ends = [_first_above(after, stage) for stage in killed.kill.stages]
    known = [end for end in ends if end is not None]
    return max(known) - killed.at if len(known) == len(ends) else None


def _first_above(samples: Sequence[Sample], stage: str) -> float | None:
    return next((sample.answered for sample in samples if sample.of(stage) > samples[0].of(stage)), None)


class Watch:
    """Asks the broker in a thread of its own; a context manager. While the broker is away there are no samples."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topics = Topics(settings.topic_prefix)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.samples: list[Sample] = []

    def went_on(self, killed: Killed) -> bool:
        """Whether every stage that the kill hit has gone on since."""
        return recovery(killed, list(self.samples)) is not None

    @property
    def latest(self) -> Sample | None:
        """The last answer."""
        return self.samples[-1] if self.samples else None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        reader: KafkaConsumer | None = None
        others: list[KafkaConsumer] = []
        while not self._stop.wait(EVERY_S):
            try:
                if reader is None:
                    reader = consumer(self._settings, "watch", group_id=self._topics.extract_group)
                    others = [consumer(self._settings, "watch", group_id=self._topics.score_group)]
                self.samples.append(self._ask(reader, others[0]))
            except Exception:  # noqa: BLE001, S112  # the broker is dead, which is what this is all about
                continue
        for each in (reader, *others):
            if each is not None:
                each.close(autocommit=False)

    def _ask(self, extract: KafkaConsumer, score: KafkaConsumer) -> Sample:
        asked = time.monotonic()
        committed_extract, articles = _progress(extract, self._topics.articles.name)
        committed_score, signals = _progress(score, self._topics.signals.name)
        return Sample(asked, time.monotonic(), articles, committed_extract, committed_score, signals)


def _progress(reader: KafkaConsumer, topic: str) -> tuple[int, int]:
    """What a consumer's group has committed of a topic, and how much there is."""
    partitions = [TopicPartition(topic, number) for number in sorted(reader.partitions_for_topic(topic))]
    committed = sum(reader.committed(each, timeout_ms=TIMEOUT_MS) or 0 for each in partitions)
    return committed, sum(reader.end_offsets(partitions, timeout_ms=TIMEOUT_MS).values())
