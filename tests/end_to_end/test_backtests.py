"""Back-tests: real dated headlines under the shipped rules; skipped where the streams are not beside the project."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from config.alerts import load_alerts
from config.settings import load_settings
from pipeline.extraction.engine import Engine
from pipeline.records import Alert, Level, Transition, encode
from pipeline.replay import bounded_lines, read, replay

ROOT = Path(__file__).parents[2]
STREAMS = ROOT.parent / "shared" / "streams"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not STREAMS.exists(), reason="the streams are not here"),
]


@pytest.fixture(scope="module")
def engine():
    return Engine.load(load_settings())


@pytest.fixture(scope="module")
def played(engine):
    """The transitions of a stream, each stream once."""
    done: dict[str, list[Alert]] = {}

    def play(name: str) -> list[Alert]:
        if name not in done:
            with (STREAMS / f"{name}.jsonl").open("rb") as file:
                rules = load_alerts(load_settings().alerts_file)
                done[name] = replay(read(bounded_lines(file), pytest.fail), engine, rules).alerts
        return done[name]

    return play


def at(day: str) -> datetime:
    """The end of a day."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)


def highest(alerts: list[Alert], dyad: str, by: datetime) -> Level:
    """The highest level that was open on a dyad at some time up to ``by``."""
    levels = [alert.level for alert in alerts if alert.dyad == dyad and alert.at <= by]
    return max(levels, key=lambda level: level.rank, default=Level.CALM)


def episodes(alerts: list[Alert]) -> dict[str, list[list[Alert]]]:
    """The transitions of each alert, by dyad."""
    found: dict[str, dict[str, list[Alert]]] = defaultdict(lambda: defaultdict(list))
    for alert in alerts:
        found[alert.dyad][alert.alert_id].append(alert)
    return {dyad: list(each.values()) for dyad, each in found.items()}


def test_the_winter_of_2021(played):
    """Russia and Ukraine: a watch by 22 November, a warning by 4 December; no dyad is raised again and again."""
    alerts = played("world_2021-11")
    assert highest(alerts, "RUS-UKR", at("2021-11-22")).rank >= Level.WATCH.rank
    assert highest(alerts, "RUS-UKR", at("2021-12-04")).rank >= Level.WARNING.rank
    assert {dyad: len(each) for dyad, each in episodes(alerts).items() if len(each) > 2 and dyad != "RUS-UKR"} == {}


def test_open_war_is_one_standing_alert(played):
    """The summer of 2022: one alert on Russia and Ukraine, that goes on, with fewer updates than days."""
    alerts = [alert for alert in played("world_2022-06") if alert.dyad == "RUS-UKR" and alert.rule == "escalation"]
    assert [alert.transition for alert in alerts if alert.transition is not Transition.UPDATED] == [Transition.RAISED]
    assert len(alerts) <= (alerts[-1].at - alerts[0].at).days
    assert alerts[-1].level.rank >= Level.WARNING.rank


def test_the_spring_of_2003(played):
    """Iraq and the United States: raised before 20 March, and not resolved before the middle of April."""
    alerts = [a for a in played("abc_2003-02_2003-05") if a.dyad == "IRQ-USA" and a.rule == "escalation"]
    first = alerts[0]
    assert first.at < at("2003-03-19")
    ended = [a.at for a in alerts if a.alert_id == first.alert_id and a.transition is Transition.RESOLVED]
    assert not ended or ended[0] > at("2003-04-14")


@pytest.mark.parametrize("stream", ["world_2021-11", "world_2022-06", "abc_2003-02_2003-05"])
def test_every_alert_is_what_the_schema_says(played, stream: str):
    """Each validates against the published schema, in sequence, and explains itself."""
    schema = json.loads((ROOT / "docs/reference/schemas/alert.v1.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for alert in played(stream):
        validator.validate(json.loads(encode(alert)))
        assert alert.evidence
        assert alert.annotations
    for each in (alerts for dyad in episodes(played(stream)).values() for alerts in dyad):
        assert [alert.sequence for alert in each] == list(range(1, len(each) + 1))
