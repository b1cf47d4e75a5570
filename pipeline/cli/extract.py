"""``brinkwatch extract``: from the articles topic to the signals topic; or from lines to lines, without Kafka."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from config.errors import BrinkwatchError
from config.settings import Settings, load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging


def extract(
    input_: Annotated[
        str | None,
        typer.Option(
            "--input", metavar="FILE|-", help="Lines of JSON to read instead of the topic: id, text, title, published."
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", metavar="FILE|-", help="Where to write a line of JSON for each line read.")
    ] = "-",
    bootstrap_servers: BootstrapServers = None,
    config: ConfigDir = None,
) -> None:
    """Find signals in articles: a member of a consumer group, as many as you like.

    With --input no Kafka is needed: each line of JSON gives one line with its signals.
    """
    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings)
    if input_ is None:
        _serve(settings)
    else:
        _lines(settings, input_, output)


def _lines(settings: Settings, input_: str, output: str) -> None:
    """Lines in, lines out; exit code 1 if a line could not be used."""
    from contextlib import ExitStack

    from pipeline.extraction.engine import Engine
    from pipeline.extraction.lines import run_file

    with ExitStack() as stack:
        source, sink = sys.stdin, sys.stdout
        try:
            # A byte that is no UTF-8 spoils its line, not the file.
            sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # a real standard input
            if input_ != "-":
                source = stack.enter_context(Path(input_).open(encoding="utf-8", errors="surrogateescape"))
            if output != "-":
                sink = stack.enter_context(Path(output).open("w", encoding="utf-8"))
        except OSError as error:
            raise BrinkwatchError(f"opening a file failed: {error.filename}: {error.strerror}") from None
        bad = run_file(source, sink, Engine.load(settings))
    if bad:
        raise typer.Exit(1)


def _serve(settings: Settings) -> None:
    """The Beam job."""
    from pipeline.cli.job import Prepared, run_job, stop_on_signals

    stop = stop_on_signals()

    def prepare() -> Prepared:
        from pipeline import metrics
        from pipeline.extraction.engine import Engine
        from pipeline.kafka.group import GroupMember
        from pipeline.records.topics import Topics
        from pipeline.transforms.extract import JOB, ExtractSession, build

        metrics.init_extract()
        topics = Topics(settings.topic_prefix)
        engine = Engine.load(settings)
        member = GroupMember(settings, topics.articles.name, topics.extract_group, JOB)
        session = ExtractSession(settings, engine, member, stop)
        return Prepared(session, lambda pipeline: build(pipeline, session))

    run_job("extract", settings, stop, settings.extract_metrics_port, prepare)
