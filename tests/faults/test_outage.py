"""What the line stands on is taken away: the broker, its disk, the time of day. In full: ``make outages``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

sys.path.insert(0, str(Path(__file__).parents[2]))

from connectors import identity
from pipeline.kafka.message import Message
from pipeline.records import encode
from tests.faults import clock, news
from tests.faults.disk import CantMountError, SmallDisk
from tests.faults.oracle import Verdict, _articles
from tests.faults.outage import Trial, caught_up, run, table
from tests.faults.seen import said
from tests.faults.watch import Sample

ASKED = datetime(2026, 5, 6, 12, tzinfo=UTC)
TELLS = "import sys, time\nfor _ in sys.stdin: print(time.time(), time.monotonic(), flush=True)"


def possible(folder):
    """The gravest outages that can be made here, and why the others can't; all of them: ``make outages``."""
    kinds, reasons = ["hanging"], []
    try:
        with SmallDisk(folder / "try", 1):
            kinds.append("disk")
    except CantMountError as error:
        reasons.append(str(error))
    return tuple(kinds), reasons


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_is_lost_whatever_is_taken_away(tmp_path):
    """One line, on the default clock, with a broker that hangs and one whose disk is full: all is kept, told once.

    Neither connect nor extract ends while the broker hangs.
    """
    kinds, reasons = possible(tmp_path)
    result = run(Trial(kinds, seconds=5, clock="wall", seed=21, slow=False), tmp_path, print)
    print(*table(result), sep="\n")
    assert result.verdict.faults == []
    assert result.settled
    assert result.verdict.transitions > 5
    assert all(outage.back_s is not None for outage in result.outages)
    ended = {outage.kind: {end.child for end in outage.ends} for outage in result.outages}
    assert {"connect", "extract"}.isdisjoint(ended["hanging"])
    if reasons:
        pytest.skip(f"the others were kept; {'; '.join(reasons)}")


def article(number, observed_at):
    """The entry as a message of ``articles``, observed at that time on the wall's clock."""
    item = news.item(1, number, slow=False)
    found = identity.article(structs.replace(item.entry, published=None), news.feed(item.feed), observed_at, "wall")
    return Message("articles", 0, number, 0, found.article_id.encode(), encode(found))


def test_an_article_of_another_hour_is_wrong():
    """Else a step of the clock that gets into the records would go unseen."""
    published = [news.item(1, number, slow=False) for number in range(2)]
    messages = [article(0, ASKED), article(1, ASKED + timedelta(hours=1))]
    verdict = Verdict()
    _articles(messages, published, verdict, (ASKED, ASKED + timedelta(minutes=5)))
    assert len(verdict.wrong) == 1
    assert "observed at 2026-05-06 13:00" in verdict.wrong[0]
    assert verdict.lost == []


def test_caught_up_is_when_more_came_and_all_of_it_was_worked_off():
    """What stood still beside a broker that takes nothing yet has not caught up."""
    samples = [
        Sample(float(at), at + 0.1, articles, extract, score, signals)
        for at, articles, extract, score, signals in [
            (0, 5, 5, 3, 3),
            (1, 5, 5, 3, 3),
            (2, 8, 5, 3, 3),
            (3, 8, 8, 4, 4),
        ]
    ]
    assert caught_up(0.5, samples) == pytest.approx(2.6)
    assert caught_up(2.5, samples) is None


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_process_sees_the_step_and_only_the_time_of_day(step):
    """A clock that was not stepped, or a monotonic one that was, would prove nothing."""
    try:
        clock.check()
    except clock.CantStepError as error:
        pytest.skip(str(error))
    with subprocess.Popen(
        [sys.executable, "-c", TELLS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as child:
        try:
            seen = [_asked(child)]
            clock.write_step(child.pid, clock.vdso_of(child.pid) or 0, step)
            seen.append(_asked(child))
        finally:
            child.kill()
    (wall, monotonic), (later, monotonic_later) = seen
    assert later - wall == pytest.approx(step, abs=60)
    assert 0 <= monotonic_later - monotonic < 60
    assert abs(time.time() - wall) < 60, "our own clock was stepped, too"


def _asked(child):
    assert child.stdin
    assert child.stdout
    child.stdin.write("\n")
    return tuple(float(word) for word in child.stdout.readline().split())


def test_a_small_disk_is_full_and_has_room_again(tmp_path):
    """A disk that does not fill up tries nothing; one that stays mounted is left behind."""
    try:
        with SmallDisk(tmp_path / "disk", 2) as disk:
            disk.fill(100_000)
            with pytest.raises(OSError, match="No space left"):
                (tmp_path / "disk" / "more").write_bytes(os.urandom(200_000))
            disk.clear()
            assert disk.free > 1_500_000
    except CantMountError as error:
        pytest.skip(str(error))
    assert not (tmp_path / "disk").is_mount()


def test_what_is_said_is_counted_by_its_words():
    """Figures differ from line to line, and what is no JSON must be seen as well."""
    line = b'{"level": "warning", "message": "waiting 5 s", "why": "port 22079 refused"}'
    assert said("score", line) == "score warning: waiting # s (port # refused)"
    assert said("score", b'{"level": "info", "message": "drained"}') is None
    assert said("score", b"Traceback (most recent call last):") == "score: no JSON"
