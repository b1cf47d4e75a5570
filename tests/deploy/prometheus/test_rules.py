"""The rules of Prometheus: well-formed, each with a test, a runbook and what a person needs who is woken by it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import config.settings
from pipeline.metrics_reference import rows

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "prometheus"
RULES = sorted((FOLDER / "rules").glob("*.yml"))
TESTS = sorted((FOLDER / "tests").glob("*.yml"))
RUNBOOKS = ROOT / "docs" / "runbooks"
PROMTOOL = shutil.which("promtool")
with_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on this machine")


def groups():
    return [group for file in RULES for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]


def alerts():
    return {rule["alert"]: rule for group in groups() for rule in group["rules"] if "alert" in rule}


def cases():
    return [case for file in TESTS for case in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]]


def promtool(*words: str) -> None:
    result = subprocess.run([str(PROMTOOL), *words], capture_output=True, text=True, check=False, timeout=280)
    assert result.returncode == 0, result.stdout + result.stderr


@with_promtool
@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_rules_are_well_formed(file):
    """A file that Prometheus refuses leaves it without any rule."""
    promtool("check", "rules", "--lint=all", "--lint-fatal", str(file))


@with_promtool
def test_the_configuration_is_well_formed():
    """Prometheus must start with what is shipped, and find the rules beside it."""
    promtool("check", "config", "--lint=all", "--lint-fatal", str(FOLDER / "prometheus.yml"))


@with_promtool
@pytest.mark.slow
@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_each_alert_fires_on_its_symptom_and_nothing_on_a_normal_day(file):
    """Thresholds, windows, labels and texts are what promtool's own tests say."""
    promtool("test", "rules", str(file))


def test_each_alert_has_a_test_in_which_it_is_silent_fires_and_ends():
    """An alert that never ends, or that is there from the beginning, tells nobody anything."""
    told = {}
    for case in cases():
        for check in case.get("alert_rule_test", ()):
            told.setdefault((case["name"], check["alertname"]), []).append(bool(check["exp_alerts"]))
    assert {name for _, name in told} == set(alerts())
    assert {sequence: found for sequence, found in told.items() if found != [False, True, False]} == {}


def test_tests_are_evaluated_in_the_order_of_the_rules():
    """Recorded first, then looked at; a group that is missing there is not evaluated by promtool at all."""
    names = [group["name"] for group in groups()]
    recorded_first = sorted(names, key=lambda name: not name.startswith("brinkwatch.recording."))
    for file in TESTS:
        order = yaml.safe_load(file.read_text(encoding="utf-8"))["group_eval_order"]
        assert sorted(order) == sorted(names), file.name
        assert order == sorted(order, key=recorded_first.index), file.name


@pytest.mark.parametrize("name", sorted(alerts()))
def test_each_alert_says_what_it_is_and_what_to_do(name):
    """Severity, a wait, what to do first, and a runbook, with one placeholder for where runbooks are published."""
    rule = alerts()[name]
    texts = rule["annotations"]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert "for" in rule
    assert "First: " in texts["description"]
    assert texts["runbook_url"] == '{{ or $externalLabels.runbooks "docs/runbooks" }}/' + f"{name}.md"
    assert len(texts["summary"]) < 80


def test_each_alert_has_a_runbook_and_each_runbook_an_alert():
    """Whoever is woken finds a page; no page is about an alert that is gone; the index names all."""
    pages = {page.stem: page.read_text(encoding="utf-8") for page in RUNBOOKS.glob("*.md") if page.stem != "README"}
    assert set(pages) == set(alerts())
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    for name, page in pages.items():
        rule = alerts()[name]
        assert page.startswith(f"# {name}\n**{rule['labels']['severity']}**, after {rule['for']}: ")
        assert f"| [{name}]({name}.md) | {rule['labels']['severity']} |" in index


def test_links_of_runbooks_lead_somewhere():
    """A link that is dead is found at night."""
    for page in RUNBOOKS.glob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


@with_promtool
def test_queries_of_runbooks_can_be_asked(tmp_path):
    """Whoever is woken copies them: each must be PromQL, and of metrics and records that there are."""
    blocks = [
        line
        for page in sorted(RUNBOOKS.glob("Brinkwatch*.md"))
        for block in re.findall(r"^```\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
    ]
    rules = [{"record": f"asked:{number}", "expr": query} for number, query in enumerate(blocks)]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", str(file))
    assert unknown("\n".join(blocks)) == set()


def test_rules_look_at_metrics_that_there_are():
    """A rule on a metric that was renamed is silent for ever."""
    assert unknown("\n".join(rule["expr"] for group in groups() for rule in group["rules"])) == set()


def unknown(text: str) -> set[str]:
    """Metrics and records of ours that a text names, and that are neither exported nor recorded."""
    recorded = {rule["record"] for group in groups() for rule in group["rules"] if "record" in rule}
    named = set(re.findall(r"\b(?:[a-z_]+:)?brinkwatch_[a-z_]+(?::[a-z0-9_]+)?", text))
    bare = {re.sub(r"_(bucket|sum|count)$", "", name) if ":" not in name else name for name in named}
    return bare - recorded - {row.name for row in rows()}


def test_ports_are_those_of_the_settings():
    """Scraping a port that nobody serves looks like a process that is down."""
    shipped = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    scraped = {job["job_name"]: job["static_configs"] for job in shipped["scrape_configs"]}
    fields = config.settings.Settings.model_fields
    ports = {
        name.removesuffix("_metrics_port"): field.default for name, field in fields.items() if "_metrics_port" in name
    }
    assert scraped == {f"brinkwatch-{role}": [{"targets": [f"127.0.0.1:{port}"]}] for role, port in ports.items()}
