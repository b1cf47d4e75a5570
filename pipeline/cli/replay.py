"""``brinkwatch replay``: dated articles through the same pipeline, in their own time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import BrinkwatchError
from config.settings import load_settings
from pipeline.cli.common import ConfigDir, progress_bar, set_up_logging

if TYPE_CHECKING:
    from config.settings import Settings
    from pipeline.replay import LineError, Replayed

SHOWN_ERRORS = 20


def replay(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.jsonl", help="Lines of JSON: published, title, text, source, url.")
    ],
    alerts: Annotated[Path, typer.Option(metavar="OUT.jsonl|-", help="Where to write the alerts, a line each.")],
    dyads: Annotated[Path | None, typer.Option(metavar="OUT.jsonl", help="Write the dyads as they end.")] = None,
    signals: Annotated[
        Path | None, typer.Option(metavar="OUT.jsonl", help="Write the signals, under each dyad.")
    ] = None,
    rules: Annotated[Path | None, typer.Option(metavar="FILE", help="Other rules than alerts.yaml.")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Bad lines, and articles that can't be read, are no failure.")
    ] = False,
    config: ConfigDir = None,
) -> None:
    """Play dated articles through extraction, scoring and rules, and write the alerts that would have been raised."""
    settings = load_settings(config_dir=config)
    set_up_logging(settings)
    bad: list[LineError] = []

    def on_error(error: LineError) -> None:
        bad.append(error)
        if len(bad) <= SHOWN_ERRORS:
            print(f"brinkwatch: {file}: {error}", file=sys.stderr)

    result = _run(settings, file, rules or settings.alerts_file, on_error)
    _write(alerts, _encoded(result.alerts))
    if dyads:
        _write(dyads, _encoded(result.dyads))
    if signals:
        _write(signals, _encoded(signal for _, signal in result.signals))
    found = f"{result.articles} articles, {len(result.signals)} signals, {len(result.alerts)} alert transitions"
    print(f"{found}, {len(bad)} bad lines, {len(result.crashed)} articles that could not be read", file=sys.stderr)
    if (bad or result.crashed) and not skip_bad:
        raise typer.Exit(1)


def _run(settings: Settings, file: Path, rules_file: Path, on_error: Callable[[LineError], None]) -> Replayed:
    from config.alerts import load_alerts

    rules = load_alerts(rules_file)
    try:
        source = file.open("rb")
        size = file.stat().st_size
    except OSError as error:
        raise BrinkwatchError(f"reading articles failed: {file}: {error.strerror}") from None
    from pipeline.extraction.engine import Engine  # takes seconds: after what can fail at once
    from pipeline.replay import bounded_lines, read
    from pipeline.replay import replay as run

    engine = Engine.load(settings)
    with source, progress_bar("replay", size, of_bytes=True) as advance:
        return run(read(_told(bounded_lines(source), advance), on_error), engine, rules)


def _told(lines: Iterable[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    for line in lines:
        advance(len(line))
        yield line


def _encoded(records: Iterable[object]) -> Iterator[bytes]:
    from pipeline.records import encode

    return (encode(record) for record in records)  # type: ignore[arg-type]  # alerts, dyads or signals: all records


def _write(path: Path, lines: Iterable[bytes]) -> None:
    """Lines to ``path``, or to standard output where that is ``-``."""
    if str(path) == "-":
        sys.stdout.buffer.writelines(line + b"\n" for line in lines)
        sys.stdout.buffer.flush()
        return
    try:
        with path.open("wb") as sink:
            sink.writelines(line + b"\n" for line in lines)
    except OSError as error:
        raise BrinkwatchError(f"writing failed: {path}: {error.strerror}") from None
