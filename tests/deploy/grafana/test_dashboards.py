from __future__ import annotations

import json
import re
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lifelike
import lifeserver
import pytest
import yaml
from prometheus import NO_PROMETHEUS, PROMETHEUS, RealPrometheus, scraping
from service import wait_for

from deploy.grafana import check, pages, palette
from deploy.grafana.write import DASHBOARDS, FOLDER, as_json
from pipeline.records import EventType, Level, Modality, Transition

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
BOARDS = {name: json.loads(as_json(make())) for name, make in DASHBOARDS.items()}
PACE = 2000
"""So much is counted that windows of seconds hold something of everything."""


@pytest.fixture(params=BOARDS)
def board(request) -> dict[str, Any]:
    return BOARDS[request.param]


def test_the_json_is_what_the_code_says():
    """Drift: the committed JSON must be what `make dashboards` writes, no more files and no fewer."""
    assert {path.stem for path in FOLDER.glob("*.json")} == set(DASHBOARDS)
    for name, make in DASHBOARDS.items():
        assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == as_json(make()), "run: make dashboards"


def test_panels_say_what_they_show(board):
    """A panel without title, description or unit, or with two queries of one letter, is found."""
    assert list(check.untold(board)) == []
    for panel in check.panels(board):
        assert "**Good:**" in panel["description"]
        assert "**Otherwise:**" in panel["description"]


def test_a_panel_that_says_nothing_is_found():
    """The check of panels itself: it must not pass a bare panel."""
    bare = {"id": 7, "type": "stat", "fieldConfig": {"defaults": {}}, "targets": [{"expr": "up"}]}
    found = list(check.untold({"title": "T", "panels": [{"type": "row", "panels": [bare]}]}))
    assert [line.rsplit(": ", 1)[1] for line in found[:3]] == ["no title", "no description", "no unit"]
    assert len(found) == 4


def test_panels_neither_overlap_nor_leave_holes(board):
    """Panels fill whole lines of 24 columns, and none lies upon another, whatever rows are folded."""
    for group in _lines_of(board):
        cells = [
            (x, y)
            for panel in group
            for x in range(panel["x"], panel["x"] + panel["w"])
            for y in range(panel["y"], panel["y"] + panel["h"])
        ]
        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) == 23
        by_line: dict[int, int] = {}
        for panel in group:
            by_line[panel["y"]] = by_line.get(panel["y"], 0) + panel["w"]
        assert set(by_line.values()) == {24}


def _lines_of(board: dict[str, Any]) -> Iterator[list[dict[str, int]]]:
    yield [panel["gridPos"] for panel in board["panels"] if panel["type"] != "row"]
    for row in board["panels"]:
        if row["type"] == "row" and row["panels"]:
            yield [panel["gridPos"] for panel in row["panels"]]


def test_ids_are_unique_and_dashboards_keep_theirs():
    """A panel's id is part of its address; a dashboard's uid is what links and bookmarks name."""
    for name, board in BOARDS.items():
        assert board["uid"] == f"brinkwatch-{name}"
        ids = [panel["id"] for row in board["panels"] for panel in (row, *row.get("panels", ()))]
        assert len(ids) == len(set(ids))


def test_links_lead_somewhere(board):
    """Links name a dashboard that exists, and those to a runbook the panel that holds it."""
    text = json.dumps(board)
    uids = {each["uid"] for each in BOARDS.values()}
    found = re.findall(r"[\"(]/?d/([\w-]+)(?:\?viewPanel=panel-(\d+))?", text)
    assert found
    assert {uid for uid, _ in found} <= uids
    pages = {str(panel["id"]) for panel in BOARDS["runbooks"]["panels"]}
    assert {panel for _, panel in found if panel} <= pages


def test_every_runbook_is_in_grafana():
    """A page that the overview does not list would be missing, and the link of a panel to it would fail."""
    shown = {panel["id"]: panel for panel in BOARDS["runbooks"]["panels"]}
    assert {path.stem for path in pages.PAGES.glob("*.md")} == set(pages.numbers())
    for name, number in pages.numbers().items():
        assert shown[number]["title"] == (name if name != pages.OVERVIEW else "All runbooks")
    text = shown[pages.numbers()["BrinkwatchLagHigh"]]["options"]["content"]
    assert f"({pages.address('BrinkwatchStalled')})" in text
    assert "brinkwatch_consumer_lag_messages" in text
    assert not any(".md)" in link for panel in shown.values() for link in re.findall(r"\]\([^)]*\)", _text(panel)))


def _text(panel: dict[str, Any]) -> str:
    content: str = panel["options"]["content"]
    return content


def test_every_word_has_its_colour():
    """A level, event type, modality or transition that is added needs a colour, or it changes from chart to chart."""
    assert set(palette.LEVELS) == {each.value for each in Level}
    assert set(palette.EVENT_TYPES) == {each.value for each in EventType}
    assert set(palette.MODALITIES) == {each.value for each in Modality}
    assert set(palette.TRANSITIONS) == {each.value for each in Transition}
    assert len(set(palette.EVENT_TYPES.values())) == len(EventType)


def test_the_lifelike_service_has_the_labels_of_the_real_one():
    """The queries are tried on invented figures: their labels must be those in the reference of metrics."""
    page = ROOT / "docs/reference/metrics.md"
    rows = (
        re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|", page.read_text(encoding="utf-8"), re.MULTILINE)
        if page.exists()
        else []
    )
    real = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    world = lifelike.World.until(1_750_000_000.0)
    for process in lifelike.PROCESSES.values():
        for family in process(world, world.told_at):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            for sample in family.samples:
                assert set(sample.labels) - {"le"} == real.get(name, set(sample.labels) - {"le"}), name


def test_unknown_variables_are_refused():
    """A query with a variable that has no value would be asked with a hole in it, and answer with anything."""
    assert check.filled('x{a="$b",c=~"${d:regex}"}', {"b": "1", "d": "2"}) == 'x{a="1",c=~"2"}'
    with pytest.raises(check.CheckError, match=r"no value for the variable \$other"):
        check.filled("x[$other]", {})


def test_an_answer_of_holes_is_none():
    """NaN, as a quantile of nothing is, does not count as an answer."""
    assert check.numbers([{"values": [[1, "NaN"], [2, "NaN"]]}, {"value": [1, "+Inf"]}]) == 0
    assert check.numbers([{"values": [[1, "NaN"], [2, "0"]]}]) == 1


def test_provisioning_names_what_is_there():
    """What Grafana is provisioned with: one folder of dashboards, one Prometheus, both from the environment."""
    folder = ROOT / "deploy/grafana/provisioning"
    sources = yaml.safe_load((folder / "datasources/brinkwatch.yaml").read_text())["datasources"]
    providers = yaml.safe_load((folder / "dashboards/brinkwatch.yaml").read_text())["providers"]
    assert [(each["type"], each["url"]) for each in sources] == [("prometheus", "$BRINKWATCH_PROMETHEUS_URL")]
    assert [each["options"]["path"] for each in providers] == ["$BRINKWATCH_DASHBOARDS"]
    assert [each["folder"] for each in providers] == ["Brinkwatch"]


@contextmanager
def _processes() -> Iterator[int]:
    """Every process of the service, as metrics; gives the port."""
    server = lifeserver.serve(0, lifelike.World.until(time.time(), pace=PACE))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _scraped(port: int) -> dict[str, Any]:
    return scraping({name: f"127.0.0.1:{port}/{name}/metrics" for name in lifelike.PROCESSES}, every="1s")


@pytest.mark.slow
@pytest.mark.skipif(PROMETHEUS is None, reason=NO_PROMETHEUS)
def test_every_query_has_an_answer_on_the_first_day(tmp_path):
    """Every query of every panel, asked of a real Prometheus that has scraped each process for seconds only.

    A misspelt metric or label, a join that finds no partner, or a panel that is empty without a yesterday, fails here.
    """
    window = check.Window(range_s=60, step_s=1, rate_s=10)
    with _processes() as port, RealPrometheus(tmp_path, _scraped(port)) as prometheus:
        asking = check.Prometheus(prometheus.url, window)
        scraped = check.Asked("", "", "min(count_over_time(up[1m]) * up) >= 5", instant=True)
        wait_for(lambda: bool(asking.ask(scraped)), 40, "five scrapes of each process")
        findings = check.check(asking, list(BOARDS.values()), window)
    assert findings.lines == []
    assert findings.off == []
    assert findings.tried > 100


@pytest.mark.slow
@pytest.mark.skipif(PROMETHEUS is None, reason=NO_PROMETHEUS)
def test_a_query_without_an_answer_is_found(tmp_path):
    """The check itself: a metric that nobody exposes, and PromQL that is none, are findings that name their panel.

    Nothing in a panel that says what is off is no finding.
    """
    board = json.loads(json.dumps(BOARDS["world"]))
    first, second = list(check.panels(board))[:2]
    first["targets"], second["targets"] = [{"expr": "nobody_has_this", "refId": "A"}], [{"expr": "sum(", "refId": "A"}]
    third = json.loads(json.dumps(first))
    third["fieldConfig"]["defaults"]["noValue"] = "off: nobody runs it"
    board["panels"], board["annotations"]["list"] = [first, second, third], []
    window = check.Window()
    with RealPrometheus(tmp_path, {}) as prometheus:
        findings = check.check(check.Prometheus(prometheus.url, window), [board], window)
    assert [line.split(": ")[1] for line in findings.lines] == [first["title"], second["title"]]
    assert "parse error" in findings.lines[1]
    assert ["off: nobody runs it" in line for line in findings.off] == [True]
