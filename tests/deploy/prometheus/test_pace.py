"""The pace at which tests run the rules: every time in them is divided, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from prometheus import scaled, scaled_expression

RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "rules"


@pytest.mark.parametrize(
    ("shipped", "quick"),
    [
        ("rate(a_total[30m]) > 0.5", "rate(a_total[30000ms]) > 0.5"),
        ("max_over_time(a[1d]) < 10", "max_over_time(a[1440000ms]) < 10"),
        ("a > 15 * 60 and b > 20", "a > 15 and b > 20"),
        ("predict_linear(a[6h], 48 * 3600) < 0", "predict_linear(a[360000ms], 2880) < 0"),
        ("a < 50 * 1024 ^ 3", "a < 50 * 1024 ^ 3"),
        ('a{outcome="5m"} == 0', 'a{outcome="5m"} == 0'),
    ],
)
def test_times_are_divided_and_numbers_are_not(shipped, quick):
    """An alert that fires in a test must be the one that is shipped, only sooner."""
    assert scaled_expression(shipped, 60) == quick


@pytest.mark.parametrize("file", sorted(RULES.glob("*.yml")), ids=lambda file: file.name)
def test_a_pace_of_one_changes_no_meaning(file):
    """Names, labels and texts stay; a wait is the same time in milliseconds."""
    rules = yaml.safe_load(file.read_text(encoding="utf-8"))
    same = scaled(rules, 1)
    for group, other in zip(rules["groups"], same["groups"], strict=True):
        for rule, copy in zip(group["rules"], other["rules"], strict=True):
            assert {key: value for key, value in copy.items() if key not in {"for", "expr"}} == {
                key: value for key, value in rule.items() if key not in {"for", "expr"}
            }


def test_a_wait_is_divided():
    """An alert that waits for hours fires within a test."""
    rule = {"alert": "A", "expr": "a", "for": "6h"}
    assert scaled({"groups": [{"name": "g", "rules": [rule]}]}, 120)["groups"][0]["rules"] == [
        {**rule, "for": "180000ms"}
    ]


def test_an_alert_can_have_a_pace_of_its_own():
    """Hours of one alert would else be minutes where those of the others are seconds; its neighbours keep theirs."""
    rules = [{"alert": name, "expr": "a > 2 * 3600", "for": "1h"} for name in ("Quick", "Usual")]
    quick, usual = scaled({"groups": [{"name": "g", "rules": rules}]}, 60, {"Quick": 720})["groups"][0]["rules"]
    assert (quick["expr"], quick["for"]) == ("a > 10", "5000ms")
    assert (usual["expr"], usual["for"]) == ("a > 120", "60000ms")
