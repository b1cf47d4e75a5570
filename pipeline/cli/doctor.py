"""``brinkwatch doctor``: what this machine lacks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.common import ConfigDir

if TYPE_CHECKING:
    from config.settings import Settings
    from deploy.local.doctor import Check


def doctor(
    config: ConfigDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array instead of a table.")] = False,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="First get the broker's jars and Prism, where missing.")
    ] = False,
) -> None:
    """Say what this machine lacks to run Brinkwatch, and how to get it. Exit code 1 if something needed is missing."""
    from deploy.local.doctor import examine, healthy

    settings, check = _configuration(config)
    if fetch:
        _fetch(settings)
    checks = (check, *examine(settings))
    _print_json(checks) if as_json else _print_table(checks)
    if not healthy(checks):
        raise typer.Exit(1)


def _configuration(folder: Any) -> tuple[Settings, Check]:
    """The settings and their check; the defaults where they are faulty, so that the other checks still run."""
    from config.errors import ConfigError
    from config.settings import Settings, load_settings
    from deploy.local.doctor import Check

    try:
        settings = load_settings(config_dir=folder)
    except ConfigError as error:
        remedy = "correct it; the other checks are of the defaults"
        return Settings.model_construct(), Check("configuration", ok=False, found=str(error), remedy=remedy)
    return settings, Check("configuration", ok=True, found=str(settings.config_dir))


def _fetch(settings: Settings) -> None:
    """Get the jars and Prism; what can't be had shows in the checks, with its reason on stderr."""
    from rich.console import Console
    from rich.progress import Progress

    from config.errors import BrinkwatchError
    from deploy.local import jars
    from deploy.local.doctor import needs_broker
    from deploy.local.prism_binary import find_prism

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        try:
            if needs_broker(settings):
                task = progress.add_task("Broker's jars", total=None)
                jars.ensure(settings.cache_dir, lambda here, total: progress.update(task, completed=here, total=total))
                progress.remove_task(task)
            progress.add_task("Prism", total=None)
            find_prism(settings, progress.console.print)
        except BrinkwatchError as error:
            progress.console.print(f"brinkwatch: {error}", markup=False, highlight=False)


def _print_json(checks: tuple[Check, ...]) -> None:
    import dataclasses
    import json

    print(json.dumps([dataclasses.asdict(check) for check in checks], indent=2))


def _print_table(checks: tuple[Check, ...]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "", "found", "how to get it", box=box.SIMPLE)
    for check in checks:
        word, style = ("ok", "green") if check.ok else ("missing", "bold red") if check.needed else ("note", "yellow")
        table.add_row(Text(word, style), Text(check.name), Text(check.found), Text("" if check.ok else check.remedy))
    Console().print(table)
