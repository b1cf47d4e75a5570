"""The extract job: articles in, signals and dead letters out; stateless, a member of a consumer group."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Protocol

import apache_beam as beam

from config import spans, trace, vitals
from config.health import board
from config.settings import Settings
from config.spans import Open
from pipeline import metrics
from pipeline.extraction.engine import Extraction
from pipeline.extraction.sandbox import ExtractionFailed
from pipeline.kafka.group import GroupMember
from pipeline.kafka.message import Message, Outgoing, as_dead_letter, place
from pipeline.records import Article, DecodeError, decode, encode
from pipeline.records.dyad import NOBODY
from pipeline.records.topics import Topics
from pipeline.transforms.elements import Outlet, Polled, stays_within
from pipeline.transforms.poll import Poll, enter, session

log = logging.getLogger(__name__)
JOB = "extract"
MAX_WHY = 500
"""Of a reason, in a line of the log: it may quote the message."""


@dataclass(frozen=True, slots=True)
class Read:
    """One article and the message it came in."""

    message: Message
    article: Article


@dataclass(slots=True)
class Outcome:
    """What a bundle gave: what is to be written, what the metrics count, and what is left to be polled again.

    Attributes:
        outgoing: Signals and dead letters.
        extractions, articles: What was read, heartbeats left out.
        dead: Stage and reason of each dead letter.
        heartbeats: When those that gave a signal were sent (Unix time).
        left: Messages that nothing was done for.
        steps: Of the traces of what was read, with what is to be said of each: ended when all is committed.
    """

    outgoing: list[Outgoing] = field(default_factory=list)
    extractions: list[Extraction] = field(default_factory=list)
    dead: list[tuple[str, str]] = field(default_factory=list)
    articles: list[Article] = field(default_factory=list)
    heartbeats: list[float] = field(default_factory=list)
    left: list[Message] = field(default_factory=list)
    steps: list[tuple[Open, Extraction]] = field(default_factory=list)


class Extractor(Protocol):
    """What finds signals: ``pipeline.extraction.sandbox.Sandbox``, or a test's."""

    def extract(self, articles: Sequence[Article], *, alone: bool = False) -> list[Extraction]:
        """What each article says, in order.

        Raises:
            ExtractionFailed: They gave nothing; with ``alone``, by their own fault.
        """

    def close(self) -> None:
        """End it."""


class Suspects:
    """The messages that one batch failed with: each is taken alone. Of every partition only the last offset is kept."""

    def __init__(self) -> None:
        self._up_to: dict[int, int] = {}

    def add(self, messages: Iterable[Message]) -> None:
        """Suspect the messages, which come first of those that are not done."""
        for message in messages:
            self._up_to[message.partition] = message.offset

    def __contains__(self, message: Message) -> bool:
        return message.offset <= self._up_to.get(message.partition, -1)


stays_within(Outcome)


def decode_all(messages: Sequence[Message], deadletter: str) -> tuple[list[Read], list[tuple[Outgoing, str]]]:
    """Split messages into articles and dead letters (each with its reason)."""
    good: list[Read] = []
    bad: list[tuple[Outgoing, str]] = []
    for message in messages:
        try:
            good.append(Read(message, decode(message.value, Article)))
        except DecodeError as error:
            _log_letter(message, "extract.decode", error.reason, str(error))
            bad.append((as_dead_letter(message, deadletter, "extract.decode", error.reason, str(error)), error.reason))
    return good, bad


def _log_letter(message: Message, stage: str, reason: str, why: str) -> None:
    fields = {"stage": stage, "reason": reason, "why": why[:MAX_WHY], **place(message)}
    log.warning("a message becomes a dead letter", extra={"fields": fields})


def batches(messages: Iterable[Message], suspects: Suspects) -> Iterator[list[Message]]:
    """The messages in order: every suspect alone, and what stands between them together."""
    for suspected, group in groupby(messages, key=suspects.__contains__):
        if suspected:
            yield from ([message] for message in group)
        else:
            yield list(group)


def work(
    extractor: Extractor,
    messages: Sequence[Message],
    topics: Topics,
    suspects: Suspects,
    enough: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Messages to what must be written for them.

    A batch that fails is taken apart, and an article that fails alone is a dead letter.

    Args:
        extractor: Reads the articles.
        messages: What was polled.
        topics: Where to write.
        suspects: Messages that are to be taken alone; those of a batch that fails are added.
        enough: Says when to begin nothing more: the rest is left.
    """
    outcome = Outcome()
    todo = deque(batches(messages, suspects))
    while todo and not enough():
        batch = todo.popleft()
        alone = batch[0] in suspects
        try:
            _take(outcome, extractor, batch, topics, alone=alone)
        except ExtractionFailed as failure:
            _note(failure, batch)
            if alone:
                _bury(outcome, batch[0], topics, failure)
            else:
                suspects.add(batch)
                todo.extendleft([message] for message in reversed(batch))
    outcome.left = list(chain.from_iterable(todo))
    return outcome


def _take(outcome: Outcome, extractor: Extractor, batch: Sequence[Message], topics: Topics, *, alone: bool) -> None:
    """Add what a batch gives; nothing if it fails."""
    begun = time.time()
    reads, bad = decode_all(batch, topics.deadletter.name)
    articles = [read.article for read in reads]
    extractions = _extracted(extractor, articles, alone=alone) if articles else []
    outcome.outgoing += [letter for letter, _ in bad]
    outcome.dead += [("extract.decode", reason) for _, reason in bad]
    for read, extraction in zip(reads, extractions, strict=True):
        article = read.article
        step = spans.step(JOB, _parent(read), begun)
        outcome.steps.append((step, extraction))
        outcome.outgoing += _as_messages(extraction, topics.signals.name, trace.header(step.parent))
        if not article.heartbeat:
            outcome.extractions.append(extraction)
            outcome.articles.append(article)
        elif extraction.signals:
            outcome.heartbeats.append(article.published_at.timestamp())
        else:
            log.error(
                "a heartbeat gave no signal: extraction does not work",
                extra={"fields": {"outcome": extraction.outcome}},
            )


def _parent(read: Read) -> trace.Parent | None:
    """What the message says of its trace; of one that says nothing, the article's own."""
    return trace.parent_of(read.message.headers) or trace.of_article(read.article.article_id)


def _extracted(extractor: Extractor, articles: Sequence[Article], *, alone: bool) -> list[Extraction]:
    with metrics.PARSE_SECONDS.time():
        return extractor.extract(articles, alone=alone)


def _bury(outcome: Outcome, message: Message, topics: Topics, failure: ExtractionFailed) -> None:
    """Add the dead letter of an article that failed alone."""
    why = f"extracting failed: {failure}"
    _log_letter(message, "extract.parse", failure.reason, why)
    outcome.outgoing.append(as_dead_letter(message, topics.deadletter.name, "extract.parse", failure.reason, why))
    outcome.dead.append(("extract.parse", failure.reason))


def _note(failure: ExtractionFailed, batch: Sequence[Message]) -> None:
    """Log the failure, and count the process that it cost."""
    first = batch[0]
    fields = {"articles": len(batch), "why": str(failure)[:MAX_WHY], **place(first)}
    log.warning("extracting failed", extra={"fields": fields})
    if failure.ended:
        cause = failure.reason if failure.ended == "worker" else failure.ended
        metrics.WORKER_RESTARTS.labels(cause).inc()


def _as_messages(extraction: Extraction, topic: str, headers: trace.Headers) -> Iterator[Outgoing]:
    """Each signal once under each of its dyads; one that names nobody is kept under ``*-*``, which is never scored."""
    for signal in extraction.signals:
        value = encode(signal)
        for dyad in signal.dyads or (NOBODY,):
            yield Outgoing(topic, dyad.encode(), value, headers)


class ExtractSession:
    """The process's consumer, producer and extractor."""

    def __init__(self, settings: Settings, extractor: Extractor, member: GroupMember, stop: threading.Event) -> None:
        self.stop = stop
        self.extractor = extractor
        self.suspects = Suspects()
        self.member = member
        self.topics = Topics(settings.topic_prefix)
        self._wall = settings.clock == "wall"
        self._batch = settings.extract_batch
        self._patience_s = settings.extract_timeout_s
        self._polled_at = 0.0

    def poll(self) -> Polled | None:
        """The next articles; None if there are none."""
        messages = self.member.poll(self._batch)
        self._polled_at = time.monotonic()
        place = self.member.standing()
        board.note("partitions", place.ok, place.why)
        caught_up = not messages and self.member.caught_up()
        if caught_up:
            self.member.pass_marks()
        metrics.note_lag(JOB, [m.timestamp_ms for m in messages], caught_up=caught_up)
        return Polled(messages) if messages else None

    def enough(self) -> bool:
        """Whether the bundle is to begin nothing more: it has lasted long enough, or the job is to stop."""
        return self.stop.is_set() or time.monotonic() - self._polled_at > self._patience_s

    def close(self) -> None:
        """Leave Kafka, and end the extractor."""
        self.member.close()
        self.extractor.close()

    def finish(self, outcomes: Sequence[Outcome]) -> None:
        """Commit the bundle, then count it."""
        if not self.member.commit(chain.from_iterable(outcome.left for outcome in outcomes)):
            return  # the new owner of the partitions repeats it, and counts it
        for outcome in outcomes:
            _count(outcome, wall=self._wall)
            for sent in outcome.heartbeats:
                vitals.note_heartbeat(JOB, sent)
            _end(outcome.steps)
        metrics.EXTRACT_SECONDS.observe(time.monotonic() - self._polled_at)
        metrics.EXTRACT_ARTICLES.observe(sum(len(outcome.articles) + len(outcome.dead) for outcome in outcomes))
        metrics.LAST_BUNDLE.labels(JOB).set_to_current_time()


def _end(steps: Iterable[tuple[Open, Extraction]]) -> None:
    """End the traces' steps, and tell of each article where somebody asks for it: there are some fifty a second."""
    telling = log.isEnabledFor(logging.DEBUG)
    for step, extraction in steps:
        step.end(attributes={"outcome": extraction.outcome, "signals": len(extraction.signals)})
        if telling:
            said = {"outcome": extraction.outcome, "signals": len(extraction.signals)}
            log.debug("article read", extra={"fields": {**trace.fields(extraction.article_id), **said}})


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
        yield work(current.extractor, element, current.topics, current.suspects, current.enough)


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


def build(pipeline: beam.Pipeline, current: ExtractSession | None = None) -> None:
    """The job: one fused stage; without a session where its DoFns run in another process, a worker's."""
    if current is not None:
        enter(JOB, current)
    (
        pipeline
        | "Job" >> beam.Create([JOB])
        | "Poll" >> beam.ParDo(Poll()).with_output_types(Polled)
        | "Extract" >> beam.ParDo(ExtractSignals()).with_output_types(Outcome)
        | "Write" >> beam.ParDo(WriteAndCommit())
        | "End" >> Outlet()
    )
