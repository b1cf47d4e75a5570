"""The extract job: articles in, signals and dead letters out; stateless, a member of a consumer group."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam

from config.settings import Settings
from pipeline import metrics
from pipeline.extraction.engine import Engine, Extraction
from pipeline.kafka.group import GroupMember
from pipeline.kafka.message import Message, Outgoing, as_dead_letter
from pipeline.records import Article, DecodeError, decode, encode
from pipeline.records.dyad import NOBODY
from pipeline.records.topics import Topics
from pipeline.transforms.elements import Polled, stays_within
from pipeline.transforms.poll import Poll, enter, session

log = logging.getLogger(__name__)
JOB = "extract"


@dataclass(frozen=True, slots=True)
class Read:
    """One article and the message it came in."""

    message: Message
    article: Article


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a bundle gave: what is to be written, and what the metrics count."""

    outgoing: tuple[Outgoing, ...]
    extractions: tuple[Extraction, ...]
    dead: tuple[tuple[str, str], ...]
    articles: tuple[Article, ...]


stays_within(Outcome)


def decode_all(messages: Sequence[Message], deadletter: str) -> tuple[list[Read], list[tuple[Outgoing, str]]]:
    """Split messages into articles and dead letters (each with its reason)."""
    good: list[Read] = []
    bad: list[tuple[Outgoing, str]] = []
    for message in messages:
        try:
            good.append(Read(message, decode(message.value, Article)))
        except DecodeError as error:
            bad.append((as_dead_letter(message, deadletter, "extract.decode", error.reason, str(error)), error.reason))
    return good, bad


def extract_all(engine: Engine, reads: Sequence[Read]) -> Iterator[tuple[Read, Extraction | Exception]]:
    """Extract in one batch; if that fails, one by one, so that a poison article harms only itself."""
    try:
        results = engine.extract([read.article for read in reads])
    except Exception:  # whatever a hostile text provokes in the parser: the singles below say whose it is
        log.exception("extracting a batch failed; taking its articles one by one")
    else:
        yield from zip(reads, results, strict=True)
        return
    for read in reads:
        try:
            yield read, engine.extract([read.article])[0]
        except Exception as error:  # noqa: BLE001  the article becomes a dead letter that names the error
            yield read, error


def work(engine: Engine, messages: Sequence[Message], topics: Topics) -> Outcome:
    """Messages to what must be written for them."""
    reads, bad = decode_all(messages, topics.deadletter.name)
    outgoing = [letter for letter, _ in bad]
    dead = [("extract.decode", reason) for _, reason in bad]
    extractions: list[Extraction] = []
    for read, result in extract_all(engine, reads):
        if isinstance(result, Exception):
            why = f"extracting failed: {read.article.article_id}: {result!r}"
            outgoing.append(as_dead_letter(read.message, topics.deadletter.name, "extract.parse", "crash", why))
            dead.append(("extract.parse", "crash"))
            continue
        extractions.append(result)
        outgoing.extend(_as_messages(result, topics.signals.name))
    return Outcome(tuple(outgoing), tuple(extractions), tuple(dead), tuple(read.article for read in reads))


def _as_messages(extraction: Extraction, topic: str) -> Iterator[Outgoing]:
    """Each signal once under each of its dyads; one that names nobody is kept under ``*-*``, which is never scored."""
    for signal in extraction.signals:
        value = encode(signal)
        for dyad in signal.dyads or (NOBODY,):
            yield Outgoing(topic, dyad.encode(), value)


class ExtractSession:
    """The process's consumer, producer and engine."""

    def __init__(self, settings: Settings, engine: Engine, member: GroupMember, stop: threading.Event) -> None:
        self.stop = stop
        self.engine = engine
        self.member = member
        self.topics = Topics(settings.topic_prefix)
        self._wall = settings.clock == "wall"
        self._batch = settings.extract_batch
        self._polled_at = 0.0

    def poll(self) -> Polled | None:
        """The next articles; None if there are none."""
        messages = self.member.poll(self._batch)
        self._polled_at = time.monotonic()
        caught_up = not messages and self.member.caught_up()
        if caught_up:
            self.member.pass_marks()
        metrics.note_lag(JOB, [m.timestamp_ms for m in messages], caught_up=caught_up)
        return Polled(messages) if messages else None

    def close(self) -> None:
        """Leave Kafka."""
        self.member.close()

    def finish(self, outcomes: Iterable[Outcome]) -> None:
        """Commit the bundle, then count it."""
        if not self.member.commit():
            return  # the new owner of the partitions repeats it, and counts it
        for outcome in outcomes:
            _count(outcome, wall=self._wall)
        metrics.EXTRACT_SECONDS.observe(time.monotonic() - self._polled_at)


def _count(outcome: Outcome, *, wall: bool) -> None:
    for stage, reason in outcome.dead:
        metrics.DEAD_LETTERS.labels(stage, reason).inc()
    for extraction in outcome.extractions:
        metrics.EXTRACTED.labels(extraction.outcome).inc()
        for signal in extraction.signals:
            metrics.SIGNALS.labels(signal.event_type, signal.modality, str(signal.active).lower()).inc()
    now = time.time()
    for article in outcome.articles:
        metrics.EVENT_TIME.labels(JOB).set(article.observed_at.timestamp())
        if wall:
            metrics.LATENCY.labels("fetched_to_signal").observe(max(0.0, now - article.fetched_at.timestamp()))


class ExtractSignals(beam.DoFn):
    """A poll's messages to an Outcome: decode, gate, parse, signals; a bundle's sentences are parsed in one batch."""

    def process(self, element: Polled) -> Iterator[Outcome]:
        """One Outcome for one poll."""
        current: ExtractSession = session(JOB)
        yield work(current.engine, element, current.topics)


class WriteAndCommit(beam.DoFn):
    """Writes what a bundle gave; offsets are committed when the broker has acknowledged all of it."""

    def start_bundle(self) -> None:
        """Begin with nothing."""
        self._outcomes: list[Outcome] = []

    def process(self, element: Outcome) -> None:
        """Hand one Outcome to the producer."""
        session(JOB).member.write(element.outgoing)
        self._outcomes.append(element)

    def finish_bundle(self) -> None:
        """Flush, commit, count."""
        if self._outcomes:
            session(JOB).finish(self._outcomes)


def build(pipeline: beam.Pipeline, current: ExtractSession) -> None:
    """The job: one fused stage."""
    enter(JOB, current)
    (
        pipeline
        | "Job" >> beam.Create([JOB])
        | "Poll" >> beam.ParDo(Poll()).with_output_types(Polled)
        | "Extract" >> beam.ParDo(ExtractSignals()).with_output_types(Outcome)
        | "Write" >> beam.ParDo(WriteAndCommit())
    )
