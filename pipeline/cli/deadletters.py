"""``brinkwatch deadletters``: what could not be used: count it, look at it, send it again."""

from __future__ import annotations

import json
import sys
from collections import Counter, deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from config.settings import Settings, load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, progress_bar, set_up_logging

if TYPE_CHECKING:
    from pipeline.deadletters.reading import Reading
    from pipeline.deadletters.select import Wanted

Reason = Annotated[str | None, typer.Option(metavar="REASON", help="Only of this reason, such as version.")]
Stage = Annotated[
    str | None,
    typer.Option(metavar="STAGE", help="Only of this stage, such as extract.parse, or extract for all of it."),
]
Since = Annotated[str | None, typer.Option(metavar="24h|ISO", help="Only of messages that were written since then.")]
LetterPlace = Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="Where the letter stands, such as 0:12.")]

app = typer.Typer(help="What could not be used: count it, look at it, send it again.", no_args_is_help=True)


@app.command("list")
def list_(
    reason: Reason = None,
    stage: Stage = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Of single letters, at most the last so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each row.")] = False,
    bootstrap_servers: BootstrapServers = None,
    config: ConfigDir = None,
) -> None:
    """Count dead letters by stage and reason; with a filter, list single letters."""
    settings = _settings(config, bootstrap_servers)
    wanted = _wanted(reason, stage, since)
    reading = _reading(settings, wanted)
    if wanted.narrows:
        _list_letters(reading, wanted, limit, as_json=as_json)
    else:
        _list_table(reading, as_json=as_json)


@app.command("show")
def show(
    letter: LetterPlace,
    raw: Annotated[bool, typer.Option("--raw", help="Write the value's bytes as they are, and nothing else.")] = False,
    bootstrap_servers: BootstrapServers = None,
    config: ConfigDir = None,
) -> None:
    """Show one dead letter: why it is one, its headers, and its value as text or hex."""
    from pipeline.deadletters.letter import parse_place
    from pipeline.deadletters.render import STATES, shown
    from pipeline.deadletters.select import Wanted

    place = parse_place(letter)
    if raw and sys.stdout.isatty():
        raise typer.BadParameter("--raw writes to a file or a program: the bytes could steer the terminal")
    settings = _settings(config, bootstrap_servers)
    reading = _reading(settings, Wanted())
    found = reading.letter(place)
    if raw:
        sys.stdout.buffer.write(found.value or b"")
        return
    for line in shown(found):
        print(line)
    sys.stdout.flush()  # the rest takes reading the topic
    print(f"\nThe letter is {STATES[reading.survey().state(place)]}.")


@app.command("redrive")
def redrive(
    letter: Annotated[str | None, typer.Argument(metavar="PARTITION:OFFSET", help="One letter, such as 0:12.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every letter that is waiting.")] = False,
    reason: Reason = None,
    stage: Stage = None,
    since: Since = None,
    execute: Annotated[
        bool, typer.Option("--execute", help="Do it. Without this, only what would be sent is told.")
    ] = False,
    bootstrap_servers: BootstrapServers = None,
    config: ConfigDir = None,
) -> None:
    """Send dead letters again: to the topic they came from, or the receiver they were for; each once.

    Without --execute nothing is sent.
    """
    from pipeline.deadletters.letter import parse_place
    from pipeline.deadletters.run import redrive as run

    wanted = _wanted(reason, stage, since)
    if [letter is not None, all_, wanted.narrows].count(True) != 1:
        raise typer.BadParameter("say which: PARTITION:OFFSET, or --all, or some of --reason, --stage and --since")
    settings = _settings(config, bootstrap_servers)
    place = None if letter is None else parse_place(letter)
    tally = run(_reading(settings, wanted), settings, place or wanted, execute=execute)
    _tell("sent again" if execute else "would be sent again", tally.sent, "to ")
    _tell("left" if execute else "would be left", tally.left)
    if not execute and tally.sent:
        print("nothing was sent: --execute does it")
    if execute and tally.failed:
        raise typer.Exit(1)


def _settings(config: object, bootstrap_servers: str | None) -> Settings:
    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings)
    return settings


def _wanted(reason: str | None, stage: str | None, since: str | None) -> Wanted:
    from pipeline.deadletters.select import Wanted
    from pipeline.watch.subscribe import parse_since

    return Wanted(reason, stage, parse_since(since, datetime.now(UTC)) if since else None)


def _reading(settings: Settings, wanted: Wanted) -> Reading:
    from pipeline.deadletters.reading import Reading

    return Reading(settings, progress_bar, wanted.since)


def _list_table(reading: Reading, *, as_json: bool) -> None:
    from pipeline.deadletters.render import row_json, table_lines
    from pipeline.deadletters.table import Table

    table, survey = Table(), reading.survey()
    for letter, state in reading.letters(survey):
        table.count(letter, state)
    if as_json:
        for row in table.rows:
            print(json.dumps(row_json(row)))
        return
    if not table.rows:
        print("no dead letters")
    else:
        for line in table_lines(table.rows):
            print(line)
    if survey.strangers:
        print(f"{survey.strangers} other messages are no dead letters")


def _list_letters(reading: Reading, wanted: Wanted, limit: int, *, as_json: bool) -> None:
    from pipeline.deadletters.render import aligned, letter_cells, letter_json

    found: deque[object] = deque(maxlen=limit)
    count = 0
    for letter, state in reading.letters(reading.survey()):
        if wanted.wants(letter):
            count += 1
            found.append(letter_json(letter, state) if as_json else letter_cells(letter, state))
    if as_json:
        for each in found:
            print(json.dumps(each))
        return
    cells = [each for each in found if isinstance(each, tuple)]
    if not cells:
        print("no such dead letters")
        return
    for line in aligned([("letter", "written", "stage", "reason", "state", "why"), *cells]):
        print(line)
    if count > len(cells):
        print(f"the last {len(cells)} of {count}; --limit shows more")


def _tell(what: str, counts: Counter[tuple[str, str, str]], where: str = "") -> None:
    from pipeline.deadletters.render import aligned
    from pipeline.watch.render import clean

    print(f"{what}: {counts.total()}")
    rows = [
        (f"  {count}", clean(stage), clean(reason), where + clean(how))
        for (stage, reason, how), count in sorted(counts.items())
    ]
    for line in aligned(rows, right=[0]) if rows else ():
        print(line)
