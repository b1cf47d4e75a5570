"""``brinkwatch feeds``: the list of feeds: look at it, change it, try it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import BrinkwatchError
from config.redaction import shown
from config.settings import Settings, load_settings
from connectors.status import Standing
from pipeline.cli.common import ConfigDir, progress_bar, say, set_up_logging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.feeds import Defaults, Feed
    from config.ways import Way

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
    min_interval: Annotated[
        str | None, typer.Option(metavar="5m", help="The least, where it follows the feed.")
    ] = None,
    max_interval: Annotated[str | None, typer.Option(metavar="2h", help="The most, where it follows the feed.")] = None,
    full_text: Annotated[
        str | None, typer.Option(metavar="WORD", help="never, on_trigger or always: whether pages are asked for.")
    ] = None,
    access: Annotated[
        str | None, typer.Option(metavar="NAME", help="The block of access: in the list by which it is reached.")
    ] = None,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Whether it is fetched and read first.")] = True,
    feeds: FeedsFile = None,
    config: ConfigDir = None,
) -> None:
    """Add a feed to the list. It is fetched and read first; of a page, the first feed that it links to is added."""
    from config.feeds import Feed
    from config.feeds_edit import add as to_text
    from config.feeds_edit import edit_file
    from connectors.opml import Outline, with_ids
    from pipeline.cli import feeds_work as work

    settings, path = _chosen(config, feeds)
    there = _load(path) if path.exists() else ()
    url = work.web(_no_path(url))
    options = {
        "id": id_, "title": title, "interval": interval, "language": language, "source": source,
        "min_interval": min_interval, "max_interval": max_interval, "full_text": full_text, "access": access,
    }  # fmt: skip
    given = {key: value for key, value in options.items() if value}
    way = _fitting(path, url, given, there)
    _refuse_known(url, there)
    if check:
        found = asyncio.run(work.find(settings, Feed("new", url, language=language, access=access or "", way=way)))
        url = found.feed.url
        given.setdefault("title", found.parsed.title if found.parsed else "")
        _refuse_known(url, there)
    (made,) = with_ids([Outline(url, given.get("title", ""))], [feed.id for feed in there])
    row = {**made.given, **given, "url": url}
    _say_if_new(path)
    edit_file(path, lambda text: to_text(text, [row]))
    print(f"added {row['id']}  {url}")


@app.command("remove")
def remove(feed: FeedName, feeds: FeedsFile = None, config: ConfigDir = None) -> None:
    """Take a feed out of the list. What it has shown is remembered for a month, should it come back."""
    from config.feeds_edit import edit_file
    from config.feeds_edit import remove as from_text

    _, path = _chosen(config, feeds)
    _must_be_there(path)
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
            print(json.dumps({"url": found.url, "format": found.kind, "title": found.title}, ensure_ascii=False))
    elif discovery.found:
        views.table(("url", "format", "title"), [views.found_row(found) for found in discovery.found])
    if not discovery.found:
        raise BrinkwatchError(f"finding feeds failed: {shown(work.web(url))}: {discovery.error}")


@app.command("preview")
def preview(
    place: Annotated[str, typer.Argument(metavar="FILE|URL", help="A file or folder on this machine, or an address.")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each article.")] = False,
    config: ConfigDir = None,
) -> None:
    """Print the articles that a feed would give, as they would be sent; how it was read goes to stderr.

    Nothing is sent or remembered. Of a feed in the list, its id, language and access count. Pages of entries are not
    fetched (full_text). The exit code tells nothing of the feed.
    """
    from connectors.check import to_be_sent
    from connectors.plaintext import counted
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
    why = "" if checked.outcome.success else f" {checked.detail}"
    count = f" {counted(len(articles), 'article')}" if checked.outcome.success else ""
    views.tell(f"{checked.outcome.value}:{kind}{count}{':' if kind and why else ''}{why}")
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
    from connectors.canonical import feed_address
    from pipeline.watch.render import clean

    _, path = _chosen(config, feeds)
    listing = opml.parse(_read(file, opml.MAX_BYTES + 1), str(file), files=files)
    there = _load(path) if path.exists() else ()
    urls, fresh = {feed_address(feed.url) for feed in there}, []
    for outline in listing.outlines:
        if (address := feed_address(outline.url)) not in urls:
            urls.add(address)
            fresh.append(outline)
    usual = _usual(path)
    rows, bad, named, less = [], listing.unusable, list(listing.named), []
    with progress_bar("import", len(fresh)) as advance:
        for outline in opml.with_ids(fresh, [feed.id for feed in there]):
            row = usable({"title": outline.title, "url": outline.url, **outline.given}, usual)
            if row is None:
                bad += 1
                named.append(outline.url)
            else:
                rows.append(row)
                less += _left_out(outline.given, row)
            advance(1)
    for address in named[: opml.MAX_NAMED]:
        say(f"unusable: {clean(shown(address), opml.MAX_TITLE)}")
    for each in less[: opml.MAX_NAMED]:
        say(clean(shown(each), opml.MAX_TITLE))
    if rows:
        _say_if_new(path)
        edit_file(path, lambda text: to_text(text, rows))
    known = len(listing.outlines) - len(fresh)
    print(f"{len(rows)} added, {known} there already, {bad} unusable" + (f", {len(less)} in part" if less else ""))


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
    say(f"wrote {output}")


def _no_path(url: str) -> str:
    """``url``, unless it is a path."""
    if "://" in url or not (url.startswith(("/", "./", "../", "~")) or _is_file(url)):
        return url
    path = Path(url)
    with contextlib.suppress(RuntimeError):  # ~ of nobody here
        path = path.expanduser()
    meant = path.absolute().as_uri()
    raise BrinkwatchError(f"adding a feed failed: {url}: a path is no address; did you mean {meant}?")


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # too long for a path, or in a folder that is closed to us
        return False


def _fitting(path: Path, url: str, given: dict[str, str], there: tuple[Feed, ...]) -> Way | None:
    """The access block that is asked for, where the feed can stand so in the list at ``path``; before any request.

    Raises:
        typer.BadParameter: An option can't be so.
        BrinkwatchError: The address can't.
    """
    from config.feeds import load_ways, unfit

    if found := unfit({"id": "new", **given, "url": url}, _usual(path)):
        key, why = found
        if key == "url":
            raise BrinkwatchError(f"adding a feed failed: {shown(url)}: {why}")
        raise typer.BadParameter(why, param_hint=f"--{key.replace('_', '-')}")
    if any(feed.id == given.get("id") for feed in there):
        raise typer.BadParameter(f"{given['id']}: another feed has it", param_hint="--id")
    ways = load_ways(path) if path.exists() else {}
    if (name := given.get("access")) is None:
        return None
    if name not in ways:
        raise typer.BadParameter(f"the name of a block of access: (found {name!r})", param_hint="--access")
    return ways[name]


def _left_out(given: Mapping[str, str], row: Mapping[str, str]) -> list[str]:
    """What is to be said of a feed that is taken without something that its list said; nothing where all is."""
    without = [f"{key} {value}" for key, value in given.items() if key not in row]
    return [f"{row['id']}: left out: {', '.join(without)}"] if without else []


def _usual(path: Path) -> Defaults:
    from config.feeds import Defaults, load_defaults

    return load_defaults(path) if path.exists() else Defaults()


def _refuse_known(url: str, there: tuple[Feed, ...]) -> None:
    from connectors.canonical import feed_address

    if known := next((feed for feed in there if feed_address(feed.url) == feed_address(url)), None):
        raise BrinkwatchError(f"adding a feed failed: {shown(url)}: it is in the list as {known.id}")


def _say_if_new(path: Path) -> None:
    if not path.exists():
        say(f"new list {path}")


def _must_be_there(path: Path) -> None:
    if not path.exists():
        raise BrinkwatchError(f"changing the list of feeds failed: {path}: there is no such list")


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
        raise BrinkwatchError(f"checking feeds failed: {', '.join(unknown)}: no feed has this id")
    return [by_id[each] for each in dict.fromkeys(ids)]


def _set_enabled(feed: str, feeds: Path | None, config: Path | None, *, enabled: bool) -> None:
    from config.feeds_edit import edit_file, set_enabled

    def meant(before: dict[str, Feed]) -> dict[str, Feed]:
        return {
            key: dataclasses.replace(each, enabled=enabled) if key == feed else each for key, each in before.items()
        }

    _, path = _chosen(config, feeds)
    _must_be_there(path)
    edit_file(path, lambda text: set_enabled(text, feed, enabled=enabled), meant)
