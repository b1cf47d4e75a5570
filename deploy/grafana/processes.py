"""The row of the dashboard *Kafka and runner* on the processes of the service, as Prometheus sees them."""

from __future__ import annotations

from deploy.grafana.charts import Style, lines, timeline
from deploy.grafana.frame import Row
from deploy.grafana.palette import STAGES
from deploy.grafana.panels import Query, Ready, Size, Text
from deploy.grafana.queries import DOWN_UP
from deploy.grafana.tables import Column, grid

OURS = 'job=~"brinkwatch-.+"'
HALF, QUARTER = Size(12, 8), Size(6, 8)
OF_PROCESS = 'label_replace({}, "process", "$1", "job", "brinkwatch-(.+)")'.format


def processes() -> Row:
    """Which run, since when, in which version, and what they use."""
    return Row("Processes", [_processes_up(), _builds(), _memory(), _cpu(), _open_files(), _starts()])


def _processes_up() -> Ready:
    text = Text(
        "Processes",
        "Whether Prometheus reaches each process.",
        "bands of one colour; notify, up and monitor are down where you do not run them.",
        "a gap is a process that was down; red at the end, one that still is.",
        runbook="BrinkwatchStageDown",
    )
    return timeline(
        text,
        [Query(OF_PROCESS(f"min by (job) (up{{{OURS}}})"), "{{process}}")],
        meanings=DOWN_UP,
        size=HALF,
    )


def _builds() -> Ready:
    text = Text(
        "Builds",
        "Version of Brinkwatch and of Python, and how long each process has run.",
        "one version everywhere.",
        "two for longer than an upgrade takes: a process was left out.",
    )
    per_process = f"max by (job, instance) (brinkwatch_build_info{{{OURS}}})"
    version = f"max by (job, instance, version, python) (brinkwatch_build_info{{{OURS}}})"
    running = f"(time() - max by (job, instance) (process_start_time_seconds{{{OURS}}})) * {per_process}"
    running = f"{running} * on (job, instance) group_left (version, python) {version}"
    return grid(
        text,
        [
            Column("Process", label="job"),
            Column("Instance", label="instance", width=150),
            Column("Version", label="version", width=90),
            Column("Python", label="python", width=90),
            Column("Running for", running, unit="s", width=120, decimals=1),
        ],
        size=HALF,
        sort="Process",
        descending=False,
    )


def _memory() -> Ready:
    text = Text(
        "Memory",
        "Resident memory of each process, without the workers and the runner of a job: those are their own.",
        "flat after the first hour.",
        "a line that climbs for days is a leak: restart the process, which loses nothing, and report it.",
    )
    return lines(
        text,
        [Query(OF_PROCESS(f"sum by (job) (process_resident_memory_bytes{{{OURS}}})"), "{{process}}")],
        unit="bytes",
        size=QUARTER,
        style=Style(colours=STAGES),
    )


def _cpu() -> Ready:
    text = Text(
        "CPU",
        "Cores that each process uses, without the workers and the runner of a job: most of extract is there.",
        "well below one each.",
        "one that stays near a whole core can do no more. Whether extract needs replicas, its lag says.",
    )
    return lines(
        text,
        [
            Query(
                OF_PROCESS(f"sum by (job) (rate(process_cpu_seconds_total{{{OURS}}}[$__rate_interval]))"),
                "{{process}}",
            )
        ],
        unit="suffix:cores",
        size=QUARTER,
        style=Style(colours=STAGES),
    )


def _open_files() -> Ready:
    text = Text(
        "Open files",
        "Share of the file descriptors that a process may have.",
        "below a tenth, and flat.",
        "a climb is a leak of connections: restart the process and report it.",
    )
    return lines(
        text,
        [Query(OF_PROCESS(f"max by (job) (process_open_fds{{{OURS}}} / process_max_fds{{{OURS}}})"), "{{process}}")],
        unit="percentunit",
        size=QUARTER,
        style=Style(maximum=0.1, colours=STAGES),
    )


def _starts() -> Ready:
    text = Text(
        "Starts",
        "Starts of each process in the last hour, as its start time tells; by the local supervisor, its restarts.",
        "0, but for your own restarts.",
        "again and again: the log of that process says why it ended.",
        runbook="BrinkwatchRestartLoop",
    )
    return lines(
        text,
        [
            Query(OF_PROCESS(f"max by (job) (changes(process_start_time_seconds{{{OURS}}}[1h]))"), "{{process}}"),
            Query(
                "max by (process) (increase(brinkwatch_supervisor_restarts_total[1h]))",
                "{{process}}, by supervisor",
            ),
        ],
        unit="none",
        size=QUARTER,
        style=Style(stepped=True, faint="B", decimals=0, maximum=3, colours=STAGES),
    )
