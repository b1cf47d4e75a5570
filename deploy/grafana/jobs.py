"""Rows of the dashboard *Pipeline* on its two jobs: what extract does with articles, and score with signals."""

from __future__ import annotations

from deploy.grafana.charts import Style, lines, timeline
from deploy.grafana.frame import Row
from deploy.grafana.losses import READ, SCORED
from deploy.grafana.palette import ARTICLES, CRITICAL, NEUTRAL, QUANTILES, SIGNALS
from deploy.grafana.panels import Query, Ready, Size, Text
from deploy.grafana.queries import RUNNERS, YES_NO, hourly, mean, quantiles, ratio

THIRD = Size(8, 8)


def extract() -> Row:
    """What extract does with articles."""
    return Row(
        "Extract",
        [_articles_read(), _gate(), _parse_time(), _extract_bundle_time(), _extract_bundle_size(), _worker_restarts()],
    )


def _articles_read() -> Ready:
    text = Text(
        "Articles read",
        "Articles an hour, by what became of them: signals were found; silent, parsed and none found; gated, no word "
        "that matters; language, not English.",
        "most are gated.",
        "no signals for long, and articles come: try a few with `brinkwatch extract --explain`.",
    )
    return lines(
        text,
        [Query(hourly(READ, "outcome"), "{{outcome}}")],
        unit="suffix:/h",
        size=THIRD,
        style=Style(stacked=True, colours=ARTICLES, decimals=0),
    )


def _gate() -> Ready:
    text = Text(
        "Gate",
        "Share of articles that were let through to the parser, and share of those read in which signals were found.",
        "both steady.",
        "fewer let through from one hour to the next: feeds were added that tell of other things.",
    )
    passed = f"1 - {ratio(READ, READ, part_where=_one_of('gated', 'language'))}"
    found = ratio(READ, READ, part_where=_one_of("signals"))
    return lines(
        text,
        [Query(passed, "let through"), Query(found, "with signals")],
        unit="percentunit",
        size=THIRD,
        style=Style(colours={"let through": NEUTRAL, "with signals": CRITICAL}, maximum=1),
    )


def _parse_time() -> Ready:
    text = Text(
        "Time to parse a batch",
        "Time of the sentence model and the parser for one batch of articles.",
        "half below half a second.",
        "a rising 99 % is long articles; `stalled` dead letters are those that took too long.",
    )
    return lines(
        text,
        quantiles("brinkwatch_extract_parse_seconds"),
        unit="s",
        size=THIRD,
        style=Style(colours=QUANTILES),
    )


def _extract_bundle_time() -> Ready:
    text = Text(
        "Time of a bundle",
        "From a bundle's poll to its committed offsets.",
        "half below a second.",
        "longer than the parse by far: Kafka is slow to acknowledge.",
    )
    return lines(
        text,
        quantiles("brinkwatch_extract_bundle_seconds"),
        unit="s",
        size=THIRD,
        style=Style(colours=QUANTILES),
    )


def _extract_bundle_size() -> Ready:
    text = Text(
        "Articles in a bundle",
        "Mean number of articles that one poll brought.",
        "one or two; more means that extract works something off.",
        "steadily high with lag: more replicas.",
    )
    return lines(
        text,
        [Query(mean("brinkwatch_extract_bundle_articles"), "articles")],
        unit="none",
        size=THIRD,
        style=Style(fill=15, decimals=1),
    )


def _worker_restarts() -> Ready:
    text = Text(
        "Worker restarts",
        "Restarts an hour of extract's workers, by cause; server is the process that holds the models.",
        "a flat line at 0.",
        "stalled: each costs its time-out. crash and memory are defects, or an attack.",
        runbook="BrinkwatchWorkerRestarts",
    )
    return lines(
        text,
        [Query(hourly("brinkwatch_extract_worker_restarts_total", "cause"), "{{cause}}")],
        unit="suffix:/h",
        size=THIRD,
        style=Style(maximum=1),
    )


def score() -> Row:
    """What score does with signals."""
    return Row(
        "Score",
        [_signals_scored(), _score_bundle_time(), _told_before(), _score_bundle_size(), _dyads_held(), _checks()],
    )


def _signals_scored() -> Ready:
    text = Text(
        "Signals scored",
        "Signals an hour, by what became of them: applied; inactive, which do not count; repeated, known already.",
        "applied is most.",
        "many repeated: something is sent twice, as after a restart of extract; they change nothing.",
    )
    return lines(
        text,
        [Query(hourly(SCORED, "outcome"), "{{outcome}}")],
        unit="suffix:/h",
        size=THIRD,
        style=Style(stacked=True, colours=SIGNALS, decimals=0),
    )


def _score_bundle_time() -> Ready:
    text = Text(
        "Time of a bundle",
        "From score's poll to its committed transaction.",
        "half below 100 ms.",
        "Kafka's transactions are slow, or many dyads change at once.",
    )
    return lines(
        text,
        quantiles("brinkwatch_score_bundle_seconds"),
        unit="s",
        size=THIRD,
        style=Style(colours=QUANTILES),
    )


def _told_before() -> Ready:
    text = Text(
        "Told before",
        "Share of the applied signals that tell a story which was counted already: another outlet, the same news.",
        "a quarter to a half; more with more feeds.",
        "near 1: a feed that repeats itself. Near 0 with many feeds: look whether near duplicates are found at all.",
    )
    share = ratio("brinkwatch_score_near_duplicates_total", SCORED, whole_where=_one_of("applied"))
    return lines(text, [Query(share, "told before")], unit="percentunit", size=THIRD, style=Style(fill=15, maximum=1))


def _score_bundle_size() -> Ready:
    text = Text(
        "Signals in a bundle",
        "Mean number of signals that one poll brought.",
        "one or two.",
        "hundreds: score works something off; the lag says how much is left.",
    )
    return lines(
        text,
        [Query(mean("brinkwatch_score_bundle_signals"), "signals")],
        unit="none",
        size=THIRD,
        style=Style(fill=15, decimals=1),
    )


def _dyads_held() -> Ready:
    text = Text(
        "Dyads held",
        "Dyads in the memory of the active score.",
        "some hundreds, slowly rising.",
        "a fall to 0 that stays is a score that started on an empty topic.",
    )
    return lines(text, [Query("max(brinkwatch_dyads)", "dyads")], unit="none", size=THIRD, style=Style(fill=15))


def _checks() -> Ready:
    text = Text(
        "Checks",
        "Whether Kafka answers each process, whether each job's runner is up, and whether the files of feeds and "
        "of rules, as they stand, are those in use.",
        "all yes.",
        "Kafka, runner: dashboard Kafka and runner. Feeds, rules: `brinkwatch config check` says what is wrong with "
        "the files; those before them stay in use.",
        runbook="BrinkwatchRulesBad",
    )
    return timeline(
        text,
        [
            Query("min by (process) (brinkwatch_kafka_up)", "{{process}}: Kafka"),
            Query(RUNNERS, "{{process}}: runner"),
            Query("min(brinkwatch_connect_list_last_reload_successful)", "connect: feeds"),
            Query("min(brinkwatch_rules_last_reload_successful)", "score: rules"),
        ],
        meanings=YES_NO,
        size=THIRD,
    )


def _one_of(*outcomes: str) -> str:
    return f'outcome=~"{"|".join(outcomes)}"'
