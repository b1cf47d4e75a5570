"""``brinkwatch feeds``: the list of feeds: look at it, change it, try it."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import BrinkwatchError
from config.settings import Settings, load_settings
from connectors.status import Standing
from pipeline.cli.common import ConfigDir, progress_bar, set_up_logging

if TYPE_CHECKING:
    from config.feeds import Feed

FeedsFile = Annotated[Path | None, typer.Option("--feeds", metavar="FILE", help="Another list than feeds.yaml.")]
FeedName = Annotated[str, typer.Argument(metavar="ID", help="The feed's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON for each row.")]

app = typer.Typer(help="The feeds: list, add, check, preview, import and export them.", no_args_is_help=True)


@app.command("list")
def list_(
    as_json: AsJson = False,
    state: Annotated[
        Standing | None, typer.Option(metavar="STATE", help="Only feeds that stand so: failing, ok…")
    ] = None,
    feeds: FeedsFile = None,
    config: ConfigDir = None,
) -> None:
    """List the feeds: how each stands, its last outcome and its next poll; also while connect runs."""
    from connectors.status import read_states, statuses
    from pipeline.cli import feeds_views as views

    settings, path = _chosen(config, feeds)
    found = statuses(_load(path), read_states(settings.data_dir / "connectors"))
    wanted = [status for status in found if state is None or status.standing is state]
    if as_json:
        for status in wanted:
            print(views.status_json(status))
        return
    views.table(views.STATUS_HEAD, [views.status_row(status, time.time()) for status in wanted])
    print(views.tally(status.standing.value for status in wanted))


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Of a feed, of a page that links to one, or file:///….")],
    id_: Annotated[str | None, typer.Option("--id", metavar="ID", help="Else made from the title.")] = None,
    title: Annotated[str | None, typer.Option(help="For people; else what the feed calls itself.")] = None,
    interval: Annotated[str | None, typer.Option(metavar="15m", help="Between two polls.")] = None,
    language: Annotated[str | None, typer.Option(metavar="en", help="That you vouch for.")] = None,
    source: Annotated[str | None, typer.Option(metavar="DOMAIN", help="The outlet's.")] = None,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Whether it is fetched and read first.")] = True,
    feeds: FeedsFile = None,
    config: ConfigDir = None,
) -> None:
    """Add a feed to the list. It is fetched and read first; of a page, the first feed that it links to is added."""
    from config.feeds_edit import EditError, edit_file
    from config.feeds_edit import add as to_text
    from connectors.opml import Outline, with_ids
    from pipeline.cli import feeds_work as work

    settings, path = _chosen(config, feeds)
    there = _load(path) if path.exists() else ()
    url = work.web(url)
    if check:
        found = asyncio.run(work.find(settings, url))
        url, title = found.feed.url, title or (found.parsed.title if found.parsed else "")
    if known := next((feed for feed in there if feed.url == url), None):
        raise EditError(f"adding a feed failed: {url}: it is in the list as {known.id}")
    given = {"title": title or "", "url": url, "interval": interval, "language": language, "source": source}
    (made,) = with_ids([Outline(url, title or "")], [feed.id for feed in there])
    row = {key: value for key, value in {**given, "id": id_ or made.given["id"]}.items() if value}
    edit_file(path, lambda text: to_text(text, [row]))
    print(f"added {row['id']}  {url}")


@app.command("remove")
def remove(feed: FeedName, feeds: FeedsFile = None, config: ConfigDir = None) -> None:
    """Take a feed out of the list. What it has shown is remembered for a month, should it come back."""
    from config.feeds_edit import edit_file
    from config.feeds_edit import remove as from_text

    _, path = _chosen(config, feeds)
    edit_file(path, lambda text: from_text(text, feed), lambda all_: {k: v for k, v in all_.items() if k != feed})
    print(f"removed {feed}")


@app.command("pause")
def pause(feed: FeedName, feeds: FeedsFile = None, config: ConfigDir = None) -> None:
    """Keep a feed in the list and poll it no more (enabled: false)."""
    _set_enabled(feed, feeds, config, enabled=False)
    print(f"paused {feed}")


@app.command("resume")
def resume(feed: FeedName, feeds: FeedsFile = None, config: ConfigDir = None) -> None:
    """Poll a paused feed again."""
    _set_enabled(feed, feeds, config, enabled=True)
    print(f"resumed {feed}")


@app.command("check")
def check(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID…]", help="Only these; else all that are not paused.")
    ] = None,
    feeds: FeedsFile = None,
    config: ConfigDir = None,
) -> None:
    """Fetch and read feeds once, without Kafka, and print how each was found. Exit code 1 if any is bad."""
    from pipeline.cli import feeds_views as views
    from pipeline.cli import feeds_work as work

    settings, path = _chosen(config, feeds)
    chosen = _picked(_load(path), ids or [])
    checked = asyncio.run(work.check(settings, chosen))
    views.table(views.CHECKED_HEAD, [views.checked_row(each) for each in checked])
    print(views.tally(each.outcome.value for each in checked))
    if not all(each.outcome.success for each in checked):
        raise typer.Exit(1)


@app.command("discover")
def discover(
    url: Annotated[str, typer.Argument(metavar="URL", help="A page of the site.")],
    as_json: AsJson = False,
    config: ConfigDir = None,
) -> None:
    """Find the feeds of a site: what its page links to, else the usual places. Exit code 1 if there are none."""
    import json

    from pipeline.cli import feeds_views as views
    from pipeline.cli import feeds_work as work

    settings = load_settings(config_dir=config)
    set_up_logging(settings)
    discovery = asyncio.run(work.discover(settings, url))
    if as_json:
        for found in discovery.found:
            print(json.dumps(dataclasses.asdict(found), ensure_ascii=False))
    elif discovery.found:
        views.table(("url", "format", "title"), [views.found_row(found) for found in discovery.found])
    if not discovery.found:
        raise BrinkwatchError(f"finding feeds failed: {url}: {discovery.error}")


@app.command("preview")
def preview(
    place: Annotated[str, typer.Argument(metavar="FILE|URL", help="A feed on this machine, or on the web.")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each article.")] = False,
    config: ConfigDir = None,
) -> None:
    """Print the articles that a feed would give, as they would be sent; how it was read goes to stderr.

    Nothing is sent or remembered. The exit code tells nothing of the feed.
    """
    from connectors.check import to_be_sent
    from pipeline.cli import feeds_views as views
    from pipeline.cli import feeds_work as work

    settings = load_settings(config_dir=config)
    set_up_logging(settings)
    checked = asyncio.run(work.preview(settings, place))
    articles = to_be_sent(checked)
    if as_json:
        for article in articles:
            print(views.article_json(article))
    elif articles:
        views.table(views.ARTICLE_HEAD, [views.article_row(article) for article in articles])
    sys.stdout.flush()
    parsed = checked.parsed
    kind = f" {parsed.kind}" if parsed and parsed.kind else ""
    why = parsed.error if parsed else checked.fetched.error
    views.tell(f"{checked.outcome.value}:{kind} {len(articles)} articles{f': {why}' if why else ''}")
    for warning in checked.warnings:
        views.tell(f"warning: {warning}")


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.opml", exists=True, dir_okay=False, help="A list of another reader.")
    ],
    files: Annotated[
        bool, typer.Option("--files", help="Take files on this machine (file:///…) too: only of a list of your own.")
    ] = False,
    feeds: FeedsFile = None,
    config: ConfigDir = None,
) -> None:
    """Add the feeds of an OPML file to the list. Addresses that are there already are passed over."""
    from config.feeds_edit import add as to_text
    from config.feeds_edit import edit_file, usable
    from connectors import opml

    _, path = _chosen(config, feeds)
    listing = opml.parse(_read(file, opml.MAX_BYTES + 1), str(file), files=files)
    there = _load(path) if path.exists() else ()
    urls, fresh = {feed.url for feed in there}, []
    for outline in listing.outlines:
        if outline.url not in urls:
            urls.add(outline.url)
            fresh.append(outline)
    rows, bad = [], listing.unusable
    with progress_bar("import", len(fresh)) as advance:
        for outline in opml.with_ids(fresh, [feed.id for feed in there]):
            row = usable({"title": outline.title, "url": outline.url, **outline.given})
            rows += [row] if row else []
            bad += row is None
            advance(1)
    if rows:
        edit_file(path, lambda text: to_text(text, rows))
    known = len(listing.outlines) - len(fresh)
    print(f"{len(rows)} added, {known} there already, {bad} unusable")


@app.command("export")
def export(
    output: Annotated[Path | None, typer.Option(metavar="FILE.opml", help="Else to standard output.")] = None,
    feeds: FeedsFile = None,
    config: ConfigDir = None,
) -> None:
    """Write the list as OPML 2.0, which other readers take, and `feeds import` takes back."""
    from config.feeds import load_defaults
    from connectors.opml import document

    _, path = _chosen(config, feeds)
    text = document(_load(path), load_defaults(path), datetime.now(UTC))
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BrinkwatchError(f"writing failed: {output}: {error.strerror}") from None


def _chosen(config: Path | None, feeds: Path | None) -> tuple[Settings, Path]:
    settings = load_settings(config_dir=config)
    set_up_logging(settings)
    return settings, feeds or settings.feeds_file


def _load(path: Path) -> tuple[Feed, ...]:
    from config.feeds import load_feeds

    return load_feeds(path)


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise BrinkwatchError(f"reading failed: {path}: {error.strerror}") from None


def _picked(feeds: tuple[Feed, ...], ids: list[str]) -> list[Feed]:
    if not ids:
        return [feed for feed in feeds if feed.enabled]
    by_id = {feed.id: feed for feed in feeds}
    if unknown := [each for each in ids if each not in by_id]:
        raise typer.BadParameter(f"no feed has the id {', '.join(unknown)}")
    return [by_id[each] for each in dict.fromkeys(ids)]


def _set_enabled(feed: str, feeds: Path | None, config: Path | None, *, enabled: bool) -> None:
    from config.feeds_edit import edit_file, set_enabled

    def meant(before: dict[str, Feed]) -> dict[str, Feed]:
        return {
            key: dataclasses.replace(each, enabled=enabled) if key == feed else each for key, each in before.items()
        }

    _, path = _chosen(config, feeds)
    edit_file(path, lambda text: set_enabled(text, feed, enabled=enabled), meant)
