"""What ``brinkwatch feeds`` does on the network and in the sandbox."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import typer
from yarl import URL

from config.errors import BrinkwatchError, ConfigError
from config.feeds import Feed, load_feeds
from config.redaction import shown
from config.settings import Settings
from connectors import discovery
from connectors.canonical import feed_address
from connectors.check import Checked, checker
from connectors.discovery import Discovery
from connectors.locations import same_origin
from connectors.outcome import Outcome
from pipeline.cli.common import progress_bar, say

WEB = ("http://", "https://")
ADDRESSES = (*WEB, "file:///")


def web(url: str) -> str:
    """``url`` with the scheme that people leave out."""
    return url if "://" in url or url.startswith("file:") else f"https://{url}"


def _say_guessing() -> None:
    say("the page links to no feed; looking in the usual places…")


async def find(settings: Settings, feed: Feed) -> Checked:
    """``feed``, else the first that the page at its address leads to, checked.

    Raises:
        BrinkwatchError: There is none that can be read, or it is at another origin than the one that the operator
            named an access block for: whoever writes a page must not choose who gets a password.
    """
    failed, hint = "adding a feed failed", "(--no-check adds an address all the same)"
    async with checker(settings) as checking:
        checked = await checking.check(feed)
        if checked.outcome is Outcome.NOT_A_FEED and _is_page(checked):
            found = await discovery.of_page(checked.fetched, checking.fetcher, checking.sandbox, on_guess=_say_guessing)
            if not found.found:
                raise BrinkwatchError(f"{failed}: {shown(feed.url)}: {checked.detail}; {found.error} {hint}")
            first = found.found[0]
            if feed.way is not None and not _same_origin(first.url, feed.url):
                raise BrinkwatchError(
                    f"{failed}: {shown(first.url)}: it is at another origin than {shown(feed.url)}, which alone gets "
                    f"what access {feed.access} sends; add it by its own address, with --access or without"
                )
            if not await discovery.may_be_asked(first, checked.fetched.final_url):
                raise BrinkwatchError(
                    f"{failed}: {shown(first.url)}: the page links to an address that is not public {hint}"
                )
            checked = await checking.check(replace(feed, url=first.url))
    if not checked.outcome.success:
        why = f"{shown(checked.feed.url)}: {checked.outcome.value}: {checked.detail}"
        raise BrinkwatchError(f"{failed}: {why}" + (f" {hint}" if checked.outcome is not Outcome.BAD_URL else ""))
    return checked


def _same_origin(one: str, other: str) -> bool:
    """Whether two texts are addresses of one origin, as a fetch tells where a secret may go."""
    try:
        return same_origin(URL(one), URL(other))
    except ValueError:
        return False


def _is_page(checked: Checked) -> bool:
    return not checked.feed.url.startswith("file:") and discovery.is_page(
        checked.fetched.body, checked.fetched.content_type
    )


async def check(settings: Settings, feeds: list[Feed]) -> list[Checked]:
    """How each of ``feeds`` is found, with a bar on a terminal."""
    async with checker(settings) as checking:
        with progress_bar("check", len(feeds)) as advance:
            return await checking.check_all(feeds, advance)


async def discover(settings: Settings, url: str) -> Discovery:
    """The feeds of the site of ``url``."""
    async with checker(settings) as checking:
        return await discovery.discover(web(url), checking.fetcher, checking.sandbox, on_guess=_say_guessing)


async def preview(settings: Settings, place: str) -> Checked:
    """The feed at an address, in a file, or the files of a folder.

    Raises:
        typer.BadParameter: There is no such file.
    """
    listed = await asyncio.to_thread(_listed, settings, place)
    async with checker(settings) as checking:
        if place.startswith(WEB):
            return await checking.check(listed)
        path = Path(unquote(urlsplit(place).path)) if place.startswith("file:///") else Path(place)
        try:
            if await asyncio.to_thread(path.is_dir):
                return await checking.check(replace(listed, url=path.absolute().as_uri()))
            return await checking.read_file(path, listed)
        except OSError as error:
            raise typer.BadParameter(f"{shown(place)}: {error.strerror}", param_hint="FILE|URL") from None
        except ValueError:
            raise typer.BadParameter(f"{shown(place)}: no path", param_hint="FILE|URL") from None


def _listed(settings: Settings, place: str) -> Feed:
    """The feed of the list that has this address: its id and what is vouched for count; else one of no list."""
    if place.startswith(ADDRESSES):
        with contextlib.suppress(ConfigError):
            listed = (feed for feed in load_feeds(settings.feeds_file) if feed_address(feed.url) == feed_address(place))
            return next(listed, Feed("preview", place))
        return Feed("preview", place)
    return Feed("preview", "")
