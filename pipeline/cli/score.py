"""``brinkwatch score``: from the signals topic to alerts and dyads."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from config.errors import ConfigError
from config.settings import Settings, load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging

if TYPE_CHECKING:
    from pipeline.cli.job import Prepared
    from pipeline.dyad_metrics import DyadGauges

log = logging.getLogger(__name__)


def score(bootstrap_servers: BootstrapServers = None, config: ConfigDir = None) -> None:
    """Score dyads and raise alerts. One process is active; any other stands by, and takes over within seconds."""
    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings, serving=True)
    _serve(settings)


def prepare(settings: Settings, stop: threading.Event, *needs: str) -> Prepared | None:
    """What the job needs to run, once it is this process's turn; None where ``stop`` was set before.

    Args:
        settings: Of the installation.
        stop: Set when it is to drain.
        needs: What its health depends on once it is active, beside its own.
    """
    from config.health import board
    from config.rules_file import RulesFile
    from pipeline import metrics
    from pipeline.cli.job import Prepared
    from pipeline.kafka.exactly_once import ReaderWriter
    from pipeline.kafka.lease import Lease
    from pipeline.kafka.upstream import Upstream
    from pipeline.records.topics import Topics
    from pipeline.transforms.score import JOB, ScoreSession, build

    rules = RulesFile(settings.alerts_file)
    metrics.init_score(rule.name for rule in rules.rules.rules)
    gauges = _gauges(settings)
    topics = Topics(settings.topic_prefix)
    board.note("rules", ok=True)
    lease = Lease(settings, topics.dyads.name, topics.score_lease, f"{JOB}-lease", settings.score_instance)
    board.set_active(False)
    board.watch("lease", lease.standing)
    board.watch_kafka(lease.answered_s)
    if not lease.wait(stop):
        lease.close()
        return None
    metrics.SCORE_ACTIVE.set(1)
    board.set_active(True)
    board.need("dyads", *needs)
    log.info("active")
    upstream = Upstream(settings, topics.articles.name, topics.extract_group, JOB)
    io = ReaderWriter(settings, topics.signals.name, topics.score_group, JOB, upstream)
    session = ScoreSession(settings, rules, io, stop, lease, gauges)
    board.watch_kafka(io.answered_s)
    board.note("dyads", ok=True)
    return Prepared(session, lambda pipeline: build(pipeline, session))


def _gauges(settings: Settings) -> DyadGauges:
    """The gauges of dyads; without names where the gazetteer can't be read: they are no reason not to score."""
    from config.actor_names import actor_names
    from pipeline import dyad_metrics
    from pipeline.scoring.survey import Scope, keys

    dyad_metrics.init()
    always = keys(filter(None, settings.metrics_dyads_always.split(",")))
    try:
        names = actor_names(settings.gazetteer_dir)
    except ConfigError as error:
        log.warning("dyads go by their codes in metrics: %s", error)
        names = {}
    return dyad_metrics.DyadGauges(Scope(settings.metrics_dyads, always, settings.metrics_sources), names)


def _serve(settings: Settings) -> None:
    """The Beam job."""
    from config.health import RUNNER
    from pipeline.cli.job import run_job, stop_on_signals

    stop = stop_on_signals()
    if settings.runner == "flink":
        from pipeline.transforms.flink import submit
        from pipeline.transforms.score import build

        submit("score", build, settings, stop)
        return
    run_job("score", settings, stop, settings.score_metrics_port, lambda: prepare(settings, stop, RUNNER))
