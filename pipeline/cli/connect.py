"""``brinkwatch connect``: poll the feeds and send what is new."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.settings import Settings, load_settings
from pipeline.cli.common import BootstrapServers, ConfigDir, set_up_logging

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from config.feed_lists import FeedLists
    from config.feeds import Feed
    from connectors.poll import Poll

FeedsFile = Annotated[
    list[str] | None,
    typer.Option(
        "--feeds", metavar="FILE|none", help="Feeds to poll, in place of the folder's feeds.yaml. Repeatable."
    ),
]
Once = Annotated[bool, typer.Option("--once", help="Poll every feed once, print how each went, and end.")]


def connect(
    feeds: FeedsFile = None,
    once: Once = False,
    config: ConfigDir = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Poll the news feeds and send new articles to Kafka. SIGTERM ends it once polls under way are done."""
    settings = load_settings(config_dir=config, bootstrap_servers=bootstrap_servers)
    set_up_logging(settings, serving=not once)
    lists = feed_lists(settings, feeds)
    chosen = lists.read()
    if once:
        _once(settings, chosen)
    else:
        _follow(settings, chosen, lists)


def feed_lists(settings: Settings, options: Sequence[str] | None) -> FeedLists:
    """The files of every ``--feeds`` (``none`` adds none), or that of the configuration where it is not given."""
    from config.feed_lists import FeedLists

    return FeedLists([Path(each) for each in options if each != "none"] if options else [settings.feeds_file])


def _follow(settings: Settings, feeds: Sequence[Feed], lists: FeedLists) -> None:
    from config import spans
    from connectors import metrics
    from connectors.service import run_until_signal

    metrics.serve(settings, settings.connect_metrics_port)
    spans.begin("connect", settings)
    asyncio.run(run_until_signal(settings, feeds, lists, _gate(settings)))
    spans.end()


def _gate(settings: Settings) -> Callable[[], Callable[[str], bool]]:
    """What builds the gate, where a feed's full text is wanted: connectors know nothing of extraction."""

    def build() -> Callable[[str], bool]:
        from pipeline.extraction.worth import load_gate

        return load_gate(settings)

    return build


def _once(settings: Settings, feeds: Sequence[Feed]) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from connectors.service import run

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("Polling feeds", total=sum(feed.enabled for feed in feeds))
        polling = run(settings, feeds, once=True, on_poll=lambda _: progress.advance(task), gate=_gate(settings))
        polls = asyncio.run(polling)
    _print_polls(polls)


def _print_polls(polls: Sequence[Poll]) -> None:
    """A table of polls, and how many ended how."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("feed", "outcome", "new", "updated", "seen", "seconds", "detail", box=None)
    for poll in polls:
        counts = [str(poll.handled.get(name, 0)) for name in ("new", "updated", "seen")]  # type: ignore[call-overload]  # a StrEnum's member equals its text
        table.add_row(poll.feed.id, poll.outcome.value, *counts, f"{poll.seconds:.2f}", Text(poll.detail[:80]))
    console = Console()
    if not console.is_terminal:
        console.width = 200  # a file or a pipe has no width that lines must fit
    console.print(table)
    tally = Counter(poll.outcome.value for poll in polls)
    console.print(", ".join(f"{number} {name}" for name, number in tally.most_common()) or "no feeds")
