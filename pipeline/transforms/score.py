"""The score job: signals in, alerts and dyads out; the one active instance, one transaction a bundle."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import apache_beam as beam

from config import spans, trace, vitals
from config.clock import WallClock
from config.errors import BrinkwatchError
from config.health import board
from config.rules_file import RulesFile
from config.settings import Settings
from config.spans import Open
from pipeline import metrics
from pipeline.dyad_metrics import DyadGauges
from pipeline.kafka.exactly_once import ReaderWriter
from pipeline.kafka.lease import Lease
from pipeline.kafka.message import Message, Outgoing, as_dead_letter, place
from pipeline.records import Alert, DecodeError, Dyad, Signal, Transition, decode
from pipeline.records.dyad import NOBODY
from pipeline.records.topics import Topics
from pipeline.scoring.book import Book
from pipeline.scoring.clock import event_time
from pipeline.scoring.explain import moment
from pipeline.transforms.elements import Outlet, Polled, stays_within
from pipeline.transforms.outgoing import as_messages
from pipeline.transforms.poll import Poll, enter, session

log = logging.getLogger(__name__)
JOB = "score"
TAKEN_OVER = "scoring ends here: another one is active now; started again, this one stands by"
MAX_WHY = 500
MAX_AHEAD_S = 3600.0
MAX_AHEAD_STORED_S = 24 * 3600.0
"""How far ahead of its writing a stored dyad may be: beyond the clocks' differences, a false time took it there."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a bundle gave.

    Attributes:
        outgoing: Alerts, dyads and dead letters.
        alerts: The transitions.
        dead: The reason of each dead letter.
        outcomes: How many signals met which end.
        newest: The latest observed time; None where there was no signal.
        heartbeats: When those that came were sent (Unix time).
        steps: By dyad with a transition, the step of the trace of the signal that it came by.
    """

    outgoing: tuple[Outgoing, ...]
    alerts: tuple[Alert, ...]
    dead: tuple[str, ...]
    outcomes: Counter[str] = field(default_factory=Counter)
    newest: datetime | None = None
    retold: int = 0
    heartbeats: tuple[float, ...] = ()
    steps: Mapping[str, Open] = field(default_factory=dict)


stays_within(Scored)


def readable(message: Message, now: datetime | None = None) -> Signal:
    """The message's signal.

    Args:
        message: As it was read.
        now: The time of our own clock, where time is the wall's: what has been by then is not the future, though a
            writer whose clock was set back has dated the message before it.

    Raises:
        DecodeError: It is none, or one that is observed later than it was written: time never goes back, so it would
            take its dyad's time with it.
    """
    signal = decode(message.value, Signal)
    observed, written = signal.observed_at.timestamp(), message.timestamp_ms / 1000
    known = written if now is None else max(written, now.timestamp())
    if observed - known > MAX_AHEAD_S:
        raise DecodeError("future", f"observed_at is {observed - written:.0f} s after the message was written")
    return signal


def _step(headers: trace.Headers, article_id: str, begun: float) -> Open:
    """The step of a signal's trace in which it led to a transition."""
    parent = trace.parent_of(headers) or trace.of_article(article_id)
    return spans.step(JOB, parent, begun)


@dataclass(slots=True)
class _Tally:
    """What a bundle comes to, message by message; ``Scored`` says what each is."""

    dead: list[tuple[Outgoing, str]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    newest: datetime | None = None
    retold: int = 0
    heartbeats: list[float] = field(default_factory=list)


class ScoreSession:
    """The process's reader-writer and book, how far event time has come, and the rules as they are now."""

    def __init__(
        self,
        settings: Settings,
        file: RulesFile,
        io: ReaderWriter,
        stop: threading.Event,
        lease: Lease | None = None,
        gauges: DyadGauges | None = None,
    ) -> None:
        self.stop = stop
        self._taken_over: BrinkwatchError | None = None
        self.topics = Topics(settings.topic_prefix)
        self.book = Book(file.rules)
        self._file = file
        self._io, self._lease = io, lease
        self._wall = WallClock() if settings.clock == "wall" else None
        self._batch = settings.score_batch
        self._gauges = gauges
        self._polled_at = time.monotonic()
        self._causes: dict[str, tuple[trace.Headers, str]] = {}
        self._restore()
        self._refresh(None)
        io.start()
        self._latest: dict[int, datetime | None] = dict.fromkeys(io.partitions)

    def _restore(self) -> None:
        """Every dyad as it was last committed; one that is no dyad is left out, loudly.

        Raises:
            DecodeError: One is of another schema version: then all are, and starting without them would forget every
                score and open alert.
        """
        latest: dict[bytes, Message] = {}
        for message in self._io.compacted(self.topics.dyads.name):
            latest.pop(message.key or b"", None)
            if message.value is not None:  # else forgotten
                latest[message.key or b""] = message
        for message in latest.values():
            self._take_over(message)
        log.info("restored", extra={"fields": {"dyads": len(self.book)}})

    def _take_over(self, message: Message) -> None:
        try:
            dyad = decode(message.value, Dyad)
        except DecodeError as error:
            if error.reason == "version":
                raise
            log.error("a dyad can't be restored", extra={"fields": {"dyad": message.key, "why": str(error)}})  # noqa: TRY400
            return
        self.book.restore([dyad])
        written = message.timestamp_ms / 1000
        if 0 < written < dyad.at.timestamp() - MAX_AHEAD_STORED_S:
            self.book.set_back(dyad.dyad, moment(written))
            log.warning("a dyad of a false time starts anew", extra={"fields": {"dyad": dyad.dyad, "at": dyad.at}})

    def poll(self) -> Polled | None:
        """The next signals, or an empty list where something else changed; None where there is nothing to do.

        Raises:
            BrinkwatchError: Another process is the active one now.
        """
        if self._lease is not None and self._lease.lost:
            self._taken_over = BrinkwatchError(TAKEN_OVER)
            self._step_down()
            raise self._taken_over
        reloaded = self._reload()
        messages = self._io.poll(self._batch)
        self._polled_at = time.monotonic()
        due = self.book.next_due()
        now = self._now()
        metrics.note_lag(JOB, [m.timestamp_ms for m in messages], caught_up=all(self._io.caught_up().values()))
        self._refresh(now)
        falls_due = due is not None and now is not None and due <= now
        return Polled(messages) if messages or falls_due or reloaded else None

    def _reload(self) -> bool:
        """Go on under the file's rules, if they are others; whether they are."""
        rules = self._file.changed()
        metrics.RULES_GOOD.set(self._file.good)
        board.note("rules", self._file.good, "" if self._file.good else f"{self._file.path} has faults; see the log")
        if rules is None:
            return False
        self.book.reload(rules)
        metrics.RULES_LOADED.set_to_current_time()
        metrics.init_rules(rule.name for rule in rules.rules)
        log.info("other rules", extra={"fields": {"rules": {rule.name: rule.version for rule in rules.rules}}})
        return True

    def score(self, messages: Sequence[Message]) -> Scored:
        """Apply the signals in order, then let fall due what has."""
        begun, tally = time.time(), _Tally()
        wall = self._wall.now() if self._wall else None
        for message in messages:
            signal = self._read(message, wall, tally)
            if signal is not None:
                self._apply(message, signal, tally)
        now = self._now()
        if now is not None:
            self.book.advance(now)
        alerts, dyads, forgotten = self.book.drain()
        steps = self._steps(alerts, begun)
        for dyad in forgotten:
            self._causes.pop(dyad, None)
        parents = {dyad: step.parent for dyad, step in steps.items()}
        outgoing = (*(letter for letter, _ in tally.dead), *as_messages(alerts, dyads, self.topics, forgotten, parents))
        return Scored(
            outgoing,
            tuple(alerts),
            tuple(reason for _, reason in tally.dead),
            tally.outcomes,
            tally.newest,
            tally.retold,
            tuple(tally.heartbeats),
            steps,
        )

    def _read(self, message: Message, wall: datetime | None, tally: _Tally) -> Signal | None:
        """The signal of a message; None for a heartbeat, by which nothing moves, and for a dead letter."""
        try:
            signal = readable(message, wall)
        except DecodeError as error:
            said = {"reason": error.reason, "why": str(error)[:MAX_WHY], **place(message)}
            log.warning("a message becomes a dead letter", extra={"fields": {"stage": "score.decode", **said}})
            letter = as_dead_letter(message, self.topics.deadletter.name, "score.decode", error.reason, str(error))
            tally.dead.append((letter, error.reason))
            return None
        if not signal.heartbeat:
            return signal
        tally.outcomes["inactive"] += 1
        tally.heartbeats.append(signal.published_at.timestamp())
        return None

    def _apply(self, message: Message, signal: Signal, tally: _Tally) -> None:
        tally.newest = max(tally.newest or signal.observed_at, signal.observed_at)
        before = self._latest[message.partition]
        self._latest[message.partition] = max(before or signal.observed_at, signal.observed_at)
        dyad = (message.key or NOBODY.encode()).decode(errors="replace")
        outcome = "inactive" if dyad == NOBODY else self.book.apply(dyad, signal)
        tally.outcomes[outcome] += 1
        if outcome == "applied":
            tally.retold += self.book.retold(dyad, signal)
            self._causes[dyad] = (message.headers, signal.article_id)
        if log.isEnabledFor(logging.DEBUG):
            said = {"dyad": dyad, "signal_id": signal.signal_id, "outcome": outcome}
            log.debug("signal read", extra={"fields": {**trace.fields(signal.article_id), **said}})

    def _steps(self, alerts: Sequence[Alert], begun: float) -> dict[str, Open]:
        """By dyad, the step that its transitions came by: rules wait, so the signal may be of an earlier bundle."""
        told = {alert.dyad for alert in alerts if alert.transition is not Transition.RESOLVED}
        return {dyad: _step(*self._causes[dyad], begun) for dyad in sorted(told & self._causes.keys())}

    @property
    def failure(self) -> Exception | None:
        """Why this process can't go on; None while it can."""
        return self._io.failure or self._taken_over

    def close(self) -> None:
        """Leave Kafka; then another may be the active one."""
        self._step_down()
        self._io.close()
        if self._lease is not None:
            self._lease.close()

    def finish(self, bundles: Iterable[Scored]) -> None:
        """One transaction for the bundle; then count it.

        Raises:
            Fenced: Another process is active now: nothing of it is seen by anybody.
            KafkaError: It failed; the same.
        """
        done = list(bundles)
        outgoing = [message for scored in done for message in scored.outgoing]
        if outgoing or self._io.uncommitted:
            try:
                self._io.commit(outgoing)
            except Exception:
                self._step_down()
                raise
        for scored in done:
            self._count(scored)
            for sent in scored.heartbeats:
                vitals.note_heartbeat(JOB, sent)
        metrics.SCORE_SECONDS.observe(time.monotonic() - self._polled_at)
        metrics.SCORE_SIGNALS.observe(sum(scored.outcomes.total() + len(scored.dead) for scored in done))
        metrics.LAST_BUNDLE.labels(JOB).set_to_current_time()
        self._refresh(self._now(), changed=True)

    def _refresh(self, now: datetime | None, *, changed: bool = False) -> None:
        if self._gauges is not None:
            self._gauges.refresh(self.book, now, changed=changed)

    def _step_down(self) -> None:
        """What this process holds is no longer what counts: it tells nothing of it any more."""
        metrics.SCORE_ACTIVE.set(0)
        if self._gauges is not None:
            self._gauges.clear()

    def _now(self) -> datetime | None:
        return event_time(self._latest, self._io.caught_up(), self._wall.now() if self._wall else None)

    def _count(self, scored: Scored) -> None:
        for outcome, count in scored.outcomes.items():
            metrics.SCORED.labels(outcome).inc(count)
        metrics.NEAR_DUPLICATES.inc(scored.retold)
        for reason in scored.dead:
            metrics.DEAD_LETTERS.labels("score.decode", reason).inc()
        for alert in scored.alerts:
            metrics.ALERTS.labels(alert.rule, alert.transition, alert.level).inc()
            over = alert.transition is Transition.RESOLVED
            _log_alert(alert, None if over else scored.steps.get(alert.dyad))
        for dyad, step in scored.steps.items():
            step.end(attributes={"dyad": dyad, "alerts": sum(alert.dyad == dyad for alert in scored.alerts)})
        if scored.newest is not None:
            metrics.EVENT_TIME.labels(JOB).set(scored.newest.timestamp())
            if self._wall and scored.alerts:
                metrics.LATENCY.labels("fetched_to_alert").observe(max(0.0, time.time() - scored.newest.timestamp()))


def _log_alert(alert: Alert, step: Open | None) -> None:
    """A transition, with the article that it came by."""
    fields = {"alert": alert.alert_id, "dyad": alert.dyad, "alert_level": alert.level, "score": alert.score}
    if step is not None and step.parent is not None:
        fields |= trace.fields(step.parent.trace)
    log.info("alert %s", alert.transition, extra={"fields": fields})


class ScoreSignals(beam.DoFn):
    """A poll's messages to alerts, changed dyads and dead letters, by the pure functions of scoring."""

    def process(self, element: Polled) -> Iterator[Scored]:
        """One Scored for one poll."""
        yield session(JOB).score(element)


class Transact(beam.DoFn):
    """One Kafka transaction a bundle: alerts, changed dyads, dead letters, offsets."""

    def start_bundle(self) -> None:
        """Begin with nothing."""
        self._scored: list[Scored] = []

    def process(self, element: Scored) -> None:
        """Keep it for the end of the bundle."""
        self._scored.append(element)

    def finish_bundle(self) -> None:
        """Commit; a failure ends the job, and the next start resumes from what is committed."""
        if self._scored:
            session(JOB).finish(self._scored)


def build(pipeline: beam.Pipeline, current: ScoreSession | None = None) -> None:
    """The job: one fused stage; without a session where its DoFns run in another process, a worker's."""
    if current is not None:
        enter(JOB, current)
    (
        pipeline
        | "Job" >> beam.Create([JOB])
        | "Poll" >> beam.ParDo(Poll()).with_output_types(Polled)
        | "Score" >> beam.ParDo(ScoreSignals()).with_output_types(Scored)
        | "Transact" >> beam.ParDo(Transact())
        | "End" >> Outlet()
    )
