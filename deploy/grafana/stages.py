"""The dashboard *Pipeline*: articles to signals to alerts, how fast and at what price, and what could not be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.charts import Style, density, lines, timeline
from deploy.grafana.figures import Look, figure
from deploy.grafana.frame import Row, framed
from deploy.grafana.losses import LETTERS, letters, notify
from deploy.grafana.palette import ARTICLES, BAD, CRITICAL, GOOD, NEUTRAL, POOR, QUANTILES, SIGNALS, STAGES
from deploy.grafana.panels import Query, Size, Text
from deploy.grafana.queries import RUNNERS, YES_NO, age, buckets, grown, hourly, mean, quantile, quantiles, ratio

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard

READ = "brinkwatch_extract_articles_total"
FIRING = 'ALERTS{alertstate="firing", alertname=~"Brinkwatch.+"}'
BEAT = "brinkwatch_heartbeat_last_timestamp_seconds"
THIRD, HALF = Size(8, 8), Size(12, 8)


def _now() -> Row:
    active = Text(
        "Active scores",
        "Processes of score that are active. Others may stand by.",
        "exactly 1.",
        "0: nothing is scored until one takes over, within seconds. 2 that stay: two installations on one Kafka.",
        runbook="BrinkwatchNoActiveScore",
    )
    ready = Text(
        "Ready",
        "What each process says on /readyz: it has what it needs, and does its work.",
        "yes, all of them.",
        "GET /readyz on its metrics port says which check fails, and why.",
        runbook="BrinkwatchNotReady",
    )
    beat = Text(
        "Heartbeat",
        "Age of the newest heartbeat that has passed a stage. One is sent a minute, and goes an article's way.",
        "below two minutes at each stage.",
        "the first stage where it is old is the one that stands still.",
        runbook="BrinkwatchHeartbeatMissing",
    )
    gate = Text(
        "Gate passes",
        "Share of the articles of the last hour that were parsed; the rest has no word that matters, or no English.",
        "a fifth to a half, as your feeds are.",
        "near 1, extract does too much; near 0, look at the language of the feeds.",
    )
    dead = Text(
        "Dead letters",
        "Messages of the last hour that could not be used. Each is kept, with its reason.",
        "0.",
        "`brinkwatch deadletters list`.",
        runbook="BrinkwatchDeadLetters",
    )
    firing = Text(
        "Alerts firing",
        "Alerts about the service itself that Prometheus holds for firing.",
        "0.",
        "each has a runbook of its name, which the link *Runbooks* above leads to.",
        runbook="README",
    )
    share = f'1 - sum(rate({READ}{{outcome=~"gated|language"}}[1h])) / sum(rate({READ}[1h]))'
    alarmed = Look(((1, BAD),), GOOD, decimals=0, graph=False)
    lost = Look(((1, POOR), (20, BAD)), GOOD, decimals=0, graph=False)
    return Row(
        "Now",
        [
            figure(
                active,
                [Query("sum(brinkwatch_score_active)")],
                unit="none",
                look=Look(((1, GOOD), (2, BAD)), BAD, decimals=0, graph=False),
            ),
            figure(
                ready,
                [Query("min by (process) (brinkwatch_ready)", "{{process}}")],
                unit="none",
                size=Size(7, 4),
                look=Look(meanings=YES_NO, graph=False),
            ),
            figure(
                beat,
                [Query(f"{age(BEAT, 'stage')}", "{{stage}}")],
                unit="s",
                size=Size(5, 4),
                look=Look(((120, POOR), (300, BAD)), GOOD, graph=False, decimals=0),
            ),
            figure(gate, [Query(share)], unit="percentunit", look=Look(decimals=0)),
            figure(dead, [Query(grown(LETTERS, "1h"))], unit="none", look=lost),
            figure(firing, [Query(f"count({FIRING}) or vector(0)")], unit="none", look=alarmed),
        ],
    )


def _latency() -> Row:
    stages = Text(
        "Latency of each stage",
        "95 % of articles were faster: fetched to signal, fetched to alert, and a heartbeat's way through each stage.",
        "seconds.",
        "compare with the lag below: latency with lag is too little capacity, without it is one slow part.",
        runbook="BrinkwatchLagHigh",
    )
    lag = Text(
        "Lag",
        "Age of the oldest record of the last poll when it was read; 0 where all was read.",
        "near 0, with short peaks.",
        "a line that climbs steadily: more replicas of extract, up to the partitions; see docs/sizing.md.",
        runbook="BrinkwatchLagGrowing",
    )
    bundle = Text(
        "Last bundle",
        "Time since extract and score last committed something.",
        "below two minutes: a heartbeat is sent every minute.",
        "one that climbs while the other does not is the process that stands still.",
        runbook="BrinkwatchStalled",
    )
    spread = Text(
        "Fetched to signal",
        "How long articles took from being fetched to their signals being written; the darker, the more of them.",
        "one dark band of about a second.",
        "a second band far above is articles that waited: after a restart, or behind one that was stalled.",
    )
    to_alert = Text(
        "Fetched to alert",
        "How long it took from an article being fetched until what it changed was committed by score.",
        "one dark band, little above the chart at the left.",
        "much above it: score is behind, or its transactions are slow.",
    )
    latency = "brinkwatch_latency_seconds"
    ways = [
        Query(quantile(0.95, latency, "stage"), "{{stage}}"),
        Query(quantile(0.95, "brinkwatch_heartbeat_seconds", "stage"), "heartbeat to {{stage}}"),
    ]
    return Row(
        "How fast",
        [
            lines(stages, ways, unit="s", size=THIRD, steps=((30, POOR),)),
            lines(
                lag,
                [Query("max by (process) (brinkwatch_event_time_lag_seconds)", "{{process}}")],
                unit="s",
                size=THIRD,
                style=Style(colours=STAGES, fill=15),
                steps=((60, POOR),),
            ),
            lines(
                bundle,
                [Query(age("brinkwatch_last_bundle_timestamp_seconds", "process"), "{{process}}")],
                unit="s",
                size=THIRD,
                style=Style(colours=STAGES),
                steps=((120, POOR),),
            ),
            density(spread, buckets(latency, where='stage="fetched_to_signal"'), unit="s", size=HALF),
            density(to_alert, buckets(latency, where='stage="fetched_to_alert"'), unit="s", size=HALF),
        ],
    )


def _extract() -> Row:
    read = Text(
        "Articles read",
        "Articles an hour, by what became of them: signals were found; silent, parsed and none found; gated, no word "
        "that matters; language, not English.",
        "most are gated.",
        "no signals for long, and articles come: try a few with `brinkwatch extract --explain`.",
    )
    parse = Text(
        "Time to parse a batch",
        "Time of the sentence model and the parser for one batch of articles.",
        "half below half a second.",
        "a rising 99 % is long articles; `stalled` dead letters are those that took too long.",
    )
    bundle = Text(
        "Time of a bundle",
        "From a bundle's poll to its committed offsets.",
        "half below a second.",
        "longer than the parse by far: Kafka is slow to acknowledge.",
    )
    size = Text(
        "Articles in a bundle",
        "Mean number of articles that one poll brought.",
        "one or two; more means that extract works something off.",
        "steadily high with lag: more replicas.",
    )
    restarts = Text(
        "Worker restarts",
        "Restarts an hour of extract's workers, by cause; server is the process that holds the models.",
        "a flat line at 0.",
        "stalled: each costs its time-out. crash and memory are defects, or an attack.",
        runbook="BrinkwatchWorkerRestarts",
    )
    gate = Text(
        "Gate",
        "Share of articles that were let through to the parser, and share of those read in which signals were found.",
        "both steady.",
        "fewer let through from one hour to the next: feeds were added that tell of other things.",
    )
    passed = f"1 - {ratio(READ, READ, part_where=_one_of('gated', 'language'))}"
    found = ratio(READ, READ, part_where=_one_of("signals"))
    return Row(
        "Extract",
        [
            lines(
                read,
                [Query(hourly(READ, "outcome"), "{{outcome}}")],
                unit="suffix:/h",
                size=THIRD,
                style=Style(stacked=True, colours=ARTICLES, decimals=0),
            ),
            lines(
                gate,
                [Query(passed, "let through"), Query(found, "with signals")],
                unit="percentunit",
                size=THIRD,
                style=Style(colours={"let through": NEUTRAL, "with signals": CRITICAL}, maximum=1),
            ),
            lines(
                parse,
                quantiles("brinkwatch_extract_parse_seconds"),
                unit="s",
                size=THIRD,
                style=Style(colours=QUANTILES),
            ),
            lines(
                bundle,
                quantiles("brinkwatch_extract_bundle_seconds"),
                unit="s",
                size=THIRD,
                style=Style(colours=QUANTILES),
            ),
            lines(
                size,
                [Query(mean("brinkwatch_extract_bundle_articles"), "articles")],
                unit="none",
                size=THIRD,
                style=Style(fill=15, decimals=1),
            ),
            lines(
                restarts,
                [Query(hourly("brinkwatch_extract_worker_restarts_total", "cause"), "{{cause}}")],
                unit="suffix:/h",
                size=THIRD,
                style=Style(maximum=1),
            ),
        ],
    )


def _score() -> Row:
    read = Text(
        "Signals scored",
        "Signals an hour, by what became of them: applied; inactive, which do not count; repeated, known already.",
        "applied is most.",
        "many repeated: something is sent twice, as after a restart of extract; they change nothing.",
    )
    near = Text(
        "Told before",
        "Share of the applied signals that tell a story which was counted already: another outlet, the same news.",
        "a quarter to a half; more with more feeds.",
        "near 1: a feed that repeats itself. Near 0 with many feeds: look whether near duplicates are found at all.",
    )
    bundle = Text(
        "Time of a bundle",
        "From score's poll to its committed transaction.",
        "half below 100 ms.",
        "Kafka's transactions are slow, or many dyads change at once.",
    )
    size = Text(
        "Signals in a bundle",
        "Mean number of signals that one poll brought.",
        "one or two.",
        "hundreds: score works something off; the lag says how much is left.",
    )
    dyads = Text(
        "Dyads held",
        "Dyads in the memory of the active score.",
        "some hundreds, slowly rising.",
        "a fall to 0 that stays is a score that started on an empty topic.",
    )
    checks = Text(
        "Checks",
        "Whether Kafka answers each process, whether each job's runner is up, and whether the file of rules, as it "
        "stands, is the one in use.",
        "all yes.",
        "Kafka, runner: dashboard Kafka and runner. Rules: `brinkwatch config check` says what is wrong with the file; "
        "the rules before it stay in use.",
        runbook="BrinkwatchRulesBad",
    )
    applied = "brinkwatch_score_signals_total"
    share = ratio("brinkwatch_score_near_duplicates_total", applied, whole_where=_one_of("applied"))
    return Row(
        "Score",
        [
            lines(
                read,
                [Query(hourly(applied, "outcome"), "{{outcome}}")],
                unit="suffix:/h",
                size=THIRD,
                style=Style(stacked=True, colours=SIGNALS, decimals=0),
            ),
            lines(
                bundle,
                quantiles("brinkwatch_score_bundle_seconds"),
                unit="s",
                size=THIRD,
                style=Style(colours=QUANTILES),
            ),
            lines(near, [Query(share, "told before")], unit="percentunit", size=THIRD, style=Style(fill=15, maximum=1)),
            lines(
                size,
                [Query(mean("brinkwatch_score_bundle_signals"), "signals")],
                unit="none",
                size=THIRD,
                style=Style(fill=15, decimals=1),
            ),
            lines(dyads, [Query("max(brinkwatch_dyads)", "dyads")], unit="none", size=THIRD, style=Style(fill=15)),
            timeline(
                checks,
                [
                    Query("min by (process) (brinkwatch_kafka_up)", "{{process}}: Kafka"),
                    Query(RUNNERS, "{{process}}: runner"),
                    Query("min(brinkwatch_rules_last_reload_successful)", "score: rules"),
                ],
                meanings=YES_NO,
                size=THIRD,
            ),
        ],
    )


def _one_of(*outcomes: str) -> str:
    return f'outcome=~"{"|".join(outcomes)}"'


def pipeline() -> dashboard.Dashboard:
    """The dashboard."""
    return framed(
        "pipeline",
        "Pipeline",
        "Articles to signals to alerts: how fast, at what price, and what could not be used.",
        rows=[_now(), _latency(), _extract(), _score(), letters(), notify()],
    )
