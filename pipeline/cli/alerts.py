"""``brinkwatch alerts``: subscribe to alerts in the terminal, or as lines of JSON for another program."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from config.settings import load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging


class Least(StrEnum):
    """Levels that can be asked for."""

    WATCH = "watch"
    WARNING = "warning"
    CRITICAL = "critical"


def alerts(
    level: Annotated[Least, typer.Option(help="Only alerts that are or were at this level or above.")] = Least.WATCH,
    dyad: Annotated[str | None, typer.Option(metavar="RUS-UKR|RUS", help="Only this dyad, or this side.")] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="24h|ISO", help="Every transition since then, in place of what is open now."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON for each transition.")] = False,
    follow: Annotated[bool, typer.Option(help="Go on until interrupted.")] = True,
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds.")] = None,
    bootstrap_servers: BootstrapServers = None,
    config: ConfigDir = None,
) -> None:
    """Show the alerts that are open now, then each transition as it is committed."""
    from pipeline.cli.job import stop_on_signals
    from pipeline.records import Alert, Level
    from pipeline.watch.subscribe import Filter, as_json, as_text, parse_dyad, parse_since, stop_after, subscribe

    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings)
    wanted = Filter(
        Level(level.value),
        parse_dyad(dyad) if dyad else None,
        parse_since(since, datetime.now(UTC)) if since else None,
    )
    text = as_json if json else as_text

    def show(alert: Alert, was_open: bool) -> None:
        print(text(alert, was_open), flush=True)

    stop = stop_on_signals()
    stop_after(stop, seconds)
    subscribe(settings, wanted, show, stop, follow=follow)
