"""Connect killed, its state damaged, its disk full, while feeds publish; longer: ``python -m tests.faults.connect``."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.faults import connect
from tests.faults.connect import FEEDS, RATE, Trial
from tests.faults.disk import CantMountError, SmallDisk
from tests.faults.press import Press

if TYPE_CHECKING:
    from pathlib import Path

    from brokers import Broker

pytestmark = pytest.mark.slow


def press() -> Press:
    """Feeds that publish from now on."""
    found = Press(FEEDS, RATE)
    found.begin()
    return found


def test_kills_and_damage_lose_nothing(broker: Broker, tmp_path: Path):
    """Killed three times and its state damaged once, connect still brings every entry, and nothing but these.

    What was damaged is kept and told, and the feeds are read anew: copies have equal ids.
    """
    dice = random.Random(3)
    with Trial(broker.settings("kills"), tmp_path, press()) as trial:
        connect.kills(trial, 3, dice)
        connect.damage(trial, "scrambled", dice)
        verdict = trial.settle()
        assert verdict.kept, verdict
        assert verdict.published > 0
        assert trial.codes == [], trial.said()[-2000:]
        assert "damaged and was moved to" in trial.said()


def test_a_full_disk_is_told_and_survived(broker: Broker, tmp_path: Path):
    """Without room for its state connect says so and ends; with room it goes on, and what came meanwhile is there."""
    settings = broker.settings("disk")
    try:
        with (
            SmallDisk(settings.data_dir / "connectors", connect.DISK_MB) as disk,
            Trial(settings, tmp_path, press()) as trial,
        ):
            connect.fill(trial, disk, 2.0)
            verdict = trial.settle()
            assert verdict.kept, verdict
            assert set(trial.codes) == {1}
            assert "the connectors' state failed" in trial.said()
            assert "full" in trial.said()
    except CantMountError as error:
        pytest.skip(str(error))
