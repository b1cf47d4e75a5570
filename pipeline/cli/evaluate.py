"""``brinkwatch evaluate``: how well extraction does on rows that somebody labelled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.common import ConfigDir, progress_bar, set_up_logging

if TYPE_CHECKING:
    from pipeline.evaluation.rows import Found, Gold, Id


def evaluate(
    gold: Annotated[
        Path, typer.Argument(metavar="GOLD.jsonl", help="Labelled rows: id, text, events (event_type, modality, …).")
    ],
    predictions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What `brinkwatch extract` gave for the rows, instead of running it now."),
    ] = None,
    errors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the rows that are wrong: expected, and found.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as a JSON object.")] = False,
    config: ConfigDir = None,
) -> None:
    """Precision, recall and F1 by event type, modality, alarms and leaks, on a file of your own labelled rows.

    A row: {"id": "1", "text": "…", "events": [{"event_type": "force", "modality": "threatened"}]}. What else a row may
    say, such as actors and magnitudes, is in docs/extraction.md.
    """
    from pipeline.evaluation.count import score
    from pipeline.evaluation.report import as_json as as_object
    from pipeline.evaluation.report import lines
    from pipeline.evaluation.rows import read_gold, read_predictions

    labelled = read_gold(gold)
    found = read_predictions(predictions) if predictions else _extracted(labelled.rows, config)
    figures, wrong = score(labelled.rows, found, labelled.scheme)
    if errors:
        from pipeline.evaluation.report import wrong_rows
        from pipeline.explain.files import whole

        with whole(errors) as sink:
            sink.writelines(line.decode() + "\n" for line in wrong_rows(wrong, found))
    print(json.dumps(as_object(figures), indent=2) if as_json else "\n".join(lines(figures)))
    if errors and not as_json:
        print(f"\n{len(wrong)} of {figures.rows} rows are wrong: {errors}")


def _extracted(rows: Sequence[Gold], config: Path | None) -> dict[Id, tuple[Found, ...]]:
    from config.settings import load_settings
    from pipeline.evaluation.run import extracted
    from pipeline.extraction.engine import Engine

    settings = load_settings(config_dir=config)
    set_up_logging(settings)
    engine = Engine.load(settings)
    with progress_bar("evaluate", len(rows)) as advance:
        return extracted(rows, engine, advance)
