"""``brinkwatch up``: the whole service on this machine, and a view of it at work."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.settings import Settings, load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, say, set_up_logging

if TYPE_CHECKING:
    from deploy.local.installation import Plan


def up(
    feeds: Annotated[
        str | None, typer.Option("--feeds", metavar="FILE|none", help="Feeds to poll, in place of config/feeds.yaml.")
    ] = None,
    drill: Annotated[bool, typer.Option(help="Play the built-in drill: a crisis between invented states.")] = True,
    seconds: Annotated[float | None, typer.Option(min=1, help="End by itself after so many seconds at work.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", metavar="DIR", help="Where everything that must survive is kept.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Lines of text, also on a terminal.")] = False,
    bootstrap_servers: BootstrapServers = None,
    config: ConfigDir = None,
) -> None:
    """Run everything on this machine: Kafka, connectors, extract, score, monitor, and the drill. Ctrl-C ends it all.

    Where receivers.yaml names receivers, notify runs too.

    Where Kafka is given, by --bootstrap-servers or the settings, that one is used, and none is started.
    """
    from deploy.local.installation import Plan

    given = data_dir.absolute() if data_dir else None
    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers, data_dir=given)
    listing = feeds if feeds in {None, "none"} else str(Path(feeds).absolute())
    embedded = "bootstrap_servers" not in settings.model_fields_set
    plan = Plan(settings=settings, embedded=embedded, feeds=listing, drill=drill)
    terminal = sys.stdout.isatty() and sys.stdin.isatty() and not plain
    _run(plan, seconds, terminal=terminal)


def _run(plan: Plan, seconds: float | None, *, terminal: bool) -> None:
    """Start, show, stop."""
    from deploy.local.installation import Installation
    from pipeline.cli.job import stop_on_signals

    set_up_logging(plan.settings.model_copy(update={"log_level": "warning"}))
    stop = stop_on_signals()
    installation = Installation(plan, say)
    say(f"data in {plan.settings.data_dir}; logs in {plan.settings.data_dir / 'logs'}")
    try:
        installation.start(stop)
        # Where it failed or was ended meanwhile there is nothing to show, but still what to check.
        if not stop.is_set():
            say(_where(installation.settings))
            _end_after(seconds, stop)
            _show(installation.settings, stop, terminal=terminal)
    finally:
        say("stopping")
        installation.stop()
    installation.check()
    say("stopped; nothing is left running")


def _end_after(seconds: float | None, stop: threading.Event) -> None:
    if seconds:
        timer = threading.Timer(seconds, stop.set)
        timer.daemon = True
        timer.start()


def _show(settings: Settings, stop: threading.Event, *, terminal: bool) -> None:
    if terminal:
        from pipeline.watch.app import run_app

        run_app(settings, stop)
    else:
        from pipeline.watch.plain import run_plain

        run_plain(settings, stop, sys.stdout)


def _where(settings: Settings) -> str:
    from deploy.local.installation import metrics_ports

    scheme = "https" if settings.metrics_certfile else "http"
    metrics = ", ".join(f"{scheme}://{settings.metrics_host}:{port}/metrics" for port in metrics_ports(settings))
    return f"up: Kafka at {settings.bootstrap_servers}; metrics at {metrics}"
