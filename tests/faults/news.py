"""The news of a run: what each feed publishes, and when; a pure function of the seed.

Some feeds are **lanes**: each tells of actors that no other feed names, oldest entry first, with addresses chosen so
that all its articles fall into one partition. So the order of a lane's signals does not depend on how the feeds were
polled, and the lanes' end is known before the run. Others are **free**: their dyads are told of by every free feed, in
whatever order they arrive. These are all of the drill, for only such feeds may be polled every few seconds. **Slow**
ones are real feeds, polled once a minute, with how much news flows in each article: a long run has them, too.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from kafka.partitioner.default import murmur2

from config.feeds import Feed
from connectors import identity
from connectors.entry import Entry
from pipeline.records import Article

RATE = 4.0
"""Entries a second, over all feeds."""
LANES, FREE, SLOW = 4, 4, 2
FEEDS = LANES + FREE + SLOW
PARTITIONS = 4
BASE = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
"""When the first entry was published. The rule of the lanes samples every 15 h, next two hours later."""
CLOSING = timedelta(minutes=10)
"""How long after the last entry the closing one was published: what falls due by then must be told."""
LANE_PAIRS = (
    (("Russia", "Ukraine"), ("Iran", "Israel")),
    (("China", "Taiwan"), ("Egypt", "Ethiopia")),
    (("India", "Pakistan"), ("Serbia", "Kosovo")),
    (("Turkey", "Greece"), ("Sudan", "Chad")),
)
FREE_PAIRS = (
    ("Armenia", "Azerbaijan"), ("Algeria", "Morocco"), ("Japan", "North Korea"), ("Peru", "Ecuador"),
    ("Kenya", "Somalia"), ("Thailand", "Cambodia"), ("Colombia", "Venezuela"), ("Poland", "Belarus"),
)  # fmt: skip
SLOW_PAIRS = (("Norway", "Iceland"), ("Chile", "Bolivia"), ("Rwanda", "Burundi"))
WAVE = 40
"""Free entries for which the same few dyads are in the news."""
TOLD = (
    "{a} has massed over {n},000 troops on its border with {b}, officials said on Tuesday.",
    "{a} imposed sanctions on {b} on Tuesday, the foreign ministry said.",
    "{a} attacked {b} with missiles on Tuesday, killing {n} soldiers.",
    "{a} threatened to attack {b} within {n} days.",
    "{a} deployed {n} tanks near the border with {b}, the army said.",
    "{a} withdrew its troops from the border with {b} on Tuesday, the army said.",
    "{a} and {b} signed a ceasefire on Tuesday, officials said.",
    "{a} ruled out an attack on {b}.",
)
WORDS = [
    "bakery", "ribbon", "harvest", "lantern", "violin", "orchard", "meadow", "pottery", "kettle", "saddle", "pebble",
    "curtain", "almond", "teapot", "carpet", "garden", "pillow", "cellar", "basket", "mitten", "whistle", "candle",
    "feather", "marble", "thimble", "walnut", "button", "clover",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of one feed.

    Attributes:
        feed: Number of the feed; the first ``LANES`` are lanes.
        entry: As a reader of the feed understands it.
    """

    feed: int
    entry: Entry


def feed(number: int, port: int = 1) -> Feed:
    """The feed as configured: lanes first, then the free ones, then the slow ones."""
    url = f"http://127.0.0.1:{port}/{number}.rss"
    if number < LANES + FREE:
        return Feed(f"{'lane' if number < LANES else 'free'}-{number}", url, 3.0, language="en", drill=True)
    return Feed(f"slow-{number}", url, 60.0, language="en")


@lru_cache(maxsize=50_000)
def item(seed: int, number: int, *, slow: bool) -> Item:
    """Entry ``number`` of the run, published ``number / RATE`` seconds after its start.

    Args:
        seed: Of the run.
        number: From 0.
        slow: Whether the run has slow feeds.
    """
    dice = random.Random(f"news {seed} {number}")
    place = dice.randrange(FEEDS if slow else LANES + FREE)
    at = BASE + timedelta(seconds=int(number / RATE))
    one, other = dice.sample(dice.choice(_pairs(place, number)), 2)
    filler = " ".join(dice.choices(WORDS, k=14))
    told = dice.choice(TOLD).format(a=one, b=other, n=dice.randrange(2, 90)) if dice.random() < 0.7 else ""
    return Item(place, _entry(number, place, at, f"{told} Note {number}: {filler}.".strip()))


def closing(seed: int, number: int) -> Item:
    """What is published when all else has been worked off: it takes time on, so that what is due then is told."""
    at = BASE + timedelta(seconds=int(number / RATE)) + CLOSING
    text = TOLD[-1].format(a="Cuba", b="Haiti")
    return Item(LANES, _entry(number, LANES, at, f"{text} Note {number} closes run {seed}."))


def article(told: Item, fetched_at: datetime) -> Article:
    """The article that the entry must become on the clock of records."""
    return identity.article(told.entry, feed(told.feed), fetched_at, "records")


def partition(article_id: str) -> int:
    """Where Kafka's clients put a key."""
    return (murmur2(article_id.encode()) & 0x7FFFFFFF) % PARTITIONS


def _pairs(place: int, number: int) -> tuple[tuple[str, str], ...]:
    """The dyads that a feed tells of at that time."""
    if place < LANES:
        return LANE_PAIRS[place]
    if place >= LANES + FREE:
        return SLOW_PAIRS
    first = number // WAVE
    return tuple(FREE_PAIRS[(first + step) % len(FREE_PAIRS)] for step in range(3))


def _entry(number: int, place: int, at: datetime, text: str) -> Entry:
    return Entry(guid=f"{number}", url=_url(number, place), title="", text=text, published=at)


def _url(number: int, place: int) -> str:
    """An address at one of nine outlets; that of a lane's entry falls into the lane's partition."""
    for nonce in range(1000):
        url = f"https://wire-{number % 9}.example/{place}/{number}-{nonce}"
        if place >= LANES or partition(identity.article_id(url, "", "", "")) == place:
            return url
    raise AssertionError(number)
