"""``brinkwatch extract``: from the articles topic to the signals topic; or from lines to lines, without Kafka."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from config.errors import BrinkwatchError
from config.settings import Settings, load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging

if TYPE_CHECKING:
    from pipeline.cli.job import Prepared
    from pipeline.extraction.sandbox import Sandbox


def extract(
    input_: Annotated[
        str | None,
        typer.Option(
            "--input", metavar="FILE|-", help="Lines of JSON to read instead of the topic: id, text, title, published."
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="One text to read instead of the topic.")] = None,
    published: Annotated[
        str | None, typer.Option(metavar="DATE", help="When --text was published, such as 2026-03-01.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", metavar="FILE|-", help="Where to write a line of JSON for each line read: - if not said."
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say for a person why each sentence gave what it gave.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the same as a page to be opened in a browser.")
    ] = None,
    bootstrap_servers: BootstrapServers = None,
    config: ConfigDir = None,
) -> None:
    """Find signals in articles: a member of a consumer group, as many as you like.

    With --input or --text no Kafka is needed: each line of JSON gives one line with its signals, or, with --explain or
    --html, an explanation. --explain takes standard output; with it, answers are written only where --output is a file.
    """
    _check(input_, text, published, output, explain=explain, html=html)
    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings, serving=input_ is None and text is None)
    if input_ is None and text is None:
        _serve(settings)
        return
    with ExitStack() as stack:
        source = _opened(input_, stack) if input_ is not None else [_line(text or "", published)]
        viewed = explain or html is not None
        sink = None if viewed and output is None else _sink(output or "-", stack)
        bad = _views(settings, source, sink, html, explain=explain) if viewed else _lines(settings, source, sink)
    if bad:
        raise typer.Exit(1)


def _check(
    input_: str | None, text: str | None, published: str | None, output: str | None, *, explain: bool, html: Path | None
) -> None:
    """Options that do not go together.

    Raises:
        BadParameter: Which, and why.
    """
    if input_ is not None and text is not None:
        raise typer.BadParameter("--input and --text: give one of them")
    if input_ is None and text is None and (explain or html or output):
        raise typer.BadParameter("--explain, --html and --output need --input or --text")
    if published is not None and text is None:
        raise typer.BadParameter("--published needs --text; a line of --input has its own")
    if explain and output == "-":
        raise typer.BadParameter("--explain and --output - both want standard output")


def _line(text: str, published: str | None) -> str:
    """The text as a line of input."""
    import json

    return json.dumps({"id": "text", "text": text, "published": published}, ensure_ascii=True)


def _opened(path: str, stack: ExitStack) -> TextIO:
    # A byte that is no UTF-8 spoils its line, not the file.
    if path == "-":
        sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # a real standard input
        return sys.stdin
    try:
        return stack.enter_context(Path(path).open(encoding="utf-8", errors="surrogateescape"))
    except OSError as error:
        raise BrinkwatchError(f"opening a file failed: {error.filename}: {error.strerror}") from None


def _sink(path: str, stack: ExitStack) -> TextIO:
    try:
        return sys.stdout if path == "-" else stack.enter_context(Path(path).open("w", encoding="utf-8"))
    except OSError as error:
        raise BrinkwatchError(f"opening a file failed: {error.filename}: {error.strerror}") from None


def _lines(settings: Settings, source: Iterable[str], sink: TextIO | None) -> int:
    """Lines in, lines out; how many lines could not be used."""
    from pipeline.extraction.engine import Engine
    from pipeline.extraction.lines import run_file

    return run_file(source, sink or sys.stdout, Engine.load(settings))


def _views(settings: Settings, source: Iterable[str], sink: TextIO | None, html: Path | None, *, explain: bool) -> int:
    """Lines in, explanations out; how many lines could not be used."""
    from pipeline.explain.reasons import Explainer
    from pipeline.explain.run import Views, run_views
    from pipeline.extraction.engine import Engine

    with Views(sys.stdout if explain else None, html, sink) as views:
        engine = Engine.load(settings)
        return run_views(source, views, engine, Explainer(engine))


def prepare(settings: Settings, stop: threading.Event, sandbox: Callable[[], Sandbox] | None = None) -> Prepared:
    """What the job needs to run: what reads articles, in a process of its own, and a place in the consumer group."""
    from pipeline.extraction.sandbox import Sandbox

    extractor = sandbox() if sandbox else Sandbox(settings)  # it loads the models while we import
    from config.health import board
    from pipeline import metrics
    from pipeline.cli.job import Prepared
    from pipeline.kafka.group import GroupMember
    from pipeline.records.topics import Topics
    from pipeline.transforms.extract import JOB, ExtractSession, build

    metrics.init_extract()
    extractor.wait()
    board.note("model", ok=True)
    topics = Topics(settings.topic_prefix)
    member = GroupMember(settings, topics.articles.name, topics.extract_group, JOB)
    board.watch_kafka(member.answered_s)
    session = ExtractSession(settings, extractor, member, stop)
    return Prepared(session, lambda pipeline: build(pipeline, session))


def _serve(settings: Settings) -> None:
    """The Beam job."""
    if settings.runner == "flink":
        from pipeline.cli.job import stop_on_signals
        from pipeline.transforms.extract import build
        from pipeline.transforms.flink import submit

        submit("extract", build, settings, stop_on_signals())
        return
    serve(settings)


def serve(settings: Settings, sandbox: Callable[[], Sandbox] | None = None) -> None:
    """Run the Beam job, with articles read in ``sandbox``, until it is told to stop."""
    from pipeline.cli.job import run_job, stop_on_signals

    stop = stop_on_signals()
    run_job("extract", settings, stop, settings.extract_metrics_port, lambda: prepare(settings, stop, sandbox))
