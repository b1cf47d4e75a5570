"""The dashboard *World*: for an analyst, who asks where something is building up, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard

from deploy.grafana import queries
from deploy.grafana.charts import Style, lines, timeline
from deploy.grafana.figures import Look, figure, ranking
from deploy.grafana.frame import Row, framed
from deploy.grafana.palette import (
    BAD,
    CRITICAL,
    EVENT_TYPES,
    FAINT,
    GOOD,
    LEVELS,
    MODALITIES,
    NEUTRAL,
    POOR,
    TRANSITIONS,
)
from deploy.grafana.panels import Query, Ready, Size, Text
from deploy.grafana.queries import LEVEL_CELLS, LEVEL_TEXT, LEVEL_WORDS, grown, highest, named
from deploy.grafana.tables import Column, grid

if TYPE_CHECKING:
    from deploy.grafana.frame import Variable

ALARMS = {name: LEVELS[name] for name in ("watch", "warning", "critical")}
TO_DYAD = (
    "/d/brinkwatch-dyad?var-dyad=${__data.fields.Code}&${drill:queryparam}&${sides:queryparam}&${__url_time_range}"
)
FOUND = "brinkwatch_extract_signals_total"
FULL = 60.0
"""A bar as long as its cell: where the shipped rule ``escalation`` raises *critical*. A quiet world has short bars."""
FALLS_RISES = ((-1e9, GOOD), (-1.0, "text"), (1.0, POOR), (10.0, CRITICAL))


def shown() -> list[Variable]:
    """Which dyads are shown: those of the drill or not, those with a side that is not named or not."""
    return [
        _choice("drill", "Show", {"world and drill": "true|false", "world": "false", "drill": "true"}),
        _choice("sides", "Sides", {"both named": "[^*]+", "all": ".+"}),
    ]


def _choice(name: str, label: str, values: dict[str, str]) -> Variable:
    """A variable of a few words, each with its regular expression; the first is chosen at first."""
    word, value = next(iter(values.items()))
    first = dashboard.VariableOption(text=word, value=value, selected=True)
    listed = ", ".join(f"{word} : {value}" for word, value in values.items())
    return build.CustomVariable(name).label(label).values(listed).current(first)


def _now() -> Row:
    return Row("Now", [_dyads_by_level(), _open_alert_count(), _highest_score(), _signals_counted(), _news_delay()])


def _dyads_by_level() -> Ready:
    text = Text(
        "Dyads by level",
        "How many dyads stand at which level, those with a side that is not named too. A dyad is a pair of actors.",
        "few above calm, and you know why.",
        "look at the table below: it is ordered by score.",
    )
    return figure(
        text,
        [Query(f'max(brinkwatch_dyads_at_level{{level="{name}"}})', name) for name in reversed(LEVELS)],
        unit="none",
        size=Size(8, 4),
        look=Look(colours=LEVELS, graph=False),
    )


def _open_alert_count() -> Ready:
    text = Text(
        "Open alerts",
        "Alerts that are raised and not resolved, by their level now.",
        "none that you have not read.",
        "`brinkwatch alerts` prints each with its sentences and sources.",
    )
    return figure(
        text,
        [Query(f'max(brinkwatch_open_alerts{{level="{name}"}})', name) for name in reversed(ALARMS)],
        unit="none",
        size=Size(6, 4),
        look=Look(colours=ALARMS, graph=False),
    )


def _highest_score() -> Ready:
    text = Text(
        "Highest score",
        "The dyad with the highest score. High is not yet unusual: that is how far it stands above its baseline.",
        "the same dyad as last week, near its baseline.",
        "follow its name in the table to its own dashboard.",
    )
    return figure(
        text,
        [Query(f"topk(1, {named(queries.SCORE)})", "{{name}}")],
        unit="none",
        size=Size(4, 4),
        look=Look(decimals=1, graph=False),
    )


def _signals_counted() -> Ready:
    text = Text(
        "Signals, 24 h",
        "Signals of the last 24 hours that count, of the dyads that are shown.",
        "about as many as yesterday.",
        "with few, look whether articles come in: dashboard Ingestion.",
    )
    total = f"sum({queries.SIGNALS} * on (dyad) group_left () {queries.NAMES}) or vector(0)"
    return figure(text, [Query(total)], unit="none")


def _news_delay() -> Ready:
    text = Text(
        "News is late by",
        "Age of the oldest article or signal that was waiting when it was last read.",
        "seconds.",
        "what you see here is that old; dashboard Pipeline says which stage is behind.",
        runbook="BrinkwatchLagHigh",
    )
    late = Look(steps=((60, POOR), (300, BAD)), below=GOOD, decimals=0)
    return figure(text, [Query("max(brinkwatch_event_time_lag_seconds)")], unit="s", look=late)


def dyads(size: Size) -> Ready:
    """The table of dyads."""
    text = Text(
        "Dyads",
        "The dyads that matter most: the highest scores, and all with an open alert; a bar is full at 60. Change is "
        "against the score a day ago; where none was measured then, against the baseline, what the score usually is. "
        "Dyads with a side that is not named are hidden, unless *Sides* at the top says all.",
        "scores near their baselines, and changes that you can explain.",
        "a click on a name opens the dyad: what was told, and since when.",
    )
    counted = f"(sum by (dyad) ({queries.SIGNALS}) or 0 * {queries.SCORE})"
    return grid(
        text,
        [
            Column("Dyad", label="name", link=TO_DYAD),
            Column("Code", label="dyad", width=120),
            Column("Level", named(queries.LEVEL), width=90, cell="color-background", meanings=LEVEL_CELLS),
            Column("Score", named(queries.SCORE), width=230, decimals=1, cell="gauge", below=NEUTRAL, full=FULL),
            Column("Baseline", named(queries.BASELINE), width=90, decimals=1),
            Column(
                "Change", named(queries.CHANGE), width=90, decimals=1, cell="color-text", steps=FALLS_RISES, below=GOOD
            ),
            Column("Sources", named(queries.SOURCES), width=90, decimals=0),
            Column("Signals 24 h", named(counted), width=110, decimals=0),
        ],
        size=size,
        sort="Score",
    )


def _table() -> Row:
    return Row("Dyads", [dyads(Size(24, 11)), _scores_and_baselines(), _levels()])


def _scores_and_baselines() -> Ready:
    text = Text(
        "Score against baseline, highest dyads",
        "Scores of the five dyads that reached most in the range; dashed, their baselines.",
        "lines that run along their dashed ones.",
        "a line that leaves its baseline is what alerts are raised for; open the dyad from the table.",
    )
    five = highest(queries.SCORE, 5)
    return lines(
        text,
        [
            Query(named(f"({five})"), "{{name}}"),
            Query(named(f"({highest(queries.BASELINE, 5)})"), "{{name}}, baseline"),
        ],
        unit="none",
        size=Size(12, 9),
        style=Style(faint="B", decimals=1),
    )


def _levels() -> Ready:
    text = Text(
        "Levels of the highest dyads",
        "Level of the gravest open alert, by whichever rule, of each of the eight dyads that reached most.",
        "long bands of one colour.",
        "a band that turns orange or red is an alert that was raised or went up; the marks on the charts say when.",
    )
    return timeline(
        text,
        [Query(named(f"({highest(queries.LEVEL, 8)})"), "{{name}}")],
        meanings=LEVEL_WORDS,
        size=Size(12, 9),
    )


def _moved(expr: str) -> str:
    return named(f"({expr} and on (dyad) topk(8, abs({queries.CHANGE}) * on (dyad) group_left () {queries.NAMES}))")


def _changes() -> Row:
    return Row("Since yesterday", [_changed_dyads(), _most_cited_sources()])


def _changed_dyads() -> Ready:
    text = Text(
        "What changed since yesterday",
        "The eight dyads whose scores moved most against a day ago. On the first day nothing was measured a day ago: "
        "then the baseline, what is usual for the dyad, stands in its place.",
        "small changes, and falls.",
        "a rise with several sources is news; one with a single source may be a single article.",
    )
    level_then = f"(max by (dyad) (brinkwatch_dyad_level offset 1d) or 0 * {queries.LEVEL})"
    return grid(
        text,
        [
            Column("Dyad", label="name", link=TO_DYAD),
            Column("Code", label="dyad", hidden=True),
            Column("Level then", _moved(level_then), width=88, cell="color-text", meanings=LEVEL_TEXT),
            Column("Level now", _moved(queries.LEVEL), width=84, cell="color-background", meanings=LEVEL_CELLS),
            Column("Score then", _moved(queries.YESTERDAY), width=88, decimals=1),
            Column("Score now", _moved(queries.SCORE), width=88, decimals=1),
            Column(
                "Change",
                _moved(queries.CHANGE),
                width=76,
                decimals=1,
                cell="color-text",
                steps=FALLS_RISES,
                below=GOOD,
            ),
        ],
        size=Size(14, 10),
        sort="Change",
    )


def _most_cited_sources() -> Ready:
    text = Text(
        "Most cited sources",
        "Counted signals of the last 24 hours, by the outlet that told them.",
        "many outlets, none far ahead.",
        "one that dwarfs the rest may be a feed that repeats itself; or others have stopped: dashboard Ingestion.",
    )
    return ranking(
        text,
        Query("sort_desc(topk(10, max by (source) (brinkwatch_source_signals)))", "{{source}}"),
        unit="none",
        size=Size(10, 10),
        look=Look(decimals=0),
    )


def _told() -> Row:
    return Row("What is told", [_signals_by_type(), _signals_by_modality(), _signals_that_count()])


def _signals_by_type() -> Ready:
    text = Text(
        "Signals by type, last 24 h",
        "At each moment, the counted signals of the 24 hours before it, by event type; of the dyads that are shown.",
        "a slow tide.",
        "reds and oranges that swell are force and preparation for it; blues and greens are what calms.",
    )
    by_type = f"sum by (event_type) ({queries.SIGNALS} * on (dyad) group_left () {queries.NAMES})"
    return lines(
        text,
        [Query(by_type, "{{event_type}}")],
        unit="none",
        size=Size(10, 10),
        style=Style(stacked=True, colours=EVENT_TYPES, beside=True, decimals=0),
    )


def _signals_by_modality() -> Ready:
    text = Text(
        "Signals by modality",
        "Signals found in the hour before, by the way in which the sentence holds the event to be true.",
        "asserted is most, the others are there.",
        "a wave of speculative or negated is talk, and does not count; one of threatened or planned does.",
    )
    return lines(
        text,
        [Query(grown(FOUND, "1h", "modality"), "{{modality}}")],
        unit="none",
        size=Size(7, 10),
        style=Style(stacked=True, colours=MODALITIES, decimals=0),
    )


def _signals_that_count() -> Ready:
    text = Text(
        "Signals that count, and that do not",
        "Signals found in the hour before. What is negated, historical, demanded or speculative counts not.",
        "about a third does not count.",
        "with hardly any that count, look at a few articles with `brinkwatch extract --explain`.",
    )
    return lines(
        text,
        [
            Query(grown(FOUND, "1h", where='active="true"'), "count"),
            Query(grown(FOUND, "1h", where='active="false"'), "do not count"),
        ],
        unit="none",
        size=Size(7, 10),
        style=Style(stacked=True, colours={"count": CRITICAL, "do not count": FAINT}, decimals=0),
    )


def _alerts() -> Row:
    return Row("Alerts", [_open_alerts(), _transitions(), _transitions_by_rule()])


def _open_alerts() -> Ready:
    text = Text(
        "Open alerts",
        "Alerts open at each moment, by level.",
        "they come and go; a few stay for days where a crisis does.",
        "many at once is a day on which to read; or rules that are too eager: `brinkwatch alerts test` tries others.",
    )
    return lines(
        text,
        [Query(f'max(brinkwatch_open_alerts{{level="{name}"}})', name) for name in ALARMS],
        unit="none",
        size=Size(8, 8),
        style=Style(stacked=True, stepped=True, colours=ALARMS, decimals=0),
    )


def _transitions() -> Ready:
    text = Text(
        "Transitions of alerts",
        "How many alerts were raised, updated and resolved in the hour before each moment.",
        "few.",
        "the same alert up and down again and again asks for a longer `clear_for` in its rule.",
    )
    before = {name: grown("brinkwatch_alerts_total", "1h", where=_is(name)) for name in TRANSITIONS}
    return lines(
        text,
        [Query(expr, name) for name, expr in before.items()],
        unit="none",
        size=Size(8, 8),
        style=Style(stacked=True, stepped=True, colours=TRANSITIONS, decimals=0),
    )


def _transitions_by_rule() -> Ready:
    text = Text(
        "Transitions by rule",
        "Alerts raised, updated and resolved in the range, by rule.",
        "every rule that you wrote has told something in a month.",
        "a rule that tells most of it, of things nobody minds, has too low a floor.",
    )
    columns = [
        Column(
            name.title(), grown("brinkwatch_alerts_total", "$__range", "rule", where=_is(name)), width=76, decimals=0
        )
        for name in TRANSITIONS
    ]
    return grid(text, [Column("Rule", label="rule"), *columns], size=Size(8, 8), sort="Raised")


def _is(transition: str) -> str:
    return f'transition="{transition}"'


def world() -> dashboard.Dashboard:
    """The dashboard."""
    return framed(
        "world",
        "World",
        "Which dyads stand out, since when, and what is told of them.",
        since="now-24h",
        rows=[_now(), _table(), _changes(), _told(), _alerts()],
        variables=shown(),
    )
