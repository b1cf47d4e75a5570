"""``brinkwatch prometheus``: Prometheus and Alertmanager on this machine, with the shipped rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from config.settings import load_settings
from pipeline.cli.common import ConfigDir, say, set_up_logging


def prometheus(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Prometheus.")] = 9090,
    alertmanager_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Alertmanager.")] = 9093,
    alertmanager_config: Annotated[
        Path | None,
        typer.Option(
            "--alertmanager-config", metavar="FILE", help="Whom Alertmanager tells, in place of the shipped: nobody."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", metavar="DIR", help="Where everything that must survive is kept.")
    ] = None,
    config: ConfigDir = None,
) -> None:
    """Run Prometheus and Alertmanager on this machine, beside `brinkwatch up` or single processes. Ctrl-C ends both.

    They are taken from PATH, listen on loopback only, and use the shipped scrapes, rules and routes.
    """
    from deploy.local.monitoring import ALERTMANAGER_FILE, Monitoring, Places, metrics_jobs
    from pipeline.cli.job import stop_on_signals

    settings = load_settings(config_dir=config, data_dir=data_dir.absolute() if data_dir else None)
    set_up_logging(settings.model_copy(update={"log_level": "warning"}))
    stop = stop_on_signals()
    file = alertmanager_config.absolute() if alertmanager_config else ALERTMANAGER_FILE
    say(f"data in {settings.data_dir}; logs in {settings.data_dir / 'logs'}")
    Monitoring(settings, Places(metrics_jobs(settings), port, alertmanager_port), file, say).run(stop)
    say("stopped; nothing is left running")
