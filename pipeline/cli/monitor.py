"""``brinkwatch monitor``: what the broker says of topics, groups and disks, as metrics."""

from __future__ import annotations

from config.settings import load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging


def monitor(bootstrap_servers: BootstrapServers = None, config: ConfigDir = None) -> None:
    """Ask the broker every 15 s how it is and how far every group has read; serve that as metrics. One is enough."""
    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings, serving=True)
    from prometheus_client import REGISTRY

    from config import exposition, refusal
    from config.health import KAFKA, board
    from pipeline.cli.job import stop_on_signals
    from pipeline.monitor.exported import Exported
    from pipeline.monitor.run import run

    stop = stop_on_signals()
    exported = Exported()
    board.begin("monitor", KAFKA, patience_s=120.0)
    board.watch_kafka(exported.age_s)
    REGISTRY.register(exported)
    exposition.serve(settings, settings.monitor_metrics_port)
    refusal.watch(settings)
    run(settings, exported, stop)
