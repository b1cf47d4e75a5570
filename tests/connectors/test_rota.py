"""Whose turn it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.feeds import Feed
from connectors.rests import hostname
from connectors.rota import MAX_POLLS_A_HOST, SPACING_S, Turn, places, spacing_s
from connectors.rota import Rota as _Rota


class Rota(_Rota):
    """One in which each feed is asked of the host of its address, unless a host is given."""

    def add(self, due: float, feed: Feed, name: str = "") -> None:
        """As its parent, with a host of its own."""
        super().add(due, feed, name or hostname(feed.url))


def feed(number: int, site: str = "one", interval_s: float = 900.0, *, drill: bool = True) -> Feed:
    """A feed of ``site``; of the drill, whose hosts need no rest between two polls."""
    url = f"https://{site}.example/{number}"
    return Feed(id=f"{site}-{number:03}", url=url, interval_s=interval_s, drill=drill)


def taken(rota: Rota, now: float) -> list[Turn]:
    """Every feed that may start."""
    turns = []
    while found := rota.take(now):
        turns.append(found)
    return turns


def ids(turns: list[Turn]) -> list[str]:
    """Whose turns they are."""
    return [turn.feed.id for turn in turns]


def test_in_the_order_of_their_times():
    """The feed that is due first goes first, and none before its time."""
    rota = Rota()
    for due, name in ((3.0, "c"), (1.0, "a"), (2.0, "b")):
        rota.add(due, feed(0, name))
    assert taken(rota, 0.5) == []
    assert rota.wait_s(0.5) == 0.5
    assert [(turn.feed.id, turn.due) for turn in taken(rota, 2.0)] == [("a-000", 1.0), ("b-000", 2.0)]
    assert rota.wait_s(2.0) == 1.0


def test_a_slow_host_holds_no_other_up():
    """However many feeds of a slow host are due, it holds its two places and the others start."""
    rota = Rota()
    for number in range(100):
        rota.add(number / 100, feed(number, "slow"))
    rota.add(1.0, feed(0, "quick"))
    turns = taken(rota, 1.0)
    assert ids(turns) == ["slow-000", "slow-001", "quick-000"]
    assert rota.wait_s(1.0) is None
    rota.release(turns[2])
    assert taken(rota, 1.0) == []


def test_feeds_of_one_host_take_turns():
    """Of those that wait for one host none is forgotten and none overtakes, though they are lined up again."""
    rota = Rota()
    feeds = [feed(number) for number in range(9)]
    for number, one in enumerate(feeds):
        rota.add(float(number), one)
    order: list[str] = []
    now = 10.0
    while len(order) < 18:
        turns = taken(rota, now)
        assert 0 < len(turns) <= MAX_POLLS_A_HOST
        order += ids(turns)
        for turn in turns:
            now += 1.0
            rota.release(turn)
            rota.add(now, turn.feed)
    assert order[:9] == [one.id for one in feeds]
    assert sorted(order[9:18]) == order[:9]


def test_places_are_bounded():
    """No more than the limit start at once, over however many hosts; one that ends makes room for one."""
    rota = Rota(16)
    for number in range(50):
        rota.add(0.0, feed(0, f"host{number:03}"))
    turns = taken(rota, 0.0)
    assert len(turns) == 16
    assert rota.wait_s(0.0) is None
    rota.release(turns[0])
    assert ids(taken(rota, 0.0)) == ["host016-000"]


def test_places_respect_the_files_that_may_be_open():
    """Where few files may be open fewer polls run, rather than that each fails; there is always one."""
    assert [places(files) for files in (1_000_000, 1024, 256, 10)] == [256, 256, 42, 1]


def test_a_host_rests_between_two_polls():
    """A publisher with many feeds is not asked for all of them within a second."""
    rota = Rota()
    for number in range(3):
        rota.add(0.0, feed(number, drill=False))
    assert ids(taken(rota, 5.0)) == ["one-000"]
    assert rota.wait_s(5.0) == SPACING_S
    assert taken(rota, 5.9) == []
    assert ids(taken(rota, 6.0)) == ["one-001"]


def test_feeds_that_moved_to_one_host_take_turns_there():
    """However many sites have moved to one platform, it is asked by two polls at a time, a second apart."""
    rota = Rota()
    for number in range(5):
        rota.add(0.0, feed(number, f"site{number}", drill=False), "platform.example")
    assert len(taken(rota, 5.0)) == 1
    assert taken(rota, 5.5) == []
    assert len(taken(rota, 6.0)) == 1
    assert taken(rota, 9.0) == []
    assert rota.wait_s(9.0) is None


@pytest.mark.parametrize(
    ("one", "feeds", "expected"),
    [
        (feed(0, drill=False), 1, 1.0),
        (feed(0, drill=False), 1000, 0.45),
        (feed(0, drill=True), 1, 0.0),
        (Feed(id="here", url="http://127.0.0.1:8000/"), 1, 0.0),
        (Feed(id="name", url="http://127.outlet.example/"), 1, 1.0),
    ],
)
def test_how_long_a_host_rests(one: Feed, feeds: int, expected: float):
    """A thousand feeds of one host still keep their interval; this machine and the drill have no rest."""
    assert spacing_s(one, hostname(one.url), feeds) == expected


def test_a_feed_that_is_dropped_is_not_polled():
    """What was taken off the list goes, whether it is in line, called back, or stands aside; the others don't wait."""
    rota = Rota()
    for number in range(8):
        rota.add(0.0, feed(number))
    first = taken(rota, 1.0)
    for number in (2, 4, 7):
        rota.drop(f"one-{number:03}")
    rota.release(first[0])
    rota.release(first[1])
    second = taken(rota, 1.0)
    assert ids(second) == ["one-003", "one-005"]
    for turn in second:
        rota.release(turn)
    assert ids(taken(rota, 1.0)) == ["one-006"]
    assert len(rota) == 0


def test_a_feed_is_lined_up_once():
    """Lined up anew, only the new time counts, earlier or later."""
    rota = Rota()
    rota.add(5.0, feed(0))
    rota.add(2.0, feed(0))
    assert ids(taken(rota, 2.0)) == ["one-000"]
    assert taken(rota, 9.0) == []
    rota.add(1.0, feed(1))
    rota.add(8.0, feed(1))
    assert taken(rota, 7.0) == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_nothing_is_forgotten(data: st.DataObject):
    """Whatever is added, dropped, started and ended in whatever order: in the end each feed has had its turn."""
    rota = Rota(data.draw(st.integers(1, 6)))
    feeds = [feed(number, data.draw(st.sampled_from("abc")), drill=data.draw(st.booleans())) for number in range(12)]
    wanted: set[str] = set()
    under_way: list[Turn] = []
    now = 0.0
    for _ in range(data.draw(st.integers(0, 60))):
        one = data.draw(st.sampled_from(feeds))
        match data.draw(st.sampled_from(("add", "drop", "take", "end"))):
            case "add" if one.id not in {turn.feed.id for turn in under_way}:
                rota.add(now + data.draw(st.floats(0, 3)), one)
                wanted.add(one.id)
            case "drop":
                rota.drop(one.id)
                wanted.discard(one.id)
            case "take":
                under_way += taken(rota, now)
                wanted -= {turn.feed.id for turn in under_way}
            case "end" if under_way:
                rota.release(under_way.pop())
        now += data.draw(st.floats(0, 1))
    for _ in range(40):
        for turn in under_way:
            rota.release(turn)
        now += 5.0
        under_way = taken(rota, now)
        wanted -= {turn.feed.id for turn in under_way}
    assert not wanted
    assert len(rota) == 0
