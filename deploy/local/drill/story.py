"""The drill's story: ``articles.yaml``, and what of it is out at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pydantic

from config.document import Strict, load
from config.errors import ConfigError
from config.feeds import Domain, FeedId

PATH = Path(__file__).parent / "articles.yaml"


class Outlet(Strict):
    """An invented outlet and the format of its feed."""

    id: FeedId
    title: str
    domain: Domain
    format: Literal["rss", "atom", "json"]


class Article(Strict):
    """One article: by whom, how many seconds after the drill's start, and what it says (one line a paragraph)."""

    outlet: str
    after: float = pydantic.Field(ge=0, le=3600)
    title: str = pydantic.Field(min_length=1)
    text: str = pydantic.Field(min_length=1)


class Story(Strict):
    """The whole story."""

    outlets: tuple[Outlet, ...]
    articles: tuple[Article, ...]

    @property
    def seconds(self) -> float:
        """When the last article is out."""
        return max((article.after for article in self.articles), default=0.0)


@dataclass(frozen=True, slots=True)
class Item:
    """An article as it stands in a feed of one performance.

    Attributes:
        url: Its address; it names the performance, so that each is news again.
        title: Its title.
        paragraphs: Its text.
        published: When it came out (UTC).
    """

    url: str
    title: str
    paragraphs: tuple[str, ...]
    published: datetime


def load_story(path: Path = PATH) -> Story:
    """The story.

    Raises:
        ConfigError: With every fault found.
    """
    document = load(path)
    story = document.check(Story)
    known = {outlet.id for outlet in story.outlets}
    faults = [
        document.fault(("articles", index, "outlet"), f"one of the outlets (found {article.outlet!r})")
        for index, article in enumerate(story.articles)
        if article.outlet not in known
    ]
    if faults:
        raise ConfigError(faults)
    return story


def items(story: Story, outlet: Outlet, start: datetime, now: datetime) -> list[Item]:
    """What ``outlet`` has published by ``now`` in the performance that began at ``start``; newest first."""
    found = []
    for number, article in enumerate(story.articles, 1):
        published = start + timedelta(seconds=article.after)
        if article.outlet == outlet.id and published <= now:
            url = f"https://{outlet.domain}/drill/{start:%Y%m%dT%H%M%S}/{number}"
            found.append(Item(url, article.title, tuple(article.text.strip().splitlines()), published))
    return sorted(found, key=lambda item: item.published, reverse=True)
