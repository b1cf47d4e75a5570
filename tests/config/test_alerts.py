"""Alert rules: what a file may say, and what each mistake is told as."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.alerts import AlertRules, Scope, load_alerts
from config.duration import seconds
from config.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "config" / "alerts.yaml"
GOOD = """\
rules:
  - name: one
    half_life: 48h
    levels:
      watch: {raise_at: 10, clear_at: 5}
      warning:
        raise_at: 20
        clear_at: 12
"""


def test_the_shipped_rules_are_valid():
    """Out of the box there are rules for real dyads and one for the drill, and neither sees the other's."""
    rules = load_alerts(SHIPPED)
    assert rules.covering("RUS-UKR", drill=False)[0].name == "escalation"
    assert [rule.name for rule in rules.covering("XBM-XKV", drill=True)] == ["drill"]
    assert rules.covering("*-RUS", drill=False) == ()


@pytest.mark.parametrize(
    ("text", "length"), [("500ms", 0.5), ("15s", 15), ("10m", 600), ("1.5h", 5400), ("14d", 1209600)]
)
def test_durations(text: str, length: float):
    """Durations are texts with a unit."""
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "10", "10 m", "-5m", "1w", "m", "1e3s", "99999d", 10, None])
def test_no_durations(text: object):
    """A bare number, an unknown unit, a negative or endless length is refused."""
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


FAULTS = [
    ("half_life: 48h", "half_life: 48", 3, "rules[0].half_life"),
    ("half_life: 48h", "half_life: 0s", 3, "rules[0].half_life"),
    ("half_life: 48h", "min_sources: 0", 3, "rules[0].min_sources"),
    ("half_life: 48h", "hold: 10m", 3, "rules[0].hold"),
    ("half_life: 48h", "scope: {dyads: [rus-ukr]}", 3, "rules[0].scope.dyads[0]"),
    ("half_life: 48h", "scope: {dyads: []}", 3, "rules[0].scope.dyads"),
    ("name: one", "name: One Rule", 2, "rules[0].name"),
    ("{raise_at: 10, clear_at: 5}", "{raise_at: 10, clear_at: 10}", 5, "rules[0].levels.watch"),
    ("{raise_at: 10, clear_at: 5}", "{raise_at: 30, clear_at: 5}", 4, "rules[0].levels"),
    ("{raise_at: 10, clear_at: 5}", "{raise_at: .inf, clear_at: 5}", 5, "rules[0].levels.watch.raise_at"),
    ("raise_at: 20", "raise_at: soon", 7, "rules[0].levels.warning.raise_at"),
]


@pytest.mark.parametrize(("found", "instead", "line", "key"), FAULTS)
def test_each_fault_names_its_line(tmp_path: Path, found: str, instead: str, line: int, key: str):
    """Whoever edits the file is told the file, the line and the key."""
    assert found in GOOD
    file = tmp_path / "alerts.yaml"
    file.write_text(GOOD.replace(found, instead, 1))
    with pytest.raises(ConfigError) as caught:
        load_alerts(file)
    assert (key, line) in [(fault.key, fault.line) for fault in caught.value.faults]
    assert f"{file}:{line}: {key}: " in str(caught.value)


def test_every_fault_is_told(tmp_path: Path):
    """Not only the first: a file is corrected once."""
    file = tmp_path / "alerts.yaml"
    file.write_text(GOOD.replace("48h", "soon").replace("raise_at: 20", "raise_at: -1"))
    with pytest.raises(ConfigError) as caught:
        load_alerts(file)
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    "data",
    [
        {"rules": []},
        {"rules": [{"name": "one", "levels": {}}]},
        {"rules": [{"name": "one", "levels": {"watch": {"raise_at": 2, "clear_at": 1}}}] * 2},
        {
            "rules": [{"name": "one", "levels": {"watch": {"raise_at": 2, "clear_at": 1}}}],
            "owners": {"a": ["x.example"], "b": ["x.example"]},
        },
    ],
)
def test_rules_that_contradict_themselves(data: dict):
    """No rule, no level, one name twice, one domain with two owners."""
    with pytest.raises(ValueError, match=r"at least|once|one owner"):
        AlertRules.model_validate(data)


@pytest.mark.parametrize(
    ("dyads", "exclude", "covered"),
    [
        (["all"], [], {"RUS-UKR", "*-RUS", "CHN-TWN"}),
        (["all"], ["*"], {"RUS-UKR", "CHN-TWN"}),
        (["RUS"], [], {"RUS-UKR", "*-RUS"}),
        (["UKR-RUS", "CHN-TWN"], ["TWN"], {"RUS-UKR"}),
        (["*-RUS"], [], {"*-RUS"}),
    ],
)
def test_scopes(dyads: list[str], exclude: list[str], covered: set[str]):
    """A dyad in either order, one side of it, or all; what is excluded is out."""
    scope = Scope(dyads=dyads, exclude=exclude)
    assert {dyad for dyad in ("RUS-UKR", "*-RUS", "CHN-TWN") if scope.covers(dyad, drill=False)} == covered
    assert not scope.covers("RUS-UKR", drill=True)


def test_the_version_follows_what_a_rule_says():
    """Its meaning, not its description."""
    one, other, wordy = (
        AlertRules.model_validate(
            {"rules": [{"name": "one", "levels": {"watch": {"raise_at": 2, "clear_at": 1}}} | change]}
        ).rules[0]
        for change in ({}, {"min_sources": 3}, {"description": "Words."})
    )
    assert one.version != other.version
    assert one.version == wordy.version


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59-05:00", "20270101", "soon", "2026-01-01"])
def test_a_silence_says_when(tmp_path: Path, until: str):
    """Beyond the calendar, a bare number, no date, or before it begins: a fault with its line, and no crash."""
    file = tmp_path / "alerts.yaml"
    silence = f"silences:\n  - {{name: a, why: b, from: 2026-10-01, until: {until}}}\n"
    file.write_text(GOOD + silence)
    with pytest.raises(ConfigError) as caught:
        load_alerts(file)
    assert {fault.line for fault in caught.value.faults} == {GOOD.count("\n") + 2}
