"""Whose turn it is."""

from __future__ import annotations

from config.feeds import Feed
from connectors.rota import MAX_POLLS, MAX_POLLS_A_HOST, Rota


def feed(number: int, host: str) -> Feed:
    """A feed of ``host``."""
    return Feed(id=f"{host}-{number}", url=f"https://{host}.example/{number}")


def taken(rota: Rota, now: float) -> list[str]:
    """Every feed that may start."""
    ids = []
    while found := rota.take(now):
        ids.append(found.id)
    return ids


def test_in_the_order_of_their_times():
    """The feed that is due first goes first, and none before its time."""
    rota = Rota()
    for due, name in ((3.0, "c"), (1.0, "a"), (2.0, "b")):
        rota.add(due, feed(0, name))
    assert taken(rota, 0.5) == []
    assert rota.wait_s(0.5) == 0.5
    assert taken(rota, 2.0) == ["a-0", "b-0"]
    assert rota.wait_s(2.0) == 1.0


def test_a_slow_host_holds_no_other_up():
    """However many feeds of a slow host are due, it holds its two places and the others start."""
    rota = Rota()
    slow = [feed(number, "slow") for number in range(100)]
    for number, one in enumerate(slow):
        rota.add(number / 100, one)
    rota.add(1.0, feed(0, "quick"))
    assert taken(rota, 1.0) == ["slow-0", "slow-1", "quick-0"]
    assert rota.wait_s(1.0) is None
    rota.release(feed(0, "quick"))
    assert taken(rota, 1.0) == []
    rota.release(slow[1])
    assert rota.wait_s(1.0) == 0.0
    assert taken(rota, 1.0) == ["slow-2"]


def test_every_feed_of_a_host_has_its_turn():
    """Those that stepped aside all come, first come first served, also where some are lined up again."""
    rota = Rota()
    feeds = {one.id: one for one in (feed(number, "one") for number in range(9))}
    for number, one in enumerate(feeds.values()):
        rota.add(float(number), one)
    order: list[str] = []
    now = 10.0
    while len(order) < 18:
        ids = taken(rota, now)
        assert 0 < len(ids) <= MAX_POLLS_A_HOST
        order += ids
        for one in ids:
            now += 1.0
            rota.release(feeds[one])
            rota.add(now, feeds[one])
    assert order[:9] == sorted(feeds)
    assert sorted(order[9:18]) == sorted(feeds)


def test_places_are_bounded():
    """No more than the limit start at once, over however many hosts; one that ends makes room for one."""
    rota = Rota()
    feeds = [feed(0, f"host{number:03}") for number in range(50)]
    for one in feeds:
        rota.add(0.0, one)
    assert len(taken(rota, 0.0)) == MAX_POLLS
    assert rota.wait_s(0.0) is None
    rota.release(feeds[0])
    assert taken(rota, 0.0) == [feeds[MAX_POLLS].id]
