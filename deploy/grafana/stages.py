"""The dashboard *Pipeline*: articles to signals to alerts, how fast and at what price, and what could not be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.charts import Style, density, lines
from deploy.grafana.figures import Look, figure
from deploy.grafana.frame import Row, framed
from deploy.grafana.jobs import extract, score
from deploy.grafana.losses import LETTERS, READ, letters, notify
from deploy.grafana.palette import BAD, GOOD, POOR, STAGES
from deploy.grafana.panels import Query, Ready, Size, Text
from deploy.grafana.queries import YES_NO, age, buckets, grown, quantile

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard

FIRING = 'ALERTS{alertstate="firing", alertname=~"Brinkwatch.+"}'
LATENCY = "brinkwatch_latency_seconds"
BEAT = "brinkwatch_heartbeat_last_timestamp_seconds"
THIRD, HALF = Size(8, 8), Size(12, 8)


def _now() -> Row:
    return Row("Now", [_active_scores(), _ready(), _heartbeat_age(), _gate_passes(), _dead_letters(), _alerts_firing()])


def _active_scores() -> Ready:
    text = Text(
        "Active scores",
        "Processes of score that are active. Others may stand by.",
        "exactly 1.",
        "0: nothing is scored until one takes over, within seconds. 2 that stay: two installations on one Kafka.",
        runbook="BrinkwatchNoActiveScore",
    )
    return figure(
        text,
        [Query("sum(brinkwatch_score_active)")],
        unit="none",
        look=Look(((1, GOOD), (2, BAD)), BAD, decimals=0, graph=False),
    )


def _ready() -> Ready:
    text = Text(
        "Ready",
        "What each process says on /readyz: it has what it needs, and does its work.",
        "yes, all of them.",
        "GET /readyz on its metrics port says which check fails, and why.",
        runbook="BrinkwatchNotReady",
    )
    return figure(
        text,
        [Query("min by (process) (brinkwatch_ready)", "{{process}}")],
        unit="none",
        size=Size(7, 4),
        look=Look(meanings=YES_NO, graph=False),
    )


def _heartbeat_age() -> Ready:
    text = Text(
        "Heartbeat",
        "Age of the newest heartbeat that has passed a stage. One is sent a minute, and goes an article's way.",
        "below two minutes at each stage.",
        "the first stage where it is old is the one that stands still.",
        runbook="BrinkwatchHeartbeatMissing",
    )
    return figure(
        text,
        [Query(f"{age(BEAT, 'stage')}", "{{stage}}")],
        unit="s",
        size=Size(5, 4),
        look=Look(((120, POOR), (300, BAD)), GOOD, graph=False, decimals=0),
    )


def _gate_passes() -> Ready:
    text = Text(
        "Gate passes",
        "Share of the articles of the last hour that were parsed; the rest has no word that matters, or no English.",
        "a fifth to a half, as your feeds are.",
        "near 1, extract does too much; near 0, look at the language of the feeds.",
    )
    share = f'1 - sum(rate({READ}{{outcome=~"gated|language"}}[1h])) / sum(rate({READ}[1h]))'
    return figure(text, [Query(share)], unit="percentunit", look=Look(decimals=0))


def _dead_letters() -> Ready:
    text = Text(
        "Dead letters",
        "Messages of the last hour that could not be used. Each is kept, with its reason.",
        "0.",
        "`brinkwatch deadletters list`.",
        runbook="BrinkwatchDeadLetters",
    )
    lost = Look(((1, POOR), (20, BAD)), GOOD, decimals=0, graph=False)
    return figure(text, [Query(grown(LETTERS, "1h"))], unit="none", look=lost)


def _alerts_firing() -> Ready:
    text = Text(
        "Alerts firing",
        "Alerts about the service itself that Prometheus holds for firing.",
        "0.",
        "each has a runbook of its name, which the link *Runbooks* above leads to.",
        runbook="README",
    )
    alarmed = Look(((1, BAD),), GOOD, decimals=0, graph=False)
    return figure(text, [Query(f"count({FIRING}) or vector(0)")], unit="none", look=alarmed)


def _latency() -> Row:
    return Row("How fast", [_stage_latency(), _lag(), _last_bundle(), _fetched_to_signal(), _fetched_to_alert()])


def _stage_latency() -> Ready:
    text = Text(
        "Latency of each stage",
        "95 % of articles were faster: fetched to signal, fetched to alert, and a heartbeat's way through each stage.",
        "seconds.",
        "compare with the lag below: latency with lag is too little capacity, without it is one slow part.",
        runbook="BrinkwatchLagHigh",
    )
    ways = [
        Query(quantile(0.95, LATENCY, "stage"), "{{stage}}"),
        Query(quantile(0.95, "brinkwatch_heartbeat_seconds", "stage"), "heartbeat to {{stage}}"),
    ]
    return lines(text, ways, unit="s", size=THIRD, steps=((30, POOR),))


def _lag() -> Ready:
    text = Text(
        "Lag",
        "Age of the oldest record of the last poll when it was read; 0 where all was read.",
        "near 0, with short peaks.",
        "a line that climbs steadily: more replicas of extract, up to the partitions; see docs/sizing.md.",
        runbook="BrinkwatchLagGrowing",
    )
    return lines(
        text,
        [Query("max by (process) (brinkwatch_event_time_lag_seconds)", "{{process}}")],
        unit="s",
        size=THIRD,
        style=Style(colours=STAGES, fill=15),
        steps=((60, POOR),),
    )


def _last_bundle() -> Ready:
    text = Text(
        "Last bundle",
        "Time since extract and score last committed something.",
        "below two minutes: a heartbeat is sent every minute.",
        "one that climbs while the other does not is the process that stands still.",
        runbook="BrinkwatchStalled",
    )
    return lines(
        text,
        [Query(age("brinkwatch_last_bundle_timestamp_seconds", "process"), "{{process}}")],
        unit="s",
        size=THIRD,
        style=Style(colours=STAGES),
        steps=((120, POOR),),
    )


def _fetched_to_signal() -> Ready:
    text = Text(
        "Fetched to signal",
        "How long articles took from being fetched to their signals being written; the darker, the more of them.",
        "one dark band of about a second.",
        "a second band far above is articles that waited: after a restart, or behind one that was stalled.",
    )
    return density(text, buckets(LATENCY, where='stage="fetched_to_signal"'), unit="s", size=HALF)


def _fetched_to_alert() -> Ready:
    text = Text(
        "Fetched to alert",
        "How long it took from an article being fetched until what it changed was committed by score.",
        "one dark band, little above the chart at the left.",
        "much above it: score is behind, or its transactions are slow.",
    )
    return density(text, buckets(LATENCY, where='stage="fetched_to_alert"'), unit="s", size=HALF)


def pipeline() -> dashboard.Dashboard:
    """The dashboard."""
    return framed(
        "pipeline",
        "Pipeline",
        "Articles to signals to alerts: how fast, at what price, and what could not be used.",
        rows=[_now(), _latency(), extract(), score(), letters(), notify()],
    )
