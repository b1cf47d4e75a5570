"""The score step: what one bundle writes, what it leaves for the next start, and what it counts."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY
from samples import NOON, dyad, signal

from config import spans, trace, vitals
from config.alerts import load_alerts
from config.errors import BrinkwatchError
from config.rules_file import RulesFile
from config.settings import load_settings
from pipeline import dyad_metrics
from pipeline.dyad_metrics import DyadGauges
from pipeline.kafka.message import Message, Outgoing
from pipeline.records import Alert, DecodeError, Dyad, EventType, Transition, decode, encode
from pipeline.records.topics import Topics
from pipeline.scoring.book import Book
from pipeline.scoring.survey import Scope
from pipeline.transforms.outgoing import as_messages
from pipeline.transforms.score import ScoreSession, readable

SETTINGS = load_settings().model_copy(update={"clock": "records"})
TOPICS = Topics(SETTINGS.topic_prefix)
WRITTEN = int((NOON + timedelta(days=1)).timestamp() * 1000)


class IO:
    """A reader-writer without a broker: what it restores and what it was told to commit."""

    partitions = (0,)

    def __init__(self, stored=()) -> None:
        self.stored = list(stored)
        self.committed: list[Outgoing] = []
        self.transactions = 0
        self.uncommitted = False
        self.queue: list[Message] = []

    def compacted(self, topic):
        assert topic == TOPICS.dyads.name
        return [Message(topic, 0, n, WRITTEN, key, value) for n, (key, value) in enumerate(self.stored)]

    def start(self):
        """Nothing to seek."""

    def close(self):
        """Nothing to close."""

    def poll(self, at_most):
        taken, self.queue = self.queue[:at_most], self.queue[at_most:]
        self.uncommitted = self.uncommitted or bool(taken)
        return taken

    def caught_up(self):
        return {0: True}

    def commit(self, messages):
        self.committed += messages
        self.transactions += 1
        self.uncommitted = False


def session(io, gauges=None):
    return ScoreSession(SETTINGS, RulesFile(SETTINGS.alerts_file), io, threading.Event(), None, gauges)


def message(value, key=b"RUS-UKR", offset=0):
    return Message(TOPICS.signals.name, 0, offset, WRITTEN, key, value)


def grave(number, **changes):
    """One of several grave signals of different outlets and stories, an hour apart."""
    at = NOON + timedelta(hours=number)
    base = {
        "signal_id": f"{number:x}" * 32, "article_id": f"{number:x}" * 32, "source": f"outlet{number}.example",
        "observed_at": at, "published_at": at, "event_type": EventType.FORCE,
    }  # fmt: skip
    return message(encode(signal(**{**base, **changes})), offset=number)


def test_a_crisis_is_raised_on_both_topics_in_one_transaction():
    """A subscriber of the open alerts and one of all transitions must see the same alert, or neither."""
    io = IO()
    current = session(io)
    current.finish([current.score([grave(n) for n in range(1, 6)])])
    topics = {m.topic for m in io.committed}
    assert topics == {TOPICS.alerts.name, TOPICS.alerts_current.name, TOPICS.dyads.name}
    assert io.transactions == 1
    alert = decode(next(m.value for m in io.committed if m.topic == TOPICS.alerts.name), Alert)
    assert (alert.transition, alert.dyad) == (Transition.RAISED, "RUS-UKR")


def test_a_heartbeat_moves_nothing():
    """No dyad, no alert, no time passes by it, not even under a dyad's key; it is committed, and then noted."""
    io = IO()
    current = session(io)
    later = NOON + timedelta(days=300)
    beats = [
        message(encode(signal(heartbeat=True, dyads=(), observed_at=later, published_at=later)), key)
        for key in (b"*-*", b"RUS-UKR")
    ]
    old = [replace(beat, timestamp_ms=int(later.timestamp() * 1000)) for beat in beats]
    scored = current.score([grave(1), *old])
    assert scored.outcomes == {"applied": 1, "inactive": 2}
    assert scored.heartbeats == (later.timestamp(),) * 2
    assert scored.newest == NOON + timedelta(hours=1)
    current.finish([scored])
    undisturbed = IO()
    alone = session(undisturbed)
    alone.finish([alone.score([grave(1)])])
    assert io.committed == undisturbed.committed
    vitals.init_heartbeat("score")
    last = REGISTRY.get_sample_value("brinkwatch_heartbeat_last_timestamp_seconds", {"stage": "score"})
    assert last == later.timestamp()


def test_an_alert_goes_on_with_the_trace_of_its_signal():
    """And only what led to one has a step: eleven thousand signals a second can't each have a span."""
    exporter = InMemorySpanExporter()
    spans.begin("score", load_settings(trace_sample_ratio=1.0), SimpleSpanProcessor(exporter))
    try:
        io = IO()
        current = session(io)
        header = trace.header(trace.Parent("ab" * 16, "cd" * 8, sampled=True))
        scored = current.score([replace(grave(n), headers=header) for n in range(1, 6)])
        current.finish([scored])
    finally:
        spans.end()
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.attributes["dyad"]) == ("score", "RUS-UKR")
    raised = [m for m in io.committed if m.topic == TOPICS.alerts.name]
    assert {trace.parent_of(m.headers) for m in raised} == {
        trace.Parent("ab" * 16, f"{span.context.span_id:016x}", sampled=True)
    }


def test_an_alert_without_spans_has_the_trace_of_its_article():
    """By which it is found in the logs; one that time resolves came by no article, and has none."""
    io = IO()
    current = session(io)
    current.finish([current.score([grave(n) for n in range(1, 6)])])
    raised = next(m for m in io.committed if m.topic == TOPICS.alerts.name)
    assert trace.parent_of(raised.headers).trace in {f"{n:x}" * 32 for n in range(1, 6)}
    later = NOON + timedelta(days=300)
    elsewhere = replace(
        message(encode(signal(observed_at=later)), key=b"A-B"), timestamp_ms=int(later.timestamp() * 1000)
    )
    current.finish([current.score([elsewhere])])
    resolved = [m for m in io.committed if m.topic == TOPICS.alerts.name][-1]
    assert decode(resolved.value, Alert).transition is Transition.RESOLVED
    assert trace.parent_of(resolved.headers) is None


def test_a_resolved_alert_leaves_a_tombstone():
    """The compacted topic holds open alerts only."""
    from samples import alert

    raised, resolved = alert(), alert(sequence=2, transition=Transition.RESOLVED)
    by_topic = [(m.topic, m.value) for m in as_messages([raised, resolved], [dyad()], TOPICS)]
    current = [value for topic, value in by_topic if topic == TOPICS.alerts_current.name]
    assert current == [encode(raised), None]
    assert [topic for topic, _ in by_topic].count(TOPICS.alerts.name) == 2


def test_a_forgotten_dyad_leaves_a_tombstone(caplog):
    """The compacted topic would grow for ever; and a restart takes the tombstone for what it is, without a word."""
    io = IO()
    current = session(io)
    late = NOON + timedelta(days=200)
    elsewhere = replace(
        message(encode(signal(observed_at=late)), key=b"A-B"), timestamp_ms=int(late.timestamp() * 1000)
    )
    current.finish([current.score([grave(1)]), current.score([elsewhere])])
    written = [(m.key, m.value) for m in io.committed if m.topic == TOPICS.dyads.name]
    assert (b"RUS-UKR", None) in written
    assert [dyad.dyad for dyad in session(IO(written)).book.dyads()] == ["A-B"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_restart_goes_on_where_the_last_transaction_ended():
    """What a crash left uncommitted is read again, and ends as if there had been no crash."""
    through, crashed = IO(), IO()
    undisturbed = session(through)
    undisturbed.finish([undisturbed.score([grave(n) for n in range(1, 6)])])
    first = session(crashed)
    first.finish([first.score([grave(1), grave(2)])])
    first.score([grave(3)])  # and then it dies
    stored = [(m.key, m.value) for m in crashed.committed if m.topic == TOPICS.dyads.name]
    again = IO(stored)
    second = session(again)
    second.finish([second.score([grave(n) for n in range(3, 6)])])
    assert last_dyad(again) == last_dyad(through)
    assert alerts(crashed) + alerts(again) == alerts(through)


def test_repeats_change_nothing():
    """Extract may write a signal twice after a crash: it must count once."""
    once, twice = IO(), IO()
    for io, times in ((once, 1), (twice, 2)):
        current = session(io)
        current.finish([current.score([grave(n) for n in range(1, 5) for _ in range(times)])])
    assert last_dyad(once) == last_dyad(twice)


FUTURE = encode(signal(observed_at=NOON + timedelta(days=3)))


@pytest.mark.parametrize("value", [None, b"{", encode(dyad()), FUTURE], ids=["none", "json", "other", "future"])
def test_a_bad_signal_is_a_dead_letter_in_the_same_transaction(value):
    """Its offset is committed with it, so it must not be lost; the good one beside it counts."""
    io = IO()
    current = session(io)
    scored = current.score([message(value), grave(1)])
    current.finish([scored])
    assert [m.value for m in io.committed if m.topic == TOPICS.deadletter.name] == [value]
    assert scored.outcomes == {"applied": 1}


def test_what_has_been_by_our_own_clock_is_not_the_future():
    """A writer whose clock was set back dates its messages days before what they tell; they must count all the same."""
    late = Message(TOPICS.signals.name, 0, 0, WRITTEN, b"RUS-UKR", FUTURE)
    assert readable(late, NOON + timedelta(days=3, seconds=1)).observed_at == NOON + timedelta(days=3)
    with pytest.raises(DecodeError) as error:
        readable(late, NOON + timedelta(days=2))
    assert error.value.reason == "future"


def test_a_signal_that_names_nobody_is_never_scored():
    """``*-*`` is a key, not a dyad: everything in the world would add up there."""
    io = IO()
    current = session(io)
    scored = current.score([message(encode(signal(dyads=())), key=b"*-*")])
    current.finish([scored])
    assert scored.outcomes == {"inactive": 1}
    assert io.committed == []


def test_a_dyad_that_cannot_be_read_does_not_stop_the_start():
    """One bad record on the compacted topic must not keep every other alert from being raised."""
    current = session(IO([(b"A-B", b"garbage"), (b"RUS-UKR", None)]))
    assert len(current.book) == 0


def test_a_dyad_of_another_version_stops_the_start():
    """After a rollback every dyad is of a newer version: going on would forget every open alert."""
    newer = encode(dyad()).replace(b'"schema_version":1', b'"schema_version":2')
    with pytest.raises(DecodeError, match="version"):
        session(IO([(b"RUS-UKR", newer)]))


def test_a_stored_dyad_of_a_false_time_hears_again():
    """A signal of the year 9999 was once taken in and committed: the restart must neither raise nor stay deaf to it."""
    book = Book(load_alerts(SETTINGS.alerts_file))
    book.apply("RUS-UKR", signal(observed_at=datetime(9999, 12, 31, tzinfo=UTC)))
    current = session(IO([(b"RUS-UKR", encode(book.dyads()[0]))]))
    assert current.poll() is None
    at = NOON + timedelta(days=2)
    later = encode(signal(signal_id="9" * 32, observed_at=at, published_at=at))
    current.score([replace(message(later), timestamp_ms=int(at.timestamp() * 1000))])
    held = current.book.dyads()[0]
    assert held.at == at
    assert held.score > 0


def shown(gauge=dyad_metrics.SCORE):
    """The dyads that have a series."""
    return {sample.labels["dyad"] for family in gauge.collect() for sample in family.samples}


def test_a_restart_shows_its_dyads_before_it_reads_a_signal():
    """A dashboard must not be empty, nor a rule on a level resolve, until the next news."""
    io = IO()
    first = session(io)
    first.finish([first.score([grave(n) for n in range(1, 6)])])
    stored = [(m.key, m.value) for m in io.committed if m.topic == TOPICS.dyads.name]
    assert shown() == set()
    second = session(IO(stored), DyadGauges(Scope(9), {}))
    assert shown() == {"RUS-UKR"}
    second.close()
    assert shown() == set()


def test_what_is_not_committed_is_not_shown():
    """A bundle that fails is repeated, perhaps elsewhere: gauges tell of nothing before its commit, nor after."""
    io = IO()
    current = session(io, DyadGauges(Scope(9), {}))
    scored = current.score([grave(1)])
    current.poll()
    assert shown() == set()
    io.commit = lambda _: pytest.fail("the transaction failed")
    with pytest.raises(pytest.fail.Exception):
        current.finish([scored])
    assert shown() == set()


def test_one_that_lost_its_place_shows_nothing():
    """Two processes that both tell of a dyad would be summed up, and one of them is wrong."""

    class Lease:
        lost = False

    lease, gauges = Lease(), DyadGauges(Scope(9), {})
    current = ScoreSession(SETTINGS, RulesFile(SETTINGS.alerts_file), IO(), threading.Event(), lease, gauges)
    gauges._next = 0.0
    current.finish([current.score([grave(1)])])
    assert shown() == {"RUS-UKR"}
    lease.lost = True
    with pytest.raises(BrinkwatchError, match="another one is active"):
        current.poll()
    assert shown() == set()


def test_an_idle_poll_gives_nothing_to_do():
    """No transaction for nothing, twenty times a second."""
    assert session(IO()).poll() is None


def last_dyad(io):
    return decode([m.value for m in io.committed if m.topic == TOPICS.dyads.name][-1], Dyad)


def alerts(io):
    return [m.value for m in io.committed if m.topic == TOPICS.alerts.name]


def test_changed_rules_are_used_without_a_restart(tmp_path):
    """A lower threshold raises what stands; a broken file changes nothing, and the last good rules stay."""
    io, clock, file = IO(), [0.0], tmp_path / "alerts.yaml"
    shipped = SETTINGS.alerts_file.read_text(encoding="utf-8")
    file.write_text(shipped.replace("raise_at: 12", "raise_at: 23"), encoding="utf-8")
    rules = RulesFile(file, clock=lambda: clock[0])
    current = ScoreSession(SETTINGS, rules, io, threading.Event())
    io.queue = [grave(1), grave(2), grave(3)]
    current.finish([current.score(current.poll())])
    assert not alerts(io)
    file.write_text("rules: none", encoding="utf-8")
    clock[0] += 10
    assert current.poll() is None
    assert not rules.good
    file.write_text(shipped, encoding="utf-8")
    clock[0] += 10
    current.finish([current.score(current.poll())])
    io.queue = [grave(4, active=False)]
    current.finish([current.score(current.poll())])
    assert [decode(alert, Alert).transition for alert in alerts(io)] == [Transition.RAISED]
    assert rules.good
