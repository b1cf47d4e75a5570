"""The dashboard *Kafka and runner*: what the service stands on: broker, disk, lag, runner, processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.charts import Style, lines
from deploy.grafana.figures import Look, figure
from deploy.grafana.frame import Row, framed
from deploy.grafana.palette import BAD, GOOD, POOR, STAGES
from deploy.grafana.panels import Query, Ready, Size, Text
from deploy.grafana.processes import processes
from deploy.grafana.queries import DOWN_UP, RUNNERS, SELDOM, age

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard

THIRD = Size(8, 8)
GIB = 1024**3
ANY_IS_BAD = Look(((1, BAD),), GOOD, graph=False, decimals=0)
# Score takes its partitions itself, and is a member of the group by which one of several scores is active: its lease.
SHORT_GROUP = r'label_replace({}, "reader", "$1", "group", "[^.]+[.](.+?)([.]lease)?")'.format
SHORT_TOPIC = r'label_replace({}, "name", "$1", "topic", "[^.]+[.](.+)[.]v[0-9]+")'.format


def _now() -> Row:
    return Row(
        "Now",
        [
            _broker_up(),
            _last_contact(),
            _brokers(),
            _offline_partitions(),
            _missing_copies(),
            _disk_left(),
            _most_behind(),
            _runner_up(),
        ],
    )


def _broker_up() -> Ready:
    text = Text(
        "Broker",
        "Whether Kafka answers the monitor, which asks every 15 seconds.",
        "up.",
        "nothing is lost while it is away: every process waits, and goes on when it is back.",
        runbook="BrinkwatchBrokerDown",
    )
    return figure(text, [Query("max(brinkwatch_broker_up)")], unit="none", look=Look(meanings=DOWN_UP, graph=False))


def _last_contact() -> Ready:
    text = Text(
        "Last contact",
        "Time since the broker last answered the monitor.",
        "below half a minute.",
        "figures about topics and lag on this page are that old.",
        runbook="BrinkwatchBrokerDown",
    )
    return figure(
        text,
        [Query(age("brinkwatch_broker_last_contact_timestamp_seconds"))],
        unit="s",
        look=Look(((45, POOR), (120, BAD)), GOOD, graph=False, decimals=0),
    )


def _brokers() -> Ready:
    text = Text(
        "Brokers",
        "Brokers that are alive.",
        "as many as you run; 1 in the local profile.",
        "look into the log of the one that is missing.",
    )
    return figure(text, [Query("max(brinkwatch_brokers)")], unit="none", look=Look(graph=False))


def _offline_partitions() -> Ready:
    text = Text(
        "Offline",
        "Partitions that no broker leads: they can be neither read nor written.",
        "0.",
        "a broker is down whose partitions have no other copy.",
        runbook="BrinkwatchPartitionsOffline",
    )
    return figure(text, [Query("max(brinkwatch_broker_offline_partitions)")], unit="none", look=ANY_IS_BAD)


def _missing_copies() -> Ready:
    text = Text(
        "Missing copies",
        "Under-replicated partitions: those with fewer copies than they should have.",
        "0; for a while after a broker's restart, more.",
        "a broker is down, or its disk too slow.",
        runbook="BrinkwatchPartitionsUnderReplicated",
    )
    return figure(text, [Query("max(brinkwatch_broker_under_replicated_partitions)")], unit="none", look=ANY_IS_BAD)


def _disk_left() -> Ready:
    text = Text(
        "Disk left",
        "Space that the fullest broker's disk has left.",
        "enough for weeks at the growth below.",
        "shorten the retention of the largest topic, or give it a larger disk.",
        runbook="BrinkwatchBrokerDiskLow",
    )
    return figure(
        text,
        [Query("min(brinkwatch_broker_log_dir_usable_bytes)")],
        unit="bytes",
        look=Look(((2 * GIB, POOR), (10 * GIB, GOOD)), BAD, decimals=1),
    )


def _most_behind() -> Ready:
    text = Text(
        "Most behind",
        "Age of the oldest message that some group has not committed.",
        "seconds.",
        "see below which group it is.",
        runbook="BrinkwatchLagHigh",
    )
    return figure(
        text,
        [Query("max(brinkwatch_consumer_lag_seconds)")],
        unit="s",
        look=Look(((60, POOR), (300, BAD)), GOOD, decimals=0),
    )


def _runner_up() -> Ready:
    text = Text(
        "Runner",
        "Whether the runner's process lives and its job runs, of extract and of score.",
        "up, both.",
        "its process ends with it, and both are started again; `logs/` in the data folder says why it ended.",
        runbook="BrinkwatchRunnerDown",
    )
    return figure(
        text,
        [Query(RUNNERS, "{{process}}")],
        unit="none",
        look=Look(meanings=DOWN_UP, graph=False),
    )


def _lag() -> Row:
    return Row("Who is behind", [_lag_seconds(), _lag_messages(), _group_members()])


def _lag_seconds() -> Ready:
    text = Text(
        "Lag in seconds",
        "Age of the oldest message that a group has not committed; 0 when it is caught up.",
        "near 0, with short peaks.",
        "it climbs a second a second: the group stands still. More slowly: too little capacity.",
        runbook="BrinkwatchLagHigh",
    )
    return lines(
        text,
        [Query(SHORT_GROUP("max by (group, topic) (brinkwatch_consumer_lag_seconds)"), "{{reader}}")],
        unit="s",
        size=THIRD,
        style=Style(fill=15, maximum=10, colours=STAGES),
        steps=((60, POOR),),
    )


def _lag_messages() -> Ready:
    text = Text(
        "Lag in messages",
        "Messages that a group has not committed.",
        "a few.",
        "falling after a restart is work being caught up on; the slope says when it is done.",
        runbook="BrinkwatchLagGrowing",
    )
    return lines(
        text,
        [Query(SHORT_GROUP("max by (group, topic) (brinkwatch_consumer_lag_messages)"), "{{reader}}")],
        unit="none",
        size=THIRD,
        style=Style(fill=15, decimals=0, maximum=10, colours=STAGES),
    )


def _group_members() -> Ready:
    text = Text(
        "Members of groups",
        "Members of each consumer group: replicas of extract; scores, active or standing by; notify's receivers.",
        "as many as you run.",
        "a group without members is read by nobody.",
    )
    return lines(
        text,
        [Query(SHORT_GROUP('max by (group) (brinkwatch_consumer_members{group!~".+[.]score"})'), "{{reader}}")],
        unit="none",
        size=THIRD,
        style=Style(stepped=True, fill=0, decimals=0, maximum=3, colours=STAGES),
    )


def _topics() -> Row:
    return Row("Topics and disk", [_messages_written(), _topic_sizes(), _disk()])


def _messages_written() -> Ready:
    text = Text(
        "Messages written",
        "Messages an hour, by topic.",
        "articles most, then signals and dyads; alerts next to none.",
        "deadletter above the others' noise: dashboard Pipeline says the reasons.",
    )
    return lines(
        text,
        [
            Query(
                SHORT_TOPIC(f"3600 * max by (topic) (rate(brinkwatch_topic_messages_total[{SELDOM}]))"),
                "{{name}}",
            )
        ],
        unit="suffix:/h",
        size=THIRD,
        style=Style(decimals=0),
    )


def _topic_sizes() -> Ready:
    text = Text(
        "Size of topics",
        "Bytes that each topic holds, on all brokers.",
        "articles and signals level out at their retention; dyads stays small.",
        "a compacted topic (dyads, alerts.current) that only grows is not cleaned: look into the broker's log.",
    )
    return lines(
        text,
        [Query(SHORT_TOPIC("max by (topic) (brinkwatch_broker_topic_bytes)"), "{{name}}")],
        unit="bytes",
        size=THIRD,
        style=Style(stacked=True),
    )


def _disk() -> Ready:
    text = Text(
        "Disk",
        "What Kafka's folder holds, and what its disk has left, by broker.",
        "what is left hardly moves.",
        "draw the line on: where it meets 0 the broker stops.",
        runbook="BrinkwatchBrokerDiskFilling",
    )
    return lines(
        text,
        [
            Query("max by (broker) (brinkwatch_broker_log_dir_size_bytes)", "held by broker {{broker}}"),
            Query("max by (broker) (brinkwatch_broker_log_dir_usable_bytes)", "left to broker {{broker}}"),
        ],
        unit="bytes",
        size=THIRD,
    )


def kafka_and_runner() -> dashboard.Dashboard:
    """The dashboard."""
    return framed(
        "kafka",
        "Kafka and runner",
        "What the service stands on: broker, disk, topics, lag, runner and processes.",
        rows=[_now(), _lag(), _topics(), processes()],
    )
