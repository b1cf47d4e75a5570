"""``brinkwatch score``: from the signals topic to alerts and dyads."""

from __future__ import annotations

from config.settings import Settings, load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging


def score(bootstrap_servers: BootstrapServers = None, config: ConfigDir = None) -> None:
    """Score dyads and raise alerts. One instance is active: starting a second one fences the first."""
    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings)
    _serve(settings)


def _serve(settings: Settings) -> None:
    """The Beam job."""
    from pipeline.cli.job import Prepared, run_job, stop_on_signals

    stop = stop_on_signals()

    def prepare() -> Prepared:
        from config.rules_file import RulesFile
        from pipeline import metrics
        from pipeline.kafka.exactly_once import ReaderWriter
        from pipeline.kafka.upstream import Upstream
        from pipeline.records.topics import Topics
        from pipeline.transforms.score import JOB, ScoreSession, build

        metrics.init_score()
        topics = Topics(settings.topic_prefix)
        rules = RulesFile(settings.alerts_file)
        upstream = Upstream(settings, topics.articles.name, topics.extract_group, JOB)
        io = ReaderWriter(settings, topics.signals.name, topics.score_group, JOB, upstream)
        session = ScoreSession(settings, rules, io, stop)
        return Prepared(session, lambda pipeline: build(pipeline, session))

    run_job("score", settings, stop, settings.score_metrics_port, prepare)
