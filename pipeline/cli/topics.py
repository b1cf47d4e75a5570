"""``brinkwatch topics``: the topics on a broker, as they are declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from config.settings import load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from deploy.topics import Applied

app = typer.Typer(help="The topics.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """One command today; named, so that there can be others."""


@app.command("apply")
def apply(
    partitions: Annotated[
        list[str] | None,
        typer.Option(
            "--partitions", metavar="NAME=N", help="More partitions than declared, of articles or signals. Repeatable."
        ),
    ] = None,
    grow: Annotated[bool, typer.Option("--grow", help="Give a topic that has fewer partitions more of them.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    wait: Annotated[float, typer.Option(min=0, max=3600, help="Seconds to wait for a broker that is not there.")] = 30,
    bootstrap_servers: BootstrapServers = None,
    config: ConfigDir = None,
) -> None:
    """Create the topics that are missing, and report how those that exist differ.

    Nothing is deleted, and no setting is changed. Ends with 1 where a difference would lose data: another clean-up
    policy, fewer partitions, or messages that the broker would not take. Safe to repeat.
    """
    wishes = _numbers(partitions or ())
    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings)
    from deploy.topics import Wish, apply_topics
    from pipeline.records.topics import Topics

    wish = Wish(wishes, grow=grow, dry_run=dry_run)
    applied = apply_topics(settings, Topics(settings.topic_prefix), wait, wish)
    for line in _lines(applied, "would be " if dry_run else ""):
        print(line)
    if any(each.is_fault for each in applied.differences):
        raise typer.Exit(1)


def _numbers(options: Sequence[str]) -> dict[str, int]:
    numbers = {}
    for option in options:
        name, _, number = option.partition("=")
        if not (number.isascii() and number.isdigit()):
            raise typer.BadParameter(f"--partitions: NAME=N, such as articles=8, not {option!r}")
        numbers[name] = int(number[:9])
    return numbers


def _lines(applied: Applied, would: str) -> Iterator[str]:
    """A line for each thing done or seen; one that nothing is to be done, where that is so."""
    yield from (f"{would}created  {name}" for name in applied.created)
    yield from (f"{would}grown  {name}" for name in applied.grown)
    for each in applied.differences:
        yield f"{'fault' if each.is_fault else 'differs'}  {each}"
    if not (applied.created or applied.grown or applied.differences):
        yield "every topic is as it must be"
