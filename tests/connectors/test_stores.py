"""The shards of state that a process holds, and how they come to be more or fewer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from samples import article

from connectors import resharding
from connectors.aliases import Alias
from connectors.flows import Flows
from connectors.members import Members
from connectors.outcome import Outcome
from connectors.resharding import adopt, laid_out
from connectors.rests import RESTS, Rests
from connectors.shards import layout, shard_of
from connectors.store import FeedState, Seen, Store, StoreError
from connectors.stores import Stores

if TYPE_CHECKING:
    from pathlib import Path

FEEDS = [f"feed-{n}" for n in range(30)]
HOLDER = """
import sys; from pathlib import Path; from connectors.stores import Stores
with Stores(Path(sys.argv[1]), 2) as stores:
    stores.hold_all()
    print("held", flush=True)
    sys.stdin.read()
"""


def state(name: str) -> FeedState:
    """A feed's state."""
    return FeedState(name, f"https://{name}.example/", Outcome.OK, etag=f'"{name}"', polled_at=1.0, next_due=2.0)


def row(name: str, article: str = "", digest: str = "h") -> Seen:
    """An article that a feed brought."""
    return Seen(article or f"of-{name}", name, digest, 0, 5.0)


def fill(folder: Path, of: int) -> None:
    """State of thirty feeds in so many shards."""
    with Stores(folder, of) as stores:
        stores.hold_all()
        for name in FEEDS:
            stores.record(state(name), [row(name)])


def known(folder: Path, of: int) -> tuple[dict[str, FeedState], set[str]]:
    """All that is known, each feed and article looked for where it belongs."""
    with Stores(folder, of) as stores:
        stores.hold_all()
        for name in FEEDS:
            assert stores.part(name).seen([f"of-{name}"])
            assert name in stores.feeds_of(shard_of(name, of))
        return stores.feeds(), set(stores.seen([f"of-{name}" for name in FEEDS], FEEDS[0]))


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1), (4, 6), (6, 4)])
def test_another_number_of_shards_keeps_what_is_known(tmp_path: Path, before: int, after: int):
    """Changing the setting must not make every feed be read anew, nor leave files that are mistaken for state later."""
    fill(tmp_path, before)
    feeds, articles = known(tmp_path, after)
    assert feeds == {name: state(name) for name in FEEDS}
    assert articles == {f"of-{name}" for name in FEEDS}
    assert laid_out(tmp_path) == after
    files = {path.name for path in tmp_path.glob("state*.sqlite")}
    assert files == {shard.file_name for shard in layout(after)}


@pytest.mark.parametrize("step", ["_copy", "_drop"])
def test_killed_while_it_moves_state_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str):
    """Cut short anywhere, the next start finds the old layout whole, or the new one, whichever number it wants."""
    fill(tmp_path, 1)
    done = getattr(resharding, step)
    calls = []

    def dies(*given: object) -> None:
        calls.append(given)
        if len(calls) == (1 if step == "_copy" else 3):
            raise KeyboardInterrupt
        done(*given)

    monkeypatch.setattr(resharding, step, dies)
    with pytest.raises(KeyboardInterrupt):
        adopt(tmp_path, 4)
    monkeypatch.setattr(resharding, step, done)
    for of in (1, 4):
        assert len(known(tmp_path, of)[0]) == 30


def test_the_number_is_not_changed_under_those_who_use_it(tmp_path: Path):
    """Two numbers at once would poll feeds twice: the second process is told, and nothing is moved."""
    fill(tmp_path, 2)
    with Stores(tmp_path, 2) as stores:
        stores.hold_all()
        for of in (1, 3):
            with pytest.raises(StoreError, match=rf"used with 2 shards, not {of}"), Stores(tmp_path, of):
                pass
    with Stores(tmp_path, 1):  # the whole is one process's
        with pytest.raises(StoreError, match="another `brinkwatch connect` uses it"), Stores(tmp_path, 1):
            pass
        with pytest.raises(StoreError, match=r"used with 1 shards, not 2"), Stores(tmp_path, 2):
            pass


def test_a_shard_is_one_process_s_until_it_is_killed(tmp_path: Path):
    """While another process lives its shards can't be had; after kill -9 they can, at once, with what it wrote."""
    fill(tmp_path, 2)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        other.stdout.readline()
        with Stores(tmp_path, 2) as stores:
            assert stores.goal() == 1
            assert stores.opened(0) is None
            with pytest.raises(StoreError, match="another `brinkwatch connect` uses shard 0"):
                stores.hold_all()
            os.kill(other.pid, signal.SIGKILL)
            other.wait()
            assert stores.goal() == 2
            stores.hold_all()
            assert stores.feeds() == {name: state(name) for name in FEEDS}
    assert list((tmp_path / "members").iterdir()) == []


def test_members_come_and_go(tmp_path: Path):
    """Each sees the same ones; who left is none, and a file that nobody holds is removed."""
    with ExitStack() as stack:
        one, two = (stack.enter_context(Members(tmp_path)) for _ in range(2))
        (tmp_path / "members" / "123-dead").touch()
        assert one.alive() == two.alive() == tuple(sorted((one.me, two.me)))
        assert not (tmp_path / "members" / "123-dead").exists()
        two.__exit__()
        assert one.alive() == (one.me,)


def test_pins_are_all_that_is_held(tmp_path: Path):
    """Where processes share no disk each polls the shards that it is told, and nothing counts who else is there."""
    with Stores(tmp_path, 4, pins=(1, 3)) as stores:
        assert stores.goal() == 2
        stores.hold_all()
        assert stores.held == (1, 3)
        assert {stores.number(name) for name in FEEDS if stores.holds(name)} == {1, 3}
        stranger = next(name for name in FEEDS if not stores.holds(name))
        with pytest.raises(StoreError, match=r"shard \d is not held"):
            stores.record(state(stranger))


def test_a_retired_shard_polls_no_more_and_still_writes(tmp_path: Path):
    """A poll that is under way when its shard is given up can still be written down."""
    with Stores(tmp_path, 2) as stores:
        stores.hold_all()
        name = next(name for name in FEEDS if stores.number(name) == 1)
        stores.retire(1)
        assert not stores.holds(name)
        stores.record(state(name), [row(name)])
        stores.leave(1)
        assert stores.held == (0,)
        assert stores.wanted() == (1,)
        with Store(tmp_path, layout(2)[1]) as taken:
            assert taken.feeds() == {name: state(name)}


def test_an_article_of_feeds_in_two_shards(tmp_path: Path):
    """What another shard of the process has seen is seen; of two wordings that of the feed's own shard counts."""
    with Stores(tmp_path, 2) as stores:
        stores.hold_all()
        one, two = (next(name for name in FEEDS if stores.number(name) == number) for number in (0, 1))
        stores.record(state(one), [row(one, "shared", "first"), row(one, "only")])
        assert stores.seen(["shared", "only", "new"], two) == {
            "shared": row(one, "shared", "first"), "only": row(one, "only"),
        }  # fmt: skip
        stores.record(state(two), [row(two, "shared", "second")])
        assert stores.seen(["shared"], two)["shared"].content_hash == "second"
        assert stores.seen(["shared"], one)["shared"].content_hash == "first"


def test_polls_without_articles_share_a_commit(tmp_path: Path):
    """They can be read at once, and stand on the disk once settled; whoever gives a shard up settles it."""
    with Stores(tmp_path, 2) as stores:
        stores.hold_all()
        for name in FEEDS:
            stores.record(state(name))
        assert stores.unsettled
        assert len(stores.feeds()) == 30
        stores.settle()
        assert not stores.unsettled
        stores.record(state("late"))
    with Stores(tmp_path, 2) as stores:
        stores.hold_all()
        assert set(stores.feeds()) == {*FEEDS, "late"}


def name_of(stores: Stores, number: int) -> str:
    """The id of a feed of that shard."""
    return next(name for name in map(str, range(100)) if stores.number(name) == number)


def test_notes_of_the_process_go_with_its_shards(tmp_path: Path):
    """Whoever has one of the shards later finds what was noted."""
    with Stores(tmp_path, 2) as stores:
        assert stores.noted("rests") == ()
        stores.hold_all()
        stores.part(name_of(stores, 1)).note("rests", "some")
        assert stores.seen(["of-a"]) == {}
    with Stores(tmp_path, 2, pins=(1,)) as stores:
        stores.hold_all()
        assert stores.noted("rests") == stores.noted_of(1, "rests") == ("some",)


def of_shard(number: int, of: int) -> str:
    """A feed of that shard."""
    return next(name for name in FEEDS if shard_of(name, of) == number)


def told(folder: Path, of: int, at: datetime) -> set[float]:
    """Articles a day that feeds of every shard are told with one more."""
    with Stores(folder, of) as stores:
        stores.hold_all()
        flows = Flows(stores)
        names = [of_shard(number, of) for number in range(of)]
        found = [flows.measured(name, [article(feed=name, observed_at=at)])[0].flow for name in names]
        return {flow.articles for flow in found if flow}


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1), (2, 3)])
def test_another_number_of_shards_changes_no_count_of_articles(tmp_path: Path, before: int, after: int):
    """A day of 1,200 articles is no day of 4,800, nor one of 300, because the setting was changed."""
    fill(tmp_path, before)
    at = datetime(2026, 11, 2, 10, tzinfo=UTC)
    with Stores(tmp_path, before) as stores:
        stores.hold_all()
        flows = Flows(stores)
        for number in range(before):
            name = of_shard(number, before)
            flows.measured(name, [article(feed=name, observed_at=at)] * (1_200 // before))
            flows.save(name)
    assert told(tmp_path, after, at) == {1_200.0}


def test_every_shard_s_rests_are_kept(tmp_path: Path):
    """A host that asked one shard's feeds to wait is left alone by all, for as long as it asked at most."""
    fill(tmp_path, 4)
    wall = 1_000_000.0
    with Stores(tmp_path, 4) as stores:
        stores.hold_all()
        for number in range(4):
            rests = Rests()
            rests.ask(f"{number}.example", 100, 0.0)
            rests.ask("all.example", 400 - 100 * number, 0.0)
            stores.part(of_shard(number, 4)).note(RESTS, rests.saved(wall, 0.0))
    with Stores(tmp_path, 1) as stores:
        after = Rests()
        after.restore(stores.noted(RESTS), wall, 0.0)
    assert [after.left_s(f"{number}.example", 0.0) for number in range(4)] == [100.0] * 4
    assert after.left_s("all.example", 0.0) == 400


def test_a_mark_and_its_article_stay_together(tmp_path: Path):
    """An entry that another feed brought first is still known by its guid after the shards and a clean-up."""
    one, two = of_shard(0, 4), of_shard(1, 4)
    with Stores(tmp_path, 1) as stores:
        stores.record(state(one), [row(one)])
        stores.record(state(two), (), [Alias(two, "guid", f"of-{one}", "t", "x", 0.0, 5.0)])
    with Stores(tmp_path, 4) as stores:
        stores.hold_all()
        assert sum(stores.pruning(5.0)) == 0
        assert stores.aliases(two, ["guid"])
