"""Content: everything that a report shows, gathered and bounded; how it looks is decided elsewhere."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.alerts import LEVELS, AlertRules
from pipeline.evaluation.episodes import Episode, episodes
from pipeline.evaluation.lead_time import Judged
from pipeline.records import Alert, EventType, Level, Modality, Signal
from pipeline.timeline import Point

MAX_PANELS = 24
"""Dyads with a chart, the gravest: more is no report but a listing, for which there is ``--alerts``."""
MAX_EPISODES = 20
"""Episodes shown of a dyad, the latest."""
MAX_ROWS = 100
Thresholds = tuple[tuple[Level, float], ...]
Period = tuple[datetime, datetime]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tally:
    """A row of the summary.

    Attributes:
        dyad: Which.
        articles: Distinct articles with a signal of it.
        signals, active: Its signals, and how many of them count.
        alerts: Episodes.
        level: The highest that one reached.
        peak: Highest score at any transition or moment that is known.
    """

    dyad: str
    articles: int
    signals: int
    active: int
    alerts: int
    level: Level
    peak: float


@dataclass(frozen=True, slots=True)
class Panel:
    """A dyad with an alert.

    Attributes:
        tally: Its row.
        points: Its score over time.
        thresholds: At which score the rule of its gravest episode raises each level.
        alerts: Every transition of its episodes, in order of time.
        episodes: Its latest episodes, in order of time.
        left_out: How many earlier ones there are.
        events: When a dated event of the dyad began, where alerts are held against some.
    """

    tally: Tally
    points: Sequence[Point]
    thresholds: Thresholds
    alerts: tuple[Alert, ...]
    episodes: tuple[Episode, ...]
    left_out: int
    events: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """A report.

    Attributes:
        name: What was replayed.
        articles: How many articles.
        begins, ends: The time that they cover; None without an article.
        kinds: Signals by type and modality, each signal once.
        tallies: A row for each dyad, the gravest first, at most ``MAX_ROWS``.
        rows_left_out: How many dyads have no row.
        panels: The gravest dyads with an alert.
        panels_left_out: How many dyads with an alert have no panel.
        judged: The alerts held against dated events, if there were some.
    """

    name: str
    articles: int
    begins: datetime | None
    ends: datetime | None
    kinds: Mapping[tuple[EventType, Modality], int]
    tallies: tuple[Tally, ...]
    rows_left_out: int
    panels: tuple[Panel, ...]
    panels_left_out: int
    judged: Judged | None = None

    @property
    def period(self) -> Period:
        """The time that the articles cover; a moment long past where there is none."""
        return (self.begins or _EPOCH, self.ends or _EPOCH + timedelta(hours=1))

    @property
    def title(self) -> str:
        """How many alerts, on how many dyads."""
        alerts, dyads = sum(tally.alerts for tally in self.tallies), sum(bool(tally.alerts) for tally in self.tallies)
        return f"{many(alerts, 'alert')} on {many(dyads, 'dyad')}" if alerts else "No alerts"

    @property
    def signals(self) -> int:
        """How many signals."""
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class Source:
    """What a report is made of: as ``pipeline.replay.Replayed`` has it, and the scores over time."""

    name: str
    articles: int
    begins: datetime | None
    ends: datetime | None
    signals: Sequence[tuple[str, Signal]]
    alerts: Sequence[Alert]
    points: Mapping[str, Sequence[Point]]


def many(count: int, what: str) -> str:
    """``1 alert``, ``2 alerts``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def gather(source: Source, rules: AlertRules, judged: Judged | None = None) -> Content:
    """The report of a replay."""
    found: defaultdict[str, list[Episode]] = defaultdict(list)
    for episode in episodes(source.alerts):
        found[episode.dyad].append(episode)
    tallies = sorted(_tallies(source, found), key=lambda each: (-each.level.rank, -each.peak, -each.signals, each.dyad))
    grave = [tally for tally in tallies if tally.alerts]
    return Content(
        name=source.name,
        articles=source.articles,
        begins=source.begins,
        ends=source.ends,
        kinds=_kinds(signal for _, signal in source.signals),
        tallies=tuple(tallies[:MAX_ROWS]),
        rows_left_out=max(0, len(tallies) - MAX_ROWS),
        panels=tuple(panel(each, found[each.dyad], source, rules, judged) for each in grave[:MAX_PANELS]),
        panels_left_out=max(0, len(grave) - MAX_PANELS),
        judged=judged,
    )


def panel(
    tally: Tally, found: Sequence[Episode], source: Source, rules: AlertRules, judged: Judged | None = None
) -> Panel:
    """A dyad's part of the report."""
    gravest = max(found, key=lambda episode: (episode.peak.level.rank, episode.peak.score))
    alerts = sorted((alert for each in found for alert in each.alerts), key=lambda alert: (alert.at, alert.sequence))
    return Panel(
        tally=tally,
        points=source.points.get(tally.dyad, ()),
        thresholds=thresholds(rules, gravest.first.rule),
        alerts=tuple(alerts),
        episodes=tuple(found[-MAX_EPISODES:]),
        left_out=max(0, len(found) - MAX_EPISODES),
        events=tuple(each.event.begins for each in judged.outcomes if each.event.dyad == tally.dyad) if judged else (),
    )


def thresholds(rules: AlertRules, name: str) -> Thresholds:
    """The score at which a rule raises each of its levels."""
    rule = next((rule for rule in rules.rules if rule.name == name), None)
    if rule is None:
        return ()
    pairs = zip(LEVELS, rule.levels.thresholds, strict=True)
    return tuple((Level(level), threshold.raise_at) for level, threshold in pairs if threshold is not None)


def _kinds(signals: Iterable[Signal]) -> dict[tuple[EventType, Modality], int]:
    """How many of each kind; a signal stands under each of its dyads and counts once."""
    once = {signal.signal_id: (signal.event_type, signal.modality) for signal in signals}
    return dict(Counter(once.values()))


def _tallies(source: Source, found: Mapping[str, Sequence[Episode]]) -> Iterable[Tally]:
    signals: defaultdict[str, list[Signal]] = defaultdict(list)
    for dyad, signal in source.signals:
        signals[dyad].append(signal)
    for dyad, told in signals.items():
        own = found.get(dyad, ())
        yield Tally(
            dyad=dyad,
            articles=len({signal.article_id for signal in told}),
            signals=len(told),
            active=sum(signal.active for signal in told),
            alerts=len(own),
            level=max((each.peak.level for each in own), key=lambda level: level.rank, default=Level.CALM),
            peak=max(_scores(source, dyad, own), default=0.0),
        )


def _scores(source: Source, dyad: str, found: Iterable[Episode]) -> Iterable[float]:
    yield from (point.score for point in source.points.get(dyad, ()))
    yield from (alert.score for episode in found for alert in episode.alerts)
