"""Dated events from outside: checked, bounded, and every fault with its line."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from config.errors import ConfigError
from pipeline.evaluation.truth import MAX_FAULTS, MAX_LINE, Event, parse_truth, read_truth
from pipeline.records import Level

GOOD = {"dyad": "BRN-ARV", "from": "2031-05-06"}


def parse(*lines: object) -> list[Event]:
    """The events of lines that are bytes or become JSON."""
    return parse_truth((line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines), "truth")


def test_an_event():
    """The dyad is written in either order; a date is its whole day; a time without a zone is UTC."""
    late = GOOD | {"until": "2031-05-08", "level": "warning", "note": "x"}
    timed = GOOD | {"from": "2031-05-06T10:00+02:00", "until": "2031-05-06T09:00"}
    begin = datetime(2031, 5, 6, tzinfo=UTC)
    assert parse(timed, b"", late, GOOD) == [
        Event("ARV-BRN", begin),
        Event("ARV-BRN", begin, datetime(2031, 5, 8, 23, 59, 59, tzinfo=UTC), Level.WARNING, "x"),
        Event("ARV-BRN", begin.replace(hour=8), begin.replace(hour=9)),
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "truncated"),
        (b"[]", "valid dictionary"),
        ({"dyad": "ARV-BRN"}, "from: required"),
        (GOOD | {"dyad": "ARV"}, "dyad: a dyad such as"),
        (GOOD | {"dyad": 5}, "dyad: "),
        (GOOD | {"from": "soon"}, "from: an ISO 8601"),
        (GOOD | {"from": 20310506}, "from: an ISO 8601"),
        (GOOD | {"from": "0001-01-01T00:00+14:00"}, "from: an ISO 8601"),
        (GOOD | {"from": "9999-12-31"}, "from: a time between"),
        (GOOD | {"until": "2031-05-05"}, "until: a time that is not before"),
        (GOOD | {"level": "calm"}, "level: watch, warning or critical"),
        (GOOD | {"level": "grave"}, "level: "),
        (GOOD | {"when": "2031"}, "when: no such setting"),
        (GOOD | {"note": "x" * 2000}, "note: "),
        (b"\xff", ""),
        (b"[" * 10_000, ""),
        (b" " * MAX_LINE + b"{}", "at most"),
    ],
)
def test_faults_have_their_line(line, why):
    """Each kind of fault names the file and the line; the good line before it and the empty one are counted."""
    with pytest.raises(ConfigError, match=rf"^truth:3: .*{why}"):
        parse(GOOD, b"", line)


def test_every_fault_is_told_up_to_a_bound():
    """All of them at once; of a file that is none, the first fifty."""
    with pytest.raises(ConfigError) as error:
        parse({"dyad": "x"}, GOOD, b"junk")
    assert [(fault.line, fault.key) for fault in error.value.faults] == [(1, "dyad"), (1, "from"), (3, "")]
    with pytest.raises(ConfigError) as error:
        parse(*[b"junk"] * 1000)
    assert len(error.value.faults) == MAX_FAULTS


def test_a_file_that_says_nothing(tmp_path):
    """None there, or no event in it, is a fault, not a perfect score."""
    with pytest.raises(ConfigError, match=r"none\.jsonl: a readable file"):
        read_truth(tmp_path / "none.jsonl")
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"\n\n")
    with pytest.raises(ConfigError, match="at least one event"):
        read_truth(empty)
