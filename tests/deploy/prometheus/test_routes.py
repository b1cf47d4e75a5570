"""Alertmanager: whom an alert reaches, and what is muted by what."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "deploy" / "alertmanager"
RULES = FOLDER.parent / "prometheus" / "rules" / "brinkwatch.alerts.yml"
FILES = ("alertmanager.yml", "alertmanager.example.yml")
AMTOOL = shutil.which("amtool")
with_amtool = pytest.mark.skipif(AMTOOL is None, reason="amtool is not on this machine")
WORLD = ("alertname=escalation", "dyad=RUS-UKR")
ROUTES = [
    (("alertname=BrinkwatchBrokerDown", "severity=page"), "pager"),
    (("alertname=BrinkwatchLagGrowing", "severity=ticket", "stage=extract"), "tickets"),
    ((*WORLD, "level=watch", "drill=false"), "desk"),
    ((*WORLD, "level=warning", "drill=false"), "desk"),
    ((*WORLD, "level=critical", "drill=false"), "desk-urgent"),
    # Rules may have labels of their own; the kind of the alert goes by the dyad.
    ((*WORLD, "level=critical", "drill=false", "severity=page"), "desk-urgent"),
    (("alertname=escalation", "dyad=XBM-XKV", "level=critical", "drill=true"), "nobody"),
    (("alertname=NodeDown", "severity=page"), "nobody"),
]


def amtool(*words: str) -> str:
    result = subprocess.run([str(AMTOOL), *words], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def read(name: str):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


@with_amtool
@pytest.mark.parametrize("name", FILES)
def test_configurations_are_well_formed(name):
    """Alertmanager must start with what is shipped, templates too."""
    assert "1 templates" in amtool("check-config", str(FOLDER / name))


@with_amtool
@pytest.mark.parametrize(("labels", "receiver"), ROUTES)
def test_routes(labels, receiver):
    """Operators and the desk are told of what is theirs; of a drill, or of somebody else's alert, nobody is."""
    assert amtool("config", "routes", "test", f"--config.file={FOLDER / FILES[0]}", *labels).split() == [receiver]


def test_nobody_is_told_until_receivers_are_filled_in():
    """What is shipped starts as it is, and sends nothing anywhere."""
    assert [list(receiver) for receiver in read(FILES[0])["receivers"]] == [["name"]] * 5


def test_the_example_differs_in_receivers_only():
    """Whoever starts from the example has the same routes and the same muting."""
    shipped, example = (read(name) for name in FILES)
    for document in (shipped, example):
        document.pop("receivers")
        document.pop("global", None)
    assert shipped == example


def test_secrets_of_the_example_stand_in_files():
    """A secret in a configuration ends up in a repository."""
    text = (FOLDER / FILES[1]).read_text(encoding="utf-8")
    assert set(re.findall(r"\w*(?:password|credentials|api_url|token)\w*:", text)) == {
        "smtp_auth_password_file:",
        "credentials_file:",
        "api_url_file:",
    }


def test_muting_names_alerts_that_there_are_and_never_mutes_a_cause_by_itself():
    """A name that was changed would wake people for everything that follows from one cause."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    known = {rule["alert"] for group in rules for rule in group["rules"]}
    for rule in read(FILES[0])["inhibit_rules"]:
        source, target = (names(rule[f"{side}_matchers"]) for side in ("source", "target"))
        assert source
        assert target
        assert source | target <= known
        assert "namespace" in rule["equal"]
        if source & target:  # told apart by stage, then
            assert rule["source_matchers"][1] != rule["target_matchers"][1]


def names(matchers) -> set[str]:
    """The alerts that matchers name."""
    found = re.fullmatch(r'alertname=~?"Brinkwatch(\(?)([A-Za-z|]+)\)?"', matchers[0])
    assert found, matchers
    return {f"Brinkwatch{name}" for name in found[2].split("|")}
