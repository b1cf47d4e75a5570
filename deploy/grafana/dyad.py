"""The dashboard *Dyad*: one pair of actors in full, and others beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard

from deploy.grafana import queries
from deploy.grafana.charts import Style, lines, timeline
from deploy.grafana.figures import Look, figure, ranking
from deploy.grafana.frame import Row, framed
from deploy.grafana.palette import CRITICAL, EVENT_TYPES, GOOD, NEUTRAL, POOR, WARNING
from deploy.grafana.panels import SOURCE, Query, Ready, Size, Text
from deploy.grafana.queries import LEVEL_CELLS, LEVEL_WORDS, named
from deploy.grafana.tables import Column, grid
from deploy.grafana.world import FALLS_RISES, TO_DYAD, shown

if TYPE_CHECKING:
    from deploy.grafana.frame import Variable

ALL = ".*"
BY_TYPE = 'max by (event_type) (brinkwatch_dyad_signals{dyad="$dyad"})'
CHOSEN = 'max by (dyad) (brinkwatch_dyad_{}{{dyad=~"$compare"}})'.format
LISTED = f"query_result(sort_desc({named(queries.SCORE)}))"
AS_OPTION = '/dyad="(?<value>[^"]+)",name="(?<text>[^"]+)"/'


def _variables() -> list[Variable]:
    """The dyad, and those to compare it with; both in the order of their scores."""
    reload = dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED

    def listed(name: str, label: str) -> build.QueryVariable:
        made = build.QueryVariable(name).label(label).datasource(SOURCE).query({"query": LISTED, "refId": name})
        return made.regex(AS_OPTION).refresh(reload).sort(dashboard.VariableSort.DISABLED)

    everything = dashboard.VariableOption(text=["All"], value=["$__all"])
    compared = listed("compare", "Compare with").multi(multi=True).include_all(include_all=True)
    return [*shown(), listed("dyad", "Dyad"), compared.all_value(ALL).current(everything)]


def _of(what: str) -> str:
    return f'max(brinkwatch_dyad_{what}{{dyad="$dyad"}})'


def _change() -> str:
    return f'{_of("score")} - (max(brinkwatch_dyad_score{{dyad="$dyad"}} offset 1d) or {_of("baseline")})'


def _now() -> Row:
    return Row("$dyad now", [_name_now(), _level_now(), _score_now(), _baseline_now(), _change_now(), _sources_now()])


def _name_now() -> Ready:
    text = Text(
        "Dyad",
        "The two sides. `*` in a code is a side that the news does not name.",
        "it is the dyad that you meant.",
        "choose another at the top of the page.",
    )
    return figure(
        text,
        [Query('max by (name) (brinkwatch_dyad_info{dyad="$dyad"})', "{{name}}")],
        unit="none",
        size=Size(8, 4),
        look=Look(graph=False, name_only=True),
    )


def _level_now() -> Ready:
    text = Text(
        "Level",
        "Level of its gravest open alert, by whichever rule: `forewarning` goes by what is feared, not by the score.",
        "calm.",
        "`brinkwatch watch` shows the sentences that it rests on.",
    )
    return figure(
        text, [Query(_of("level"))], unit="none", size=Size(4, 4), look=Look(meanings=LEVEL_WORDS, graph=False)
    )


def _score_now() -> Ready:
    text = Text(
        "Score",
        "Severity of what is told, decayed with time, each story counted once.",
        "near the baseline.",
        "see below what it is made of.",
    )
    return figure(text, [Query(_of("score"))], unit="none", look=Look(decimals=1))


def _baseline_now() -> Ready:
    text = Text(
        "Baseline",
        "What the score has usually been, over weeks.",
        "it hardly moves within a day.",
        "one that climbs for days means that the unusual is becoming usual.",
    )
    return figure(text, [Query(_of("baseline"))], unit="none", look=Look(decimals=1))


def _change_now() -> Ready:
    text = Text(
        "24 h change",
        "Score now, less the score a day ago; on the first day, less the baseline.",
        "about 0, or a fall.",
        "a rise by one source only may be a single article: see how many sources there are.",
    )
    return figure(text, [Query(_change())], unit="none", look=Look(FALLS_RISES[1:], GOOD, decimals=1))


def _sources_now() -> Ready:
    text = Text(
        "Sources",
        "Independent sources of what counts now.",
        "for a high score, several.",
        "a high score by one source raises no alert: rules ask for more.",
    )
    return figure(text, [Query(_of("sources"))], unit="none", look=Look(decimals=0))


def _course() -> Row:
    return Row("Its course", [_score_course(), _source_course(), _level_course()])


def _score_course() -> Ready:
    text = Text(
        "Score against baseline",
        "The score, and what is usual. Marks are transitions of alerts, of any dyad.",
        "the two run together.",
        "compare the time of a rise with what was published then: `brinkwatch watch`, or the topic of signals.",
    )
    return lines(
        text,
        [Query(_of("score"), "score"), Query(_of("baseline"), "baseline")],
        unit="none",
        size=Size(16, 9),
        style=Style(fill=15, colours={"score": WARNING, "baseline": NEUTRAL}, decimals=1),
    )


def _source_course() -> Ready:
    text = Text(
        "Sources",
        "Independent sources of what counts, at each moment.",
        "it rises with the score.",
        "a score that rises while this does not is one outlet's story.",
    )
    return lines(
        text,
        [Query(_of("sources"), "sources")],
        unit="none",
        size=Size(8, 9),
        style=Style(fill=15, stepped=True, colours={"sources": NEUTRAL}, decimals=0),
    )


def _level_course() -> Ready:
    text = Text(
        "Level",
        "Level of the dyad's gravest open alert, by whichever rule, at each moment.",
        "one calm band.",
        "a band that changes often asks for a longer `hold_for` or `clear_for` in the rule.",
    )
    return timeline(text, [Query(_of("level"), "level")], meanings=LEVEL_WORDS, size=Size(24, 4))


def _made_of() -> Row:
    return Row("What it is made of", [_types_over_time(), _types_today()])


def _types_over_time() -> Ready:
    text = Text(
        "Signals by type, last 24 h",
        "At each moment, the counted signals of the 24 hours before it, by event type.",
        "few, and talks among them.",
        "reds are force, oranges preparation for it, purples politics, blues and greens what calms.",
    )
    return lines(
        text,
        [Query(BY_TYPE, "{{event_type}}")],
        unit="none",
        size=Size(16, 9),
        style=Style(stacked=True, stepped=True, colours=EVENT_TYPES, beside=True, decimals=0),
    )


def _types_today() -> Ready:
    text = Text(
        "Signals by type, now",
        "Counted signals of the last 24 hours, most first.",
        "nothing of force.",
        "`brinkwatch watch` prints the sentences; `brinkwatch extract --explain` says why a sentence counts.",
    )
    return ranking(
        text,
        Query(f"sort_desc({BY_TYPE})", "{{event_type}}"),
        unit="none",
        size=Size(8, 9),
        look=Look(colours=EVENT_TYPES, decimals=0),
    )


def _compared() -> Row:
    return Row("Compared", [_scores_compared(), _side_by_side()])


def _scores_compared() -> Ready:
    text = Text(
        "Scores compared",
        "Scores of the dyads chosen under *Compare with*: the ten of them that reached most in the range.",
        "they move on their own.",
        "dyads that rise together often tell one story: an ally's support, a bloc's sanctions.",
    )
    return lines(
        text,
        [Query(named(f"({queries.highest(CHOSEN('score'), 10)})"), "{{name}}")],
        unit="none",
        size=Size(12, 10),
        style=Style(decimals=1, fill=0),
    )


def _side_by_side() -> Ready:
    text = Text(
        "Side by side",
        "The dyads chosen under *Compare with*, as they stand now.",
        "nothing stands out.",
        "a click on a name makes it the dyad of this page.",
    )
    return grid(
        text,
        [
            Column("Dyad", label="name", link=TO_DYAD),
            Column("Code", label="dyad", hidden=True),
            Column("Level", named(CHOSEN("level")), width=84, cell="color-background", meanings=LEVEL_CELLS),
            Column("Score", named(CHOSEN("score")), width=64, decimals=1),
            Column(
                "Above baseline",
                named(f"({CHOSEN('score')} - {CHOSEN('baseline')})"),
                width=118,
                decimals=1,
                cell="color-text",
                steps=((3.0, POOR), (12.0, CRITICAL)),
            ),
            Column("Sources", named(CHOSEN("sources")), width=72, decimals=0),
        ],
        size=Size(12, 10),
        sort="Score",
    )


def dyad() -> dashboard.Dashboard:
    """The dashboard."""
    return framed(
        "dyad",
        "Dyad",
        "One pair of actors: its score, what it is made of, and others beside it.",
        since="now-24h",
        rows=[_now(), _course(), _made_of(), _compared()],
        variables=_variables(),
    )
