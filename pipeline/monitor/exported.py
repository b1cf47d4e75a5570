"""The monitor's metrics: made of the last survey whenever they are read, so that nothing that is stale is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.monitor.survey import Survey

STALE_S = 45.0
"""Age from which a survey tells of nothing any more: three rounds."""


class Exported(Collector):
    """Tells of the last survey; ``None`` is a broker that did not answer."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._last: Survey | None = None
        self._contact = 0.0

    def note(self, survey: Survey | None) -> None:
        """Tell of this one from now on."""
        self._last = survey
        if survey is not None:
            self._contact = survey.at

    def age_s(self) -> float | None:
        """Seconds since a broker answered; None where none did, or where it does not now. From any thread."""
        return None if self._last is None else self._clock() - self._contact

    def describe(self) -> Iterable[Metric]:
        """No metric before it is told: which there are depends on the survey."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        last = self._last
        fresh = last is not None and self._clock() - last.at <= STALE_S
        yield _gauge("broker_up", "1 if the broker answered when it was asked last, else 0.", float(fresh))
        yield _gauge("broker_last_contact_timestamp_seconds", "When it answered last (Unix time).", self._contact)
        if last is not None and fresh:
            yield from families(last)


def families(survey: Survey) -> Iterator[Metric]:
    """What a survey tells."""
    yield _gauge("brokers", "Brokers of the cluster.", survey.brokers)
    broken = "Partitions"
    yield _gauge(
        "broker_under_replicated_partitions", f"{broken} that lack a replica in sync.", survey.under_replicated
    )
    yield _gauge("broker_offline_partitions", f"{broken} without a leader.", survey.offline)
    yield from _disks(survey)
    size = GaugeMetricFamily("brinkwatch_broker_topic_bytes", "Bytes of a topic, one replica.", labels=["topic"])
    messages = CounterMetricFamily(
        "brinkwatch_topic_messages", "Messages ever written to a topic: the sum of its end offsets.", labels=["topic"]
    )
    for topic, held in survey.topic_bytes.items():
        size.add_metric([topic], held)
    for topic, end in survey.ends.items():
        messages.add_metric([topic], end)
    yield from (size, messages)
    yield from _groups(survey)


def _disks(survey: Survey) -> Iterator[Metric]:
    size = GaugeMetricFamily("brinkwatch_broker_log_dir_size_bytes", "Bytes of a broker's logs.", labels=["broker"])
    usable = GaugeMetricFamily(
        "brinkwatch_broker_log_dir_usable_bytes", "Bytes left on the disk of a broker's logs.", labels=["broker"]
    )
    for broker, disk in survey.disks.items():
        size.add_metric([broker], disk.size)
        if disk.usable is not None:
            usable.add_metric([broker], disk.usable)
    yield from (size, usable)


def _groups(survey: Survey) -> Iterator[Metric]:
    labels = ["group", "topic"]
    behind = GaugeMetricFamily(
        "brinkwatch_consumer_lag_messages", "Offsets of a topic that a group has not committed.", labels=labels
    )
    seconds = GaugeMetricFamily(
        "brinkwatch_consumer_lag_seconds",
        "Age of the oldest message that a group has not committed; 0 when caught up.",
        labels=labels,
    )
    members = GaugeMetricFamily("brinkwatch_consumer_members", "Members of a group.", labels=["group"])
    for names, lag in survey.lags.items():
        behind.add_metric(list(names), lag.messages)
        seconds.add_metric(list(names), lag.seconds)
    for group, number in survey.members.items():
        members.add_metric([group], number)
    yield from (behind, seconds, members)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"brinkwatch_{name}", text, value)
