"""How much news flows: counted the same by whoever counts, in whatever order, and bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.records.flow import MAX_SOURCES, WINDOW_H, FlowMeter, measured

START = datetime(2031, 5, 6, tzinfo=UTC)


def after(hours: float) -> datetime:
    """So many hours after the start."""
    return START + timedelta(hours=hours)


def test_a_steady_stream_is_its_daily_count():
    """Ten an hour are 240 a day, from the first full day on."""
    flows = measured([(after(n / 10), f"s{n % 7}.example") for n in range(10 * 24 * 5)])
    assert [flows[-1].articles, flows[-1].sources] == [240, 7]
    assert flows[10 * 24].articles == pytest.approx(240, rel=0.1)


def test_the_first_hour_is_no_day():
    """A start with forty articles at once is a day of forty."""
    assert measured([(after(0), "a")] * 40)[-1].articles == 40


def test_a_quiet_spell_is_seen():
    """Three days after the last busy hour its articles are no longer counted."""
    meter = FlowMeter()
    for _ in range(1000):
        meter.note(after(0), "a")
    assert meter.note(after(WINDOW_H + 1), "a").articles < 1


def test_order_does_not_matter_to_a_replay():
    """Each article is told the flow of its own time."""
    times = [(after(n * 0.37), f"s{n % 5}") for n in range(500)]
    shuffled = times[::-1]
    assert measured(shuffled)[::-1] == measured(times)


def test_a_saved_meter_goes_on():
    """A restarted connector counts on where it was; of a damaged file it starts anew."""
    meter = FlowMeter()
    for n in range(300):
        meter.note(after(n / 9), f"s{n % 4}")
    again = FlowMeter.restored(meter.saved())
    assert again.note(after(40), "new") == meter.note(after(40), "new")
    damaged = ["", "{}", "[]", "null", '{"hours": 3}']
    damaged += [f'{{"first": {first}, "hours": [], "heard": {{}}}}' for first in ('"x"', "Infinity")]
    for text in damaged:
        assert FlowMeter.restored(text).note(after(0), "a").articles == 1


def test_what_is_kept_is_bounded():
    """However many outlets, and for however long."""
    meter = FlowMeter()
    for n in range(MAX_SOURCES + 10):
        meter.note(after(n / 10), f"s{n}")
    assert len(meter.saved()) < 1_500_000
    assert len(meter._hours) <= 2 * WINDOW_H + 1
    assert len(meter._heard) <= MAX_SOURCES


def test_late_articles_do_not_miscount_outlets():
    """An article of the hour before, as many as come, neither adds to nor takes from the outlets."""
    meter = FlowMeter()
    for source in ("a", "b"):
        meter.note(after(1), source)
    assert [meter.note(after(0), "a").sources for _ in range(5)] == [2] * 5
