"""PromQL that panels are made of. Where two processes tell the same, as at a takeover, the higher value counts."""

from __future__ import annotations

from deploy.grafana.palette import CALM, CRITICAL, GOOD, WARNING, WATCH
from deploy.grafana.panels import Query

LEVEL_WORDS = {0.0: ("calm", CALM), 1.0: ("watch", WATCH), 2.0: ("warning", WARNING), 3.0: ("critical", CRITICAL)}
LEVEL_CELLS = {**LEVEL_WORDS, 0.0: ("calm", "transparent")}
"""As the ground of a cell: most dyads are calm, and a column of green would drown the others."""
LEVEL_TEXT = {**LEVEL_WORDS, 0.0: ("calm", "text")}
YES_NO = {0.0: ("no", CRITICAL), 1.0: ("yes", CALM)}
DOWN_UP = {0.0: ("down", CRITICAL), 1.0: ("up", GOOD)}
SELDOM = "10m"
"""Window for what happens a few times a minute or less: in a shorter one there may be nothing."""
SHOWN = '{drill=~"$drill", dyad=~"$sides"}'
NAMES = f"max by (dyad, name) (brinkwatch_dyad_info{SHOWN})"
"""The dyads to show, with their names."""
SCORE, BASELINE, LEVEL, SOURCES = (
    f"max by (dyad) (brinkwatch_dyad_{what})" for what in ("score", "baseline", "level", "sources")
)
SIGNALS = "max by (dyad, event_type) (brinkwatch_dyad_signals)"
YESTERDAY = f"(max by (dyad) (brinkwatch_dyad_score offset 1d) or {BASELINE})"
"""A day ago, or where nothing was measured then, as on the first day, the baseline: what is usual for the dyad."""
CHANGE = f"({SCORE} - {YESTERDAY})"


# A score that stands by has no runner, and says 0; of replicas of extract each has one.
RUNNERS = (
    'min by (process) (brinkwatch_runner_up{process!="score"}) or '
    'max by (process) (brinkwatch_runner_up{process="score"})'
)


def named(expr: str) -> str:
    """An expression by dyad, with the dyads' names; only of those that are to be shown."""
    return f"{expr} * on (dyad) group_left (name) {NAMES}"


def highest(expr: str, number: int) -> str:
    """An expression by dyad, of those whose score was highest in the range; the same ones at each moment of it."""
    # Which are shown is looked up over the range too: some leave the list, and others would take their places there.
    peaks = "max by (dyad) (max_over_time(brinkwatch_dyad_score[$__range] @ end()))"
    told = f"max by (dyad) (max_over_time(brinkwatch_dyad_info{SHOWN}[$__range] @ end()))"
    peaks = f"{peaks} * on (dyad) group_left () {told}"
    return f"({expr}) and on (dyad) topk({number}, {peaks})"


def rate(metric: str, *by: str, where: str = "", window: str = "$__rate_interval") -> str:
    """A counter's rate a second, summed by labels."""
    return f"sum by ({', '.join(by)}) (rate({metric}{_braced(where)}[{window}]))"


def hourly(metric: str, *by: str, where: str = "") -> str:
    """A counter's rate an hour, summed by labels; of what happens seldom."""
    return f"3600 * {rate(metric, *by, where=where, window=SELDOM)}"


def grown(metric: str, window: str, *by: str, where: str = "") -> str:
    """By how much a counter has grown in a window, summed by labels, in whole numbers."""
    return f"round(sum by ({', '.join(by)}) (increase({metric}{_braced(where)}[{window}])))"


def most_frequent(metric: str, number: int, *labels: str, where: str = "", a_minute: bool = False) -> str:
    """How often a counter grows an hour or a minute: in all, and by labels where that was most frequent in the range.

    The legend is in the label ``what``. Where nothing happened, there is ``all`` with a flat 0, and no list of zeros.
    """
    per, window = (60, "$__rate_interval") if a_minute else (3600, SELDOM)
    by = ", ".join(labels)
    most = f"topk({number}, sum by ({by}) (increase({metric}{_braced(where)}[$__range] @ end())) > 0)"
    worst = f"{per} * {rate(metric, *labels, where=where, window=window)} and on ({by}) {most}"
    joined = ", ".join(f'"{label}"' for label in labels)
    everything = f"{per} * {rate(metric, where=where, window=window)}"
    return f'label_replace({everything}, "what", "all", "", "") or label_join({worst}, "what", " ", {joined})'


def quantile(share: float, histogram: str, *by: str, where: str = "") -> str:
    """A quantile of a histogram's values."""
    counted = rate(f"{histogram}_bucket", "le", *by, where=where, window=SELDOM)
    return f"histogram_quantile({share}, {counted})"


def quantiles(histogram: str, *, where: str = "") -> list[Query]:
    """Half of the values are below the first, 95 % below the second, 99 % below the third."""
    shares = ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))
    return [Query(quantile(share, histogram, where=where), name) for share, name in shares]


def mean(histogram: str) -> str:
    """The mean of a histogram's values."""
    return ratio(f"{histogram}_sum", f"{histogram}_count")


def ratio(part: str, whole: str, *, part_where: str = "", whole_where: str = "") -> str:
    """One counter's growth for each of another's."""
    above = rate(part, where=part_where, window=SELDOM)
    return f"{above} / {rate(whole, where=whole_where, window=SELDOM)}"


def buckets(histogram: str, *, where: str = "") -> str:
    """How many values a second fall into each bucket."""
    return rate(f"{histogram}_bucket", "le", where=where)


def age(timestamp: str, *by: str) -> str:
    """Seconds since a moment that a gauge tells; of several processes, the latest. 0 is a moment that was not yet."""
    return f"time() - max by ({', '.join(by)}) ({timestamp} > 0)"


def _braced(where: str) -> str:
    return f"{{{where}}}" if where else ""
