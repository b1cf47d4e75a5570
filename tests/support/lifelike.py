"""A healthy day of Brinkwatch as metrics: what each process would expose, as a function of the moment alone.

The figures are invented, the names and labels are the service's own. ``lifeserver`` serves them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from zlib import crc32

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from connectors.metrics import Handling, State
from connectors.outcome import Outcome
from pipeline.metrics import LATENCY_BUCKETS
from pipeline.records import EventType, Level, Modality, Transition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric

DAY = 86400.0
UPTIME = 3 * DAY
GIB = 1024.0**3
MEMBERS = {"connect": 0, "extract": 4, "score": 4, "notify": 1, "monitor": 0, "up": 0}
"""Processes, and the partitions that each reads."""
RATES = {
    "deployment": 5,
    "exercise": 3,
    "mobilization": 1,
    "force": 9,
    "sanction": 7,
    "sanction_relief": 1,
    "demand": 6,
}
RATES |= {"arms_supply": 4, "rupture": 2, "talks": 8, "withdrawal": 2, "ceasefire": 3, "incident": 4, "weapons_test": 1}
RATES |= {"evacuation": 1}
SHARES = {"asserted": 0.5, "planned": 0.1, "threatened": 0.1, "conditional": 0.04, "speculative": 0.1, "demanded": 0.05}
SHARES |= {"negated": 0.06, "historical": 0.05}
COUNTING = frozenset({"asserted", "planned", "threatened", "conditional"})
SOURCES = ("straitswire", "sarrincourier", "havnpost", "northernherald", "lethevoice", "coastdaily", "capitaltimes")
TOPICS = {"articles": 1900.0, "signals": 420.0, "alerts": 0.5, "alerts.current": 0.5, "dyads": 300.0, "deadletter": 0.4}
"""Messages an hour."""


@dataclass(frozen=True, slots=True)
class Dyad:
    """A dyad's day: its usual score, and what rises above it, and when."""

    code: str
    sides: tuple[str, ...]
    usual: float
    peak: float
    hours_ago: float
    event: EventType
    drill: bool = False

    @property
    def name(self) -> str:
        """As people read it."""
        return " \N{EN DASH} ".join(self.sides)


DYADS = (
    Dyad("RUS-UKR", ("Russia", "Ukraine"), 44, 5, 5, EventType.FORCE),
    Dyad("XBM-XKV", ("Belmora", "Karvenia"), 0.3, 74, 4, EventType.MOBILIZATION, drill=True),
    Dyad("IRN-ISR", ("Iran", "Israel"), 10, 24, 7, EventType.FORCE),
    Dyad("CHN-TWN", ("China", "Taiwan"), 6, 12, 10, EventType.EXERCISE),
    Dyad("IND-PAK", ("India", "Pakistan"), 3, 27, 16, EventType.INCIDENT),
    Dyad("PRK-KOR", ("North Korea", "South Korea"), 4, 10, 20, EventType.WEAPONS_TEST),
    Dyad("CHN-USA", ("China", "United States"), 7, 2, 12, EventType.SANCTION),
    Dyad("RUS-USA", ("Russia", "United States"), 9, -5, 9, EventType.TALKS),
    Dyad("ARM-AZE", ("Armenia", "Azerbaijan"), 4, -3, 14, EventType.WITHDRAWAL),
    Dyad("SRB-XKX", ("Serbia", "Kosovo"), 2, 6, 3, EventType.DEPLOYMENT),
    Dyad("*-RUS", ("Russia", "*"), 3, 1, 6, EventType.DEMAND),
    Dyad("XKV-XNC", ("Karvenia", "Northern Straits Compact"), 0.1, 13, 3, EventType.SANCTION, drill=True),
)


@dataclass(frozen=True, slots=True)
class World:
    """When the processes began, and the moment that the dyads' days are told from; both in Unix time.

    ``pace`` is how many times as much as usual is counted: so that a rate over seconds has something to show.
    """

    began: float
    told_at: float
    pace: float = 1

    @classmethod
    def until(cls, moment: float, *, pace: float = 1) -> World:
        """One that has run for a while at ``moment``."""
        return cls(moment - UPTIME, moment, pace)

    def total(self, an_hour: float, moment: float, *name: str) -> float:
        """A counter that rises by so much an hour, more by day than by night; ``name`` decides at which moments."""
        phase, turn = 2 * math.pi / DAY, moment - self.began
        ahead = crc32("".join(name).encode()) / 2**32 if an_hour else 0
        return math.floor(ahead + self.pace * an_hour / 3600 * (turn + 0.45 / phase * (1 - math.cos(phase * turn))))

    def beats(self, moment: float) -> float:
        """Heartbeats sent: one a minute."""
        return math.floor(self.pace * (moment - self.began) / 60)

    def score(self, dyad: Dyad, moment: float) -> float:
        """The dyad's score."""
        hours = (moment - self.told_at) / 3600 + dyad.hours_ago
        risen = 0.0 if hours < -2 else (1 + hours / 2 if hours < 0 else 0.5 ** (hours / 9))
        ripple = 0.04 * math.sin(moment / 2700 + len(dyad.name)) * dyad.usual
        return max(0.0, dyad.usual + ripple + dyad.peak * risen)

    def level(self, dyad: Dyad, moment: float) -> int:
        """0 calm to 3 critical."""
        score = self.score(dyad, moment)
        return sum(score >= max(bound, 2 * dyad.usual) for bound in (12, 24, 60))

    def signals(self, dyad: Dyad, moment: float) -> dict[EventType, int]:
        """Counted signals of the last 24 hours."""
        score = self.score(dyad, moment)
        found = {dyad.event: int(1 + score * 0.6), EventType.TALKS: int(score / 6) + 1}
        if dyad.usual > 1:
            found[EventType.FORCE] = int(score / 2) + 1
            found[EventType.SANCTION] = int(score / 3)
            found[EventType.DEMAND] = int(score / 4)
        return {event: number for event, number in found.items() if number}


def gauge(name: str, text: str, values: Mapping[tuple[str, ...], float], *labels: str) -> Metric:
    """A gauge; ``values`` by the labels' values."""
    family = GaugeMetricFamily(f"brinkwatch_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def counter(name: str, text: str, values: Mapping[tuple[str, ...], float], *labels: str) -> Metric:
    """A counter, ``_total`` left out of its name."""
    family = CounterMetricFamily(f"brinkwatch_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def histogram(
    name: str, totals: Mapping[tuple[str, ...], tuple[float, float]], *labels: str, wide: float = 2.2
) -> Metric:
    """A histogram of log-normal times; for each set of labels how many, and their median."""
    family = HistogramMetricFamily(f"brinkwatch_{name}", "Times, or sizes.", labels=labels)
    for key, (total, median) in totals.items():
        buckets = [(str(bound), math.floor(total * _below(bound / median, wide))) for bound in LATENCY_BUCKETS]
        family.add_metric(key, [*buckets, ("+Inf", total)], total * median * 1.3)
    return family


def _below(ratio: float, wide: float) -> float:
    return 0.5 * (1 + math.erf(math.log(ratio) / math.log(wide) / math.sqrt(2)))


def connect(world: World, now: float) -> Iterator[Metric]:
    """What the connectors expose."""
    polls = {Outcome.OK: 210.0, Outcome.NOT_MODIFIED: 330.0, Outcome.SERVER_ERROR: 3.0, Outcome.TIMEOUT: 2.0}
    by_outcome = {("feed", each.value): world.total(polls.get(each, 0), now) for each in Outcome}
    total = sum(by_outcome.values())
    yield counter("connect_fetch_attempts", "Polls begun.", {("feed",): total + 1}, "kind")
    yield counter("connect_fetches", "Polls.", by_outcome, "kind", "outcome")
    yield histogram("connect_fetch_seconds", {("feed",): (total, 0.42)}, "kind")
    yield counter("connect_fetched_bytes", "Bytes.", {("feed",): world.total(9e6, now)}, "kind")
    yield histogram("connect_poll_delay_seconds", {(): (total, 0.3)})
    states = {State.OK: 88, State.FAILING: 2, State.STOPPED: 1, State.DISABLED: 3}
    yield gauge("connect_feeds", "Feeds.", {(each.value,): states.get(each, 0) for each in State}, "state")
    yield gauge("connect_list_last_reload_successful", "Good.", {(): 1})
    yield gauge("connect_list_last_reload_success_timestamp_seconds", "When.", {(): world.began})
    entries = {Handling.NEW: 190.0, Handling.UPDATED: 14, Handling.SEEN: 9000, Handling.REPEATED: 3}
    handled = {(each.value,): world.total(entries.get(each, 0), now) for each in Handling}
    yield counter("connect_articles", "Entries.", handled, "outcome")
    for what, age in (("poll", 4), ("success", 6), ("article", 17)):
        yield gauge(f"connect_last_{what}_timestamp_seconds", "When.", {(): now - age - now % 7})
    yield histogram("connect_published_to_fetched_seconds", {(): (handled["new",], 410)}, wide=3)
    yield gauge("connect_unacknowledged_articles", "Sent.", {(): int(now) % 3})
    yield counter("heartbeat_sent", "Heartbeats.", {(): world.beats(now)})
    yield from _beats(world, now, {"connect": 0.05})


def extract(world: World, now: float) -> Iterator[Metric]:
    """What extract exposes."""
    read = {"signals": 40.0, "silent": 38.0, "gated": 117.0, "language": 9.0}
    articles = {(each,): world.total(rate, now) for each, rate in read.items()}
    yield counter("extract_articles", "Articles.", articles, "outcome")
    found = {
        (event.value, modality.value, active): world.total(
            RATES[event] * SHARES[modality] * ((active == "true") is (modality in COUNTING)), now, event, modality
        )
        for event in EventType
        for modality in Modality
        for active in ("true", "false")
    }
    yield counter("extract_signals", "Signals.", found, "event_type", "modality", "active")
    bundles = world.total(900, now)
    yield histogram("extract_bundle_seconds", {(): (bundles, 0.16)})
    yield histogram("extract_bundle_articles", {(): (bundles, 1.6)}, wide=1.8)
    yield histogram("extract_parse_seconds", {(): (bundles, 0.11)})
    restarts = {(cause,): 0 for cause in ("crash", "memory", "server")} | {("stalled",): world.total(0.05, now)}
    yield counter("extract_worker_restarts", "Restarts.", restarts, "cause")
    letters = {("extract.decode", reason): 0.0 for reason in ("too_large", "not_json", "version")}
    letters |= {("extract.decode", "schema"): world.total(0.3, now), ("extract.parse", "stalled"): restarts["stalled",]}
    yield counter("dead_letters", "Dead letters.", letters, "stage", "reason")
    yield histogram("latency_seconds", {("fetched_to_signal",): (articles["signals",], 0.7)}, "stage")
    yield from _job(now, "extract")
    yield from _beats(world, now, {"extract": 0.9})


def score(world: World, now: float) -> Iterator[Metric]:
    """What the active score exposes."""
    outcomes = {
        ("applied",): world.total(44, now),
        ("repeated",): world.total(0.4, now),
        ("inactive",): world.total(18, now),
    }
    yield counter("score_signals", "Signals.", outcomes, "outcome")
    yield counter("score_near_duplicates", "Of a story counted.", {(): world.total(13, now)})
    bundles = world.total(700, now)
    yield histogram("score_bundle_seconds", {(): (bundles, 0.03)})
    yield histogram("score_bundle_signals", {(): (bundles, 1.4)}, wide=1.8)
    yield gauge("score_active", "Active.", {(): 1})
    yield counter("alerts", "Transitions.", _transitions(world, now), "rule", "transition", "level")
    levels = {dyad: world.level(dyad, now) for dyad in DYADS}
    names = [level.value for level in Level]
    at = {(name,): sum(level == step for level in levels.values()) for step, name in enumerate(names)}
    yield gauge("open_alerts", "Open.", {key: at[key] for key in at if key != ("calm",)}, "level")
    yield gauge("dyads_at_level", "Dyads.", at | {("calm",): 402 - sum(at.values())}, "level")
    yield gauge("dyads", "Dyads.", {(): 402})
    yield from _dyads(world, now)
    sources = {
        (f"{name}.example",): int(61 / (place + 1.4) + 3 * math.sin(now / 9000)) for place, name in enumerate(SOURCES)
    }
    yield gauge("source_signals", "Signals of 24 h.", sources, "source")
    yield gauge("rules_last_reload_successful", "Good.", {(): 1})
    yield gauge("rules_last_reload_success_timestamp_seconds", "When.", {(): world.began})
    yield counter(
        "dead_letters",
        "Dead letters.",
        {("score.decode", "schema"): 0, ("score.decode", "future"): 0},
        "stage",
        "reason",
    )
    yield histogram("latency_seconds", {("fetched_to_alert",): (outcomes["applied",], 1.4)}, "stage")
    yield from _job(now, "score")
    yield from _beats(world, now, {"score": 1.6})


def _dyads(world: World, now: float) -> Iterator[Metric]:
    scores = {(dyad.code,): world.score(dyad, now) for dyad in DYADS}
    yield gauge("dyad_score", "Score.", scores, "dyad")
    yield gauge("dyad_baseline", "Baseline.", {(dyad.code,): dyad.usual for dyad in DYADS}, "dyad")
    yield gauge("dyad_level", "Level.", {(dyad.code,): world.level(dyad, now) for dyad in DYADS}, "dyad")
    yield gauge("dyad_sources", "Sources.", {key: int(2 + value**0.7) for key, value in scores.items()}, "dyad")
    info = {(dyad.code, dyad.name, str(dyad.drill).lower()): 1.0 for dyad in DYADS}
    yield gauge("dyad_info", "Names.", info, "dyad", "name", "drill")
    found = {(dyad.code, event.value): n for dyad in DYADS for event, n in world.signals(dyad, now).items()}
    yield gauge("dyad_signals", "Signals of 24 h.", found, "dyad", "event_type")


def _transitions(world: World, now: float) -> dict[tuple[str, ...], float]:
    counts = {("escalation", each.value, level.value): 0.0 for each in Transition for level in Level}
    for moment, transition, level in _told(world):
        if moment <= now:
            counts["escalation", transition, level] += 1
    return counts


@cache
def _told(world: World) -> tuple[tuple[float, str, str], ...]:
    """When which transition, of the two days before and the day after; looked at every five minutes."""
    told, names = [], tuple(level.value for level in Level)
    for dyad in DYADS:
        before = 0
        for moment in range(int(world.told_at - 2 * DAY), int(world.told_at + DAY), 300):
            level = world.level(dyad, moment)
            if level != before:
                kind = Transition.RAISED if not before else Transition.UPDATED if level else Transition.RESOLVED
                told.append((moment, kind.value, names[level]))
            before = level
    return tuple(told)


def notify(world: World, now: float) -> Iterator[Metric]:
    """What notify exposes, of one receiver."""
    sent = world.total(0.5, now)
    yield counter(
        "notify_attempts", "Tries.", {("desk", "delivered"): sent + 1, ("desk", "retry"): 1}, "receiver", "outcome"
    )
    yield counter(
        "notify_alerts", "Alerts.", {("desk", "delivered"): sent + 1, ("desk", "filtered"): 2}, "receiver", "outcome"
    )
    yield histogram("notify_delivery_seconds", {("desk",): (world.total(60, now), 0.3)}, "receiver")
    yield gauge("notify_last_success_timestamp_seconds", "When.", {("desk",): now - 900}, "receiver")
    yield gauge("notify_waiting_alerts", "Waiting.", {("desk",): 0}, "receiver")


def monitor(world: World, now: float) -> Iterator[Metric]:
    """What the broker's monitor exposes."""
    yield gauge("broker_up", "Up.", {(): 1})
    yield gauge("brokers", "Brokers.", {(): 1})
    yield gauge("broker_last_contact_timestamp_seconds", "When.", {(): now - 5})
    ends = {(f"brinkwatch.{name}.v1",): world.total(rate / 9, now) for name, rate in TOPICS.items()}
    sizes = {key: end * 3100 for key, end in ends.items()}
    yield gauge("broker_topic_bytes", "Bytes.", sizes, "topic")
    yield gauge("broker_log_dir_size_bytes", "Bytes.", {("1",): sum(sizes.values()) * 1.1}, "broker")
    yield gauge("broker_log_dir_usable_bytes", "Bytes.", {("1",): 41 * GIB - sum(sizes.values())}, "broker")
    yield gauge("broker_under_replicated_partitions", "Partitions.", {(): 0})
    yield gauge("broker_offline_partitions", "Partitions.", {(): 0})
    yield counter("topic_messages", "Messages.", ends, "topic")
    groups = {("brinkwatch.extract", "brinkwatch.articles.v1"): 3, ("brinkwatch.score", "brinkwatch.signals.v1"): 5}
    groups |= {("brinkwatch.notify.desk", "brinkwatch.alerts.v1"): 2}
    behind = {key: float(int(now / 31) % most) for key, most in groups.items()}
    yield gauge("consumer_lag_messages", "Messages.", behind, "group", "topic")
    yield gauge("consumer_lag_seconds", "Seconds.", {key: each * 0.4 for key, each in behind.items()}, "group", "topic")
    yield gauge("consumer_members", "Members.", {(group,): 1 for group, _ in groups}, "group")


def up(world: World, now: float) -> Iterator[Metric]:
    """What the local supervisor exposes."""
    names = ("kafka", "connect", "extract", "score", "notify", "monitor")
    restarts = {(name,): float(name == "extract") for name in names}
    yield counter("supervisor_restarts", "Restarts.", restarts, "process")
    yield gauge("supervisor_up", "Up.", {(name,): 1 for name in names}, "process")


def _beats(world: World, now: float, stages: Mapping[str, float]) -> Iterator[Metric]:
    sent = world.beats(now)
    last = {(stage,): now - (now - world.began) % 60 for stage in stages}
    yield gauge("heartbeat_last_timestamp_seconds", "When.", last, "stage")
    yield histogram("heartbeat_seconds", {(stage,): (sent, median) for stage, median in stages.items()}, "stage")


def _job(now: float, process: str) -> Iterator[Metric]:
    yield gauge("event_time_seconds", "When.", {(process,): now - 12}, "process")
    yield gauge("event_time_lag_seconds", "Lag.", {(process,): 0.3 * (int(now / 45) % 4)}, "process")
    yield gauge("last_bundle_timestamp_seconds", "When.", {(process,): now - now % 9}, "process")
    yield gauge("runner_up", "Up.", {(process,): 1}, "process")


def common(world: World, now: float, process: str) -> Iterator[Metric]:
    """What every process exposes."""
    place = list(PROCESSES).index(process)
    yield gauge("kafka_up", "Up.", {(process,): 1}, "process")
    yield gauge("ready", "Ready.", {(process,): 1}, "process")
    yield gauge("build_info", "Build.", {("0.1.0", "3.11.7"): 1}, "version", "python")
    family = CounterMetricFamily("process_cpu_seconds", "CPU.", value=(now - world.began) * 0.02 * (place + 1))
    yield family
    memory = (120 + 130 * place % 700 + 9 * math.sin(now / 3000 + place)) * 1024**2
    own = {
        "resident_memory_bytes": memory,
        "virtual_memory_bytes": memory * 4,
        "start_time_seconds": world.began + place,
    }
    own |= {"open_fds": 30 + 9 * place, "max_fds": 65536}
    for name, value in own.items():
        yield GaugeMetricFamily(f"process_{name}", "Process.", value=value)


PROCESSES: dict[str, Callable[[World, float], Iterator[Metric]]] = {
    "up": up,
    "connect": connect,
    "extract": extract,
    "score": score,
    "notify": notify,
    "monitor": monitor,
}
