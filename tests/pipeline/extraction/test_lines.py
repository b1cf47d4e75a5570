"""Lines in, lines out: order, ids, dates, and what happens to lines that can't be used."""

import io
import json
import logging

from pipeline.extraction.lines import run_file

GOOD = {"id": "a", "text": "Chad expelled the Sudanese ambassador.", "published": "2021-03-01"}


def _run(engine, *lines: str) -> tuple[int, list[dict]]:
    sink = io.StringIO()
    bad = run_file(io.StringIO("\n".join(lines) + "\n"), sink, engine)
    return bad, [json.loads(line) for line in sink.getvalue().splitlines()]


def test_each_line_has_its_answer_in_order(engine):
    """Ids come back as they were, also numbers; a silent text has an empty list."""
    bad, answers = _run(engine, json.dumps(GOOD), "", json.dumps({"id": 7, "text": "Sunny weather in Spain."}))
    assert bad == 0
    assert [(a["id"], [s["event_type"] for s in a["signals"]]) for a in answers] == [("a", ["rupture"]), (7, [])]
    assert answers[0]["signals"][0]["published_at"] == "2021-03-01T00:00:00Z"


def test_bad_lines_are_named_and_left_out(engine, caplog):
    """No JSON, no id, a wrong date: each is logged with its number, and the others go on."""
    with caplog.at_level(logging.ERROR):
        bad, answers = _run(
            engine, "{", json.dumps(GOOD), json.dumps({"text": "no id"}), json.dumps({"id": 1, "published": "soon"})
        )
    assert bad == 3
    assert [a["id"] for a in answers] == ["a"]
    assert [
        f"line {number}" in record.getMessage() for number, record in zip((1, 3, 4), caplog.records, strict=True)
    ] == [True] * 3


def test_undated_history(engine):
    """Without a date an explicit year is history; with one, only a year before it is."""
    text = "In 2021 Ethiopia attacked Sudan."
    undated, same_year, later = (
        json.dumps({"id": 0, "text": text, **date})
        for date in ({}, {"published": "2021-11-01"}, {"published": "2023-01-01"})
    )
    _, answers = _run(engine, undated, same_year, later)
    assert [a["signals"][0]["modality"] for a in answers] == ["historical", "asserted", "historical"]


def test_null_is_as_good_as_absent(engine):
    """Null for what is not known gives the same signals, ids and all, as leaving it out."""
    nulls = dict.fromkeys(("title", "source", "language"))
    _, (with_nulls, without) = _run(engine, json.dumps({**GOOD, **nulls}), json.dumps(GOOD))
    assert with_nulls == without
    assert without["signals"]
