"""What ``brinkwatch feeds`` does on the network and in the sandbox."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import typer

from config.errors import BrinkwatchError, ConfigError
from config.feeds import Feed, load_feeds
from config.settings import Settings
from connectors import discovery
from connectors.check import Checked, checker
from connectors.discovery import Discovery
from connectors.outcome import Outcome
from pipeline.cli.common import progress_bar

ADDRESSES = ("http://", "https://", "file:///")


def web(url: str) -> str:
    """``url`` with the scheme that people leave out."""
    return url if "://" in url or url.startswith("file:") else f"https://{url}"


async def find(settings: Settings, url: str) -> Checked:
    """The feed at ``url``, else the first that its page leads to, checked.

    Raises:
        BrinkwatchError: There is none that can be read.
    """
    failed, hint = "adding a feed failed", "(--no-check adds an address all the same)"
    async with checker(settings) as checking:
        checked = await checking.check(Feed("new", web(url)))
        if checked.outcome is Outcome.NOT_A_FEED and not checked.feed.url.startswith("file:"):
            found = await discovery.of_page(checked.fetched, checking.fetcher, checking.sandbox)
            if not found.found:
                raise BrinkwatchError(f"{failed}: {url}: {checked.detail}; {found.error} {hint}")
            first = found.found[0]
            if not await discovery.may_be_asked(first, checked.fetched.final_url):
                raise BrinkwatchError(f"{failed}: {first.url}: the page links to an address that is not public {hint}")
            checked = await checking.check(Feed("new", first.url))
    if not checked.outcome.success:
        raise BrinkwatchError(f"{failed}: {checked.feed.url}: {checked.outcome.value}: {checked.detail} {hint}")
    return checked


async def check(settings: Settings, feeds: list[Feed]) -> list[Checked]:
    """How each of ``feeds`` is found, with a bar on a terminal."""
    async with checker(settings) as checking:
        with progress_bar("check", len(feeds)) as advance:
            return await checking.check_all(feeds, advance)


async def discover(settings: Settings, url: str) -> Discovery:
    """The feeds of the site of ``url``."""
    async with checker(settings) as checking:
        return await discovery.discover(web(url), checking.fetcher, checking.sandbox)


async def preview(settings: Settings, place: str) -> Checked:
    """The feed at an address, or in a file.

    Raises:
        typer.BadParameter: There is no such file.
    """
    listed = await asyncio.to_thread(_listed, settings, place)
    async with checker(settings) as checking:
        if place.startswith(ADDRESSES):
            return await checking.check(listed)
        try:
            return await checking.read_file(Path(place), listed)
        except OSError as error:
            raise typer.BadParameter(f"{place}: {error.strerror}", param_hint="FILE|URL") from None


def _listed(settings: Settings, place: str) -> Feed:
    """The feed of the list that has this address: its id and what is vouched for count; else one of no list."""
    if place.startswith(ADDRESSES):
        with contextlib.suppress(ConfigError):
            return next((feed for feed in load_feeds(settings.feeds_file) if feed.url == place), Feed("preview", place))
        return Feed("preview", place)
    return Feed("preview", "")
