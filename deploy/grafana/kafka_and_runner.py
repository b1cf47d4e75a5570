"""The dashboard *Kafka and runner*: what the service stands on: broker, disk, lag, runner, processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.charts import Style, lines, timeline
from deploy.grafana.figures import Look, figure
from deploy.grafana.frame import Row, framed
from deploy.grafana.palette import BAD, CRITICAL, GOOD, POOR, STAGES
from deploy.grafana.panels import Query, Size, Text
from deploy.grafana.queries import RUNNERS, SELDOM, age
from deploy.grafana.tables import Column, grid

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard

OURS = 'job=~"brinkwatch-.+"'
THIRD = Size(8, 8)
DOWN_UP = {0.0: ("down", CRITICAL), 1.0: ("up", GOOD)}
# Score takes its partitions itself, and is a member of the group by which one of several scores is active: its lease.
SHORT_GROUP = r'label_replace({}, "reader", "$1", "group", "[^.]+[.](.+?)([.]lease)?")'.format
SHORT_TOPIC = r'label_replace({}, "name", "$1", "topic", "[^.]+[.](.+)[.]v[0-9]+")'.format


def _now() -> Row:
    broker = Text(
        "Broker",
        "Whether Kafka answers the monitor, which asks every 15 seconds.",
        "up.",
        "nothing is lost while it is away: every process waits, and goes on when it is back.",
        runbook="BrinkwatchBrokerDown",
    )
    contact = Text(
        "Last contact",
        "Time since the broker last answered the monitor.",
        "below half a minute.",
        "figures about topics and lag on this page are that old.",
        runbook="BrinkwatchBrokerDown",
    )
    brokers = Text(
        "Brokers",
        "Brokers that are alive.",
        "as many as you run; 1 in the local profile.",
        "look into the log of the one that is missing.",
    )
    offline = Text(
        "Offline",
        "Partitions that no broker leads: they can be neither read nor written.",
        "0.",
        "a broker is down whose partitions have no other copy.",
        runbook="BrinkwatchPartitionsOffline",
    )
    under = Text(
        "Missing copies",
        "Under-replicated partitions: those with fewer copies than they should have.",
        "0; for a while after a broker's restart, more.",
        "a broker is down, or its disk too slow.",
        runbook="BrinkwatchPartitionsUnderReplicated",
    )
    space = Text(
        "Disk left",
        "Space that the fullest broker's disk has left.",
        "enough for weeks at the growth below.",
        "shorten the retention of the largest topic, or give it a larger disk.",
        runbook="BrinkwatchBrokerDiskLow",
    )
    behind = Text(
        "Most behind",
        "Age of the oldest message that some group has not committed.",
        "seconds.",
        "see below which group it is.",
        runbook="BrinkwatchLagHigh",
    )
    runner = Text(
        "Runner",
        "Whether the runner's process lives and its job runs, of extract and of score.",
        "up, both.",
        "its process ends with it, and both are started again; `logs/` in the data folder says why it ended.",
        runbook="BrinkwatchRunnerDown",
    )
    none = Look(((1, BAD),), GOOD, graph=False, decimals=0)
    gib = 1024**3
    return Row(
        "Now",
        [
            figure(broker, [Query("max(brinkwatch_broker_up)")], unit="none", look=Look(meanings=DOWN_UP, graph=False)),
            figure(
                contact,
                [Query(age("brinkwatch_broker_last_contact_timestamp_seconds"))],
                unit="s",
                look=Look(((45, POOR), (120, BAD)), GOOD, graph=False, decimals=0),
            ),
            figure(brokers, [Query("max(brinkwatch_brokers)")], unit="none", look=Look(graph=False)),
            figure(offline, [Query("max(brinkwatch_broker_offline_partitions)")], unit="none", look=none),
            figure(under, [Query("max(brinkwatch_broker_under_replicated_partitions)")], unit="none", look=none),
            figure(
                space,
                [Query("min(brinkwatch_broker_log_dir_usable_bytes)")],
                unit="bytes",
                look=Look(((2 * gib, POOR), (10 * gib, GOOD)), BAD, decimals=1),
            ),
            figure(
                behind,
                [Query("max(brinkwatch_consumer_lag_seconds)")],
                unit="s",
                look=Look(((60, POOR), (300, BAD)), GOOD, decimals=0),
            ),
            figure(
                runner,
                [Query(RUNNERS, "{{process}}")],
                unit="none",
                look=Look(meanings=DOWN_UP, graph=False),
            ),
        ],
    )


def _lag() -> Row:
    seconds = Text(
        "Lag in seconds",
        "Age of the oldest message that a group has not committed; 0 when it is caught up.",
        "near 0, with short peaks.",
        "it climbs a second a second: the group stands still. More slowly: too little capacity.",
        runbook="BrinkwatchLagHigh",
    )
    messages = Text(
        "Lag in messages",
        "Messages that a group has not committed.",
        "a few.",
        "falling after a restart is work being caught up on; the slope says when it is done.",
        runbook="BrinkwatchLagGrowing",
    )
    members = Text(
        "Members of groups",
        "Members of each consumer group: replicas of extract; scores, active or standing by; notify's receivers.",
        "as many as you run.",
        "a group without members is read by nobody.",
    )
    by = "group, topic"
    return Row(
        "Who is behind",
        [
            lines(
                seconds,
                [Query(SHORT_GROUP(f"max by ({by}) (brinkwatch_consumer_lag_seconds)"), "{{reader}}")],
                unit="s",
                size=THIRD,
                style=Style(fill=15, maximum=10, colours=STAGES),
                steps=((60, POOR),),
            ),
            lines(
                messages,
                [Query(SHORT_GROUP(f"max by ({by}) (brinkwatch_consumer_lag_messages)"), "{{reader}}")],
                unit="none",
                size=THIRD,
                style=Style(fill=15, decimals=0, maximum=10, colours=STAGES),
            ),
            lines(
                members,
                [Query(SHORT_GROUP('max by (group) (brinkwatch_consumer_members{group!~".+[.]score"})'), "{{reader}}")],
                unit="none",
                size=THIRD,
                style=Style(stepped=True, fill=0, decimals=0, maximum=3, colours=STAGES),
            ),
        ],
    )


def _topics() -> Row:
    written = Text(
        "Messages written",
        "Messages an hour, by topic.",
        "articles most, then signals and dyads; alerts next to none.",
        "deadletter above the others' noise: dashboard Pipeline says the reasons.",
    )
    size = Text(
        "Size of topics",
        "Bytes that each topic holds, on all brokers.",
        "articles and signals level out at their retention; dyads stays small.",
        "a compacted topic (dyads, alerts.current) that only grows is not cleaned: look into the broker's log.",
    )
    disk = Text(
        "Disk",
        "What Kafka's folder holds, and what its disk has left, by broker.",
        "what is left hardly moves.",
        "draw the line on: where it meets 0 the broker stops.",
        runbook="BrinkwatchBrokerDiskFilling",
    )
    return Row(
        "Topics and disk",
        [
            lines(
                written,
                [
                    Query(
                        SHORT_TOPIC(f"3600 * max by (topic) (rate(brinkwatch_topic_messages_total[{SELDOM}]))"),
                        "{{name}}",
                    )
                ],
                unit="suffix:/h",
                size=THIRD,
                style=Style(decimals=0),
            ),
            lines(
                size,
                [Query(SHORT_TOPIC("max by (topic) (brinkwatch_broker_topic_bytes)"), "{{name}}")],
                unit="bytes",
                size=THIRD,
                style=Style(stacked=True),
            ),
            lines(
                disk,
                [
                    Query("max by (broker) (brinkwatch_broker_log_dir_size_bytes)", "held by broker {{broker}}"),
                    Query("max by (broker) (brinkwatch_broker_log_dir_usable_bytes)", "left to broker {{broker}}"),
                ],
                unit="bytes",
                size=THIRD,
            ),
        ],
    )


def _processes() -> Row:
    targets = Text(
        "Processes",
        "Whether Prometheus reaches each process.",
        "bands of one colour; notify, up and monitor are down where you do not run them.",
        "a gap is a process that was down; red at the end, one that still is.",
        runbook="BrinkwatchStageDown",
    )
    memory = Text(
        "Memory",
        "Resident memory of each process, without the workers and the runner of a job: those are their own.",
        "flat after the first hour.",
        "a line that climbs for days is a leak: restart the process, which loses nothing, and report it.",
    )
    cpu = Text(
        "CPU",
        "Cores that each process uses, without the workers and the runner of a job: most of extract is there.",
        "well below one each.",
        "one that stays near a whole core can do no more. Whether extract needs replicas, its lag says.",
    )
    files = Text(
        "Open files",
        "Share of the file descriptors that a process may have.",
        "below a tenth, and flat.",
        "a climb is a leak of connections: restart the process and report it.",
    )
    starts = Text(
        "Starts",
        "Starts of each process in the last hour, as its start time tells; by the local supervisor, its restarts.",
        "0, but for your own restarts.",
        "again and again: the log of that process says why it ended.",
        runbook="BrinkwatchRestartLoop",
    )
    builds = Text(
        "Builds",
        "Version of Brinkwatch and of Python, and how long each process has run.",
        "one version everywhere.",
        "two for longer than an upgrade takes: a process was left out.",
    )
    name = 'label_replace({}, "process", "$1", "job", "brinkwatch-(.+)")'.format
    per_process = f"max by (job, instance) (brinkwatch_build_info{{{OURS}}})"
    version = f"max by (job, instance, version, python) (brinkwatch_build_info{{{OURS}}})"
    running = f"(time() - max by (job, instance) (process_start_time_seconds{{{OURS}}})) * {per_process}"
    running = f"{running} * on (job, instance) group_left (version, python) {version}"
    return Row(
        "Processes",
        [
            timeline(
                targets,
                [Query(name(f"min by (job) (up{{{OURS}}})"), "{{process}}")],
                meanings=DOWN_UP,
                size=Size(12, 8),
            ),
            grid(
                builds,
                [
                    Column("Process", label="job"),
                    Column("Instance", label="instance", width=150),
                    Column("Version", label="version", width=90),
                    Column("Python", label="python", width=90),
                    Column("Running for", running, unit="s", width=120, decimals=1),
                ],
                size=Size(12, 8),
                sort="Process",
                descending=False,
            ),
            lines(
                memory,
                [Query(name(f"sum by (job) (process_resident_memory_bytes{{{OURS}}})"), "{{process}}")],
                unit="bytes",
                size=Size(6, 8),
                style=Style(colours=STAGES),
            ),
            lines(
                cpu,
                [
                    Query(
                        name(f"sum by (job) (rate(process_cpu_seconds_total{{{OURS}}}[$__rate_interval]))"),
                        "{{process}}",
                    )
                ],
                unit="suffix:cores",
                size=Size(6, 8),
                style=Style(colours=STAGES),
            ),
            lines(
                files,
                [Query(name(f"max by (job) (process_open_fds{{{OURS}}} / process_max_fds{{{OURS}}})"), "{{process}}")],
                unit="percentunit",
                size=Size(6, 8),
                style=Style(maximum=0.1, colours=STAGES),
            ),
            lines(
                starts,
                [
                    Query(name(f"max by (job) (changes(process_start_time_seconds{{{OURS}}}[1h]))"), "{{process}}"),
                    Query(
                        "max by (process) (increase(brinkwatch_supervisor_restarts_total[1h]))",
                        "{{process}}, by supervisor",
                    ),
                ],
                unit="none",
                size=Size(6, 8),
                style=Style(stepped=True, faint="B", decimals=0, maximum=3, colours=STAGES),
            ),
        ],
    )


def kafka_and_runner() -> dashboard.Dashboard:
    """The dashboard."""
    return framed(
        "kafka",
        "Kafka and runner",
        "What the service stands on: broker, disk, topics, lag, runner and processes.",
        rows=[_now(), _lag(), _topics(), _processes()],
    )
