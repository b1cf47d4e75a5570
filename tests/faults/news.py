"""The news of a run: what each feed publishes, and when; a pure function of the seed.

Half of the feeds are **lanes**: each tells of actors that no other feed names, oldest entry first, with addresses chosen
so that all its articles fall into one partition. So the order of a lane's signals does not depend on how the feeds were
polled, and the lanes' end is known before the run. The others are **free**: their dyads are told of by every free feed,
in whatever order they arrive.
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
LANES = 4
FREE = 6
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
WORDS = (
    "bakery ribbon harvest lantern violin orchard meadow pottery kettle saddle pebble curtain almond teapot carpet "
    "garden pillow cellar basket mitten whistle candle feather marble thimble walnut button clover"
).split()


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
    """The feed as configured. Lanes are of the drill: only such feeds may be polled every other second."""
    url = f"http://127.0.0.1:{port}/{number}.rss"
    if number < LANES:
        return Feed(f"lane-{number}", url, 2.0, language="en", drill=True)
    return Feed(f"free-{number}", url, 60.0, language="en")


@lru_cache(maxsize=20_000)
def item(seed: int, number: int) -> Item:
    """Entry ``number`` of the run, published ``number / RATE`` seconds after its start."""
    dice = random.Random(f"news {seed} {number}")
    place = dice.randrange(LANES + FREE)
    at = BASE + timedelta(seconds=int(number / RATE))
    pairs = LANE_PAIRS[place] if place < LANES else _in_the_news(number)
    one, other = dice.sample(dice.choice(pairs), 2)
    filler = " ".join(dice.choices(WORDS, k=14))
    told = dice.choice(TOLD).format(a=one, b=other, n=dice.randrange(2, 90)) if dice.random() < 0.7 else ""
    return Item(place, _entry(number, place, at, f"{told} Note {number}: {filler}.".strip()))


def closing(seed: int, count: int) -> tuple[Item, ...]:
    """What is published when all else has been worked off: one entry for each lane, which takes time on."""
    at = BASE + timedelta(seconds=int(count / RATE)) + CLOSING
    text = TOLD[7].format(a="Norway", b="Iceland")
    return (Item(0, _entry(count, 0, at, f"{text} Note {count} closes run {seed}.")),)


def article(told: Item, fetched_at: datetime) -> Article:
    """The article that the entry must become on the clock of records."""
    return identity.article(told.entry, feed(told.feed), fetched_at, "records")


def partition(article_id: str) -> int:
    """Where Kafka's clients put a key."""
    return (murmur2(article_id.encode()) & 0x7FFFFFFF) % PARTITIONS


def _in_the_news(number: int) -> tuple[tuple[str, str], ...]:
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
