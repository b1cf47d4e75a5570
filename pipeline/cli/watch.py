"""``brinkwatch watch``: dyads and alerts live in the terminal; plain lines where there is none."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from config.settings import load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging


def watch(
    plain: Annotated[bool, typer.Option("--plain", help="Plain lines, also on a terminal.")] = False,
    seconds: Annotated[float | None, typer.Option(min=0, help="With plain lines: stop after so many seconds.")] = None,
    bootstrap_servers: BootstrapServers = None,
    config: ConfigDir = None,
) -> None:
    """Watch dyads, scores and alerts as they change."""
    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings)
    if sys.stdout.isatty() and not plain:
        from pipeline.watch.app import run_app

        run_app(settings)
        return
    from pipeline.cli.job import stop_on_signals
    from pipeline.watch.plain import run_plain
    from pipeline.watch.subscribe import stop_after

    stop = stop_on_signals()
    stop_after(stop, seconds)
    run_plain(settings, stop, sys.stdout)
