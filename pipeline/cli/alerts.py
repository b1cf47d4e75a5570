"""``brinkwatch alerts``: subscribe to alerts in the terminal, or as lines of JSON for another program."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.settings import load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging

if TYPE_CHECKING:
    from pipeline.scoring.rule_tests import Result


class Least(StrEnum):
    """Levels that can be asked for."""

    WATCH = "watch"
    WARNING = "warning"
    CRITICAL = "critical"


def alerts(
    context: typer.Context,
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
    if context.invoked_subcommand is not None:
        return
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


def test(
    rules: Annotated[Path, typer.Argument(metavar="RULES", help="A file of alert rules, such as alerts.yaml.")],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Timelines: what is told, what must come of it.")
    ],
) -> None:
    """Test alert rules: play each timeline, and compare the transitions with those it expects."""
    from config.alerts import load_alerts
    from pipeline.scoring.rule_tests import run

    found = load_alerts(rules)
    failed = 0
    for file in files:
        for result in run(file, found):
            print(f"{'ok    ' if result.passed else 'FAILED'}  {file.name}: {result.name}")
            failed += not result.passed
            for line in _failures(file, result):
                print(f"          {line}")
    if failed:
        print(f"{failed} failed")
        raise typer.Exit(1)


def _failures(file: Path, result: Result) -> Iterator[str]:
    for line, expected in result.missing:
        wanted = expected.model_dump(exclude_none=True, exclude={"after", "before"})
        until = "" if expected.before is None else f" and {expected.before:g} s"
        told = ", ".join(f"{key} {value}" for key, value in wanted.items())
        yield f"{file}:{line}: expected after {expected.after:g} s{until}, but did not come: {told}"
    for alert in result.surplus:
        muted = f", muted: {alert.muted}" if alert.muted else ""
        yield f"not expected: {alert.at.isoformat()} {alert.rule} {alert.transition} {alert.summary}{muted}"
