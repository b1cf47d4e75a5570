"""``brinkwatch replay``: dated articles through the same pipeline, in their own time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.alerts import AlertRules, load_alerts
from config.errors import BrinkwatchError
from config.settings import load_settings
from pipeline.cli.common import ConfigDir, progress_bar, set_up_logging
from pipeline.cli.replay_views import Views, duration, prepared_events

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
    scores: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="Write each dyad's score, baseline and level over time, a line a step."),
    ] = None,
    step: Annotated[str, typer.Option(metavar="DURATION", help="Between the scores over time.")] = "1h",
    report: Annotated[
        list[Path] | None,
        typer.Option(metavar="OUT.html|OUT.png", help="Write a report with charts and evidence; may be given twice."),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Dated events to hold the alerts against: dyad, from, until, level."),
    ] = None,
    truth_out: Annotated[
        Path | None, typer.Option(metavar="OUT.json", help="With --truth: write what came of it as JSON.")
    ] = None,
    horizon: Annotated[
        str, typer.Option(metavar="DURATION", help="With --truth: how long before an event an alert counts.")
    ] = "14d",
    rules: Annotated[Path | None, typer.Option(metavar="FILE", help="Other rules than alerts.yaml.")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Bad lines, and articles that can't be read, are no failure.")
    ] = False,
    config: ConfigDir = None,
) -> None:
    """Play dated articles through extraction, scoring and rules, and write the alerts that would have been raised."""
    if truth_out and not truth:
        raise typer.BadParameter("--truth-out needs --truth")
    apart, before = duration(step), duration(horizon)
    settings = load_settings(config_dir=config)
    set_up_logging(settings)
    reports = tuple(report or ())
    found_rules, events = load_alerts(rules or settings.alerts_file), prepared_events(truth, reports)
    bad = BadLines(file)
    result = _run(settings, file, found_rules, bad.tell)
    _write(alerts, _encoded(result.alerts))
    if dyads:
        _write(dyads, _encoded(result.dyads))
    if signals:
        _write(signals, _encoded(signal for _, signal in result.signals))
    views = Views(file.name, found_rules, scores, apart, reports, events, before, truth_out)
    views.show(result, sys.stderr if str(alerts) == "-" else sys.stdout)
    found = f"{result.articles} articles, {len(result.signals)} signals, {len(result.alerts)} alert transitions"
    print(f"{found}, {bad.count} bad lines, {len(result.crashed)} articles that could not be read", file=sys.stderr)
    if (bad.count or result.crashed) and not skip_bad:
        raise typer.Exit(1)


@dataclass(slots=True)
class BadLines:
    """Tells of the first bad lines of a file, and counts them all."""

    file: Path
    count: int = 0

    def tell(self, error: LineError) -> None:
        """Another one."""
        self.count += 1
        if self.count <= SHOWN_ERRORS:
            print(f"brinkwatch: {self.file}: {error}", file=sys.stderr)


def _run(settings: Settings, file: Path, rules: AlertRules, on_error: Callable[[LineError], None]) -> Replayed:
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
