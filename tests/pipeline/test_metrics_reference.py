"""The names, labels and help of all metrics: they are public, and Prometheus has customs for them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from config.metrics import PROCESSES
from pipeline.metrics_reference import MODULES, PATH, declared, rows, text

ROOT = Path(__file__).parents[2]
KINDS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}
BOUNDED = {
    "active", "cause", "event_type", "kind", "level", "modality", "outcome", "process", "reason", "stage", "state",
    "transition", "drill", "python", "version",  # closed sets of the code
    "receiver", "rule",  # the operator's files
    "dyad", "name", "source",  # as many as the settings say
    "broker", "group", "topic",  # the operator's Kafka
}  # fmt: skip
"""Labels that can't grow without end. Whoever adds one says why here."""
OTHER_UNITS = re.compile(r"_(ms|millis|milliseconds|minutes|hours|days|kb|mb|kilobytes|megabytes|percent)(_|$)")


def test_the_page_is_current():
    """A metric that is new or changed must show in the docs: `make schemas` writes the page."""
    assert PATH.read_text(encoding="utf-8") == text()


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_a_metric_keeps_to_the_customs(row):
    """Prefix, base unit, `_total` on counters alone, a sentence of help, bounded labels, and a process that has it."""
    assert re.fullmatch(r"brinkwatch_[a-z][a-z0-9_]*", row.name)
    assert row.name.endswith("_total") == (row.kind == "counter")
    assert not OTHER_UNITS.search(row.name)
    assert row.meaning[0].isupper() or row.meaning[0] == "1"
    assert row.meaning.endswith(".")
    assert "|" not in row.meaning
    assert set(row.labels) <= BOUNDED
    assert set(row.processes) <= set(PROCESSES)


def test_every_metric_is_exported_by_a_process():
    """One that is declared and forgotten would stand in no page, and be counted for nobody."""
    assert declared() == {row.name for row in rows() if row.processes != ("monitor",)}


def test_metrics_are_declared_where_the_page_looks():
    """One that is declared elsewhere would be in no reference, and on pages of processes that know nothing of it."""
    allowed = {ROOT / f"{name.replace('.', '/')}.py" for name in MODULES}
    found = {
        path
        for part in ("config", "connectors", "pipeline", "deploy")
        for path in (ROOT / part).rglob("*.py")
        if "prometheus_client" in (source := path.read_text(encoding="utf-8")) and _declares(ast.parse(source))
    }
    assert found == allowed


def _declares(tree: ast.AST) -> bool:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(function, ast.Name) and function.id in KINDS for function in calls)
