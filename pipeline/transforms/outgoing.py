"""Outgoing: what score has decided, as messages of its topics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from config import trace
from config.trace import Parent
from pipeline.kafka.message import Outgoing
from pipeline.records import Alert, Dyad, Transition, encode
from pipeline.records.headers import cloudevent
from pipeline.records.topics import Topics

NO_PARENTS: Mapping[str, Parent | None] = {}


def as_messages(
    alerts: Sequence[Alert],
    dyads: Sequence[Dyad],
    topics: Topics,
    forgotten: Sequence[str] = (),
    parents: Mapping[str, Parent | None] = NO_PARENTS,
) -> Iterator[Outgoing]:
    """Alerts to both alert topics, dyads to theirs; on a compacted one a tombstone once resolved, or forgotten.

    Args:
        alerts: The transitions.
        dyads: Those that changed.
        topics: Where to write.
        forgotten: Keys of the dyads that are no more.
        parents: By dyad, the trace of what caused its transitions; one that is over has none.
    """
    for alert in alerts:
        parent = None if alert.transition is Transition.RESOLVED else parents.get(alert.dyad)
        headers = cloudevent(alert) + trace.header(parent)
        key, value = alert.alert_id.encode(), encode(alert)
        yield Outgoing(topics.alerts.name, key, value, headers)
        resolved = alert.transition is Transition.RESOLVED
        yield Outgoing(topics.alerts_current.name, key, None if resolved else value, [] if resolved else headers)
    for dyad in dyads:
        yield Outgoing(topics.dyads.name, dyad.dyad.encode(), encode(dyad))
    for name in forgotten:
        yield Outgoing(topics.dyads.name, name.encode(), None)
