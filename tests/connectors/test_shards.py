"""Which part of the list is whose."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.shards import WHOLE, Move, Shard, layout, move, of_file, pinned, shard_of, share


def test_a_feed_s_shard_is_the_same_for_ever():
    """Another version, another process or another run must not poll another's feeds: these are fixed for good."""
    assert [shard_of(name, 4) for name in ("harbour-post", "straits-wire", "a", "d")] == [0, 0, 2, 1]
    assert shard_of("anything", 1) == 0


def test_shards_are_of_like_size():
    """No process has much more to do than another."""
    sizes = Counter(shard_of(f"feed-{n}", 8) for n in range(8000))
    assert len(sizes) == 8
    assert max(sizes.values()) < 1.15 * min(sizes.values())


@given(st.integers(1, 64), st.integers(1, 80))
def test_shares_add_up(shards: int, members: int):
    """Every shard is somebody's, and nobody has two more than another."""
    names = [f"{n:02}" for n in range(members)]
    shares = [share(shards, names, name) for name in reversed(names)]
    assert sum(shares) == shards
    assert max(shares) - min(shares) <= 1


def test_who_is_no_member_has_no_share():
    """A process whose own file was removed by hand takes nothing that others count as theirs."""
    assert share(4, ["a", "b"], "c") == 0


def test_moves():
    """Above the share the highest numbers go, below it more are wanted, at it nothing moves."""
    assert move({0, 3, 1}, 2) == Move(leave=(3,))
    assert move({2}, 3) == Move(want=2)
    assert move({1, 2}, 2) == Move()
    assert move(set(), 0) == Move()


def test_pins():
    """What the setting says, once each, and only shards that there are."""
    assert pinned("2,0,2", 4) == (0, 2)
    assert pinned("", 4) == ()
    with pytest.raises(ValueError, match=r"shards from 0 to 3 \(found 4\)"):
        pinned("4", 4)


def test_file_names_tell_their_shard():
    """What lies in the folder is known for what it is, and nothing else is taken for state."""
    for of in (1, 2, 12):
        assert [of_file(shard.file_name) for shard in layout(of)] == list(layout(of))
    assert layout(1) == (WHOLE,)
    assert of_file("state-0-of-2.sqlite-wal") is None
    assert of_file("state.sqlite.damaged-20261129T101010Z") is None
    assert len({Shard(n, 3).lock_name for n in range(3)}) == 3
