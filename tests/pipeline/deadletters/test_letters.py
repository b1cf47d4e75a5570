"""Reading dead letters: what is one, how it stands with each, and what a person is shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from letters import WRITTEN_MS, letter, original
from samples import NOON

from config.errors import BrinkwatchError
from pipeline.deadletters import render
from pipeline.deadletters.letter import Letter, Place, parse_place, read
from pipeline.deadletters.redrive import marks
from pipeline.deadletters.select import Wanted
from pipeline.deadletters.survey import MAX_RECENT, State, Survey, surveyed
from pipeline.deadletters.table import MAX_ROWS, OTHERS, Table
from pipeline.kafka.message import Message
from pipeline.records import Redriven
from pipeline.records.headers import ERRORS, REDRIVEN, Failure, dead_letter, taken_apart


def mark(at, *offsets, partition=0):
    """A mark as it stands on the topic."""
    (out,) = marks([Place(partition, offset) for offset in offsets], "t.deadletter.v1", NOON)
    return Message(out.topic, partition, at, 0, out.key, out.value, out.headers)


def states(survey, count):
    return [survey.state(Place(0, offset)) for offset in range(count)]


def test_the_failure_is_taken_off_and_nothing_else():
    """What is sent again is the message as it came: with headers that are like ours, even, and twice the same."""
    came = [("a", b"1"), (ERRORS + "stage", b"its own"), ("a", b"1")]
    failure = Failure("score.decode", "schema", "no title", "t.signals.v1", 3, 99)
    assert taken_apart(dead_letter(failure, came)) == (came, failure)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("a", b"1")] * 9,
        dead_letter(Failure("s", "r", "m", "t", 0, 0), [])[1:],
        dead_letter(Failure("s", "r", "m", "t", 0, 0), [])[::-1],
        [*dead_letter(Failure("s", "r", "m", "t", 0, 0), []), ("after", b"")],
        [(k, b"x" if k.endswith("offset") else v) for k, v in dead_letter(Failure("s", "r", "m", "t", 0, 0), [])],
    ],
)
def test_other_headers_are_no_failure(headers):
    """What another program wrote to the topic is not taken for a letter of ours, and never sent anywhere."""
    assert taken_apart(headers) is None


def test_a_message_can_not_pass_itself_off_as_a_mark():
    """Whoever can write an article could else have dead letters taken for done."""
    forged = mark(0, 1, 2)
    as_letter = letter(original(5, value=forged.value, headers=forged.headers), 3)
    assert isinstance(read(as_letter), Letter)
    assert isinstance(read(forged), Redriven)
    assert read(Message("t", 0, 4, 0, None, b"{}", [(REDRIVEN, b"1")])) is None


def test_a_mark_stands_for_its_letters():
    """What was sent again is not waiting any more; a letter of the same offset in another partition is."""
    survey = surveyed([letter(original(n), n) for n in range(4)] + [mark(4, 1, 3)])
    waiting, done = State.WAITING, State.REDRIVEN
    assert states(survey, 4) == [waiting, done, waiting, done]
    assert survey.state(Place(1, 1)) is waiting


def test_marks_of_what_is_gone_or_was_never_there_change_nothing():
    """The broker deletes letters before their marks; and a mark with any number must cost no memory."""
    survey = surveyed([letter(original(7), 1007), mark(1008, 3, 10**17), mark(1009, 1007)])
    assert survey.state(Place(0, 1007)) is State.REDRIVEN
    assert survey.state(Place(0, 3)) is State.WAITING
    assert len(survey._states[0]) == 3


def test_copies_are_not_sent():
    """A writer that was killed leaves two letters of one failure: one is sent. Another receiver's is no copy."""
    survey = surveyed(
        [
            letter(original(5), 0),
            letter(original(5), 1, stage="extract.parse", reason="crash"),
            letter(original(5, timestamp_ms=1), 2),  # of a topic that was made anew
            letter(original(5, "t.alerts.v1"), 3, stage="notify.ops"),
            letter(original(5, "t.alerts.v1"), 4, stage="notify.desk"),
            letter(original(5, "t.alerts.v1"), 5, stage="notify.ops"),
        ]
    )
    waiting, copy = State.WAITING, State.COPY
    assert states(survey, 6) == [waiting, copy, waiting, waiting, waiting, copy]


def test_memory_is_a_byte_a_letter():
    """The topic may hold millions: what is kept of each is one byte, and sources of the latest only."""
    survey = Survey()
    for offset in range(MAX_RECENT + 1000):
        survey.note(letter(original(offset), offset))
    assert len(survey._states[0]) == MAX_RECENT + 1000
    assert len(survey._recent) == MAX_RECENT


@pytest.mark.parametrize(
    "text", ["", "0", "0:", ":1", "0:1:2", "-1:2", "0:-2", "a:1", "0:1\n", "\u0660:\u0661", "0:" + "9" * 30]
)
def test_what_is_no_place(text):
    """A slip is told before anything is read."""
    with pytest.raises(BrinkwatchError, match="0:12"):
        parse_place(text)


def test_places():
    """As `list` writes them."""
    assert str(parse_place("0:12")) == "0:12"


def test_filters():
    """Each narrows; a stage's first word stands for all of them; the time is the original message's."""
    found = read(letter(original(1), 0, stage="extract.parse", reason="crash"))
    then = datetime.fromtimestamp(WRITTEN_MS / 1000, UTC)
    for fits in ({}, {"reason": "crash"}, {"stage": "extract"}, {"stage": "extract.parse"}, {"since": then}):
        assert Wanted(**fits).wants(found)
    for misses in ({"reason": "schema"}, {"stage": "ext"}, {"stage": "score"}, {"since": then + timedelta(seconds=1)}):
        assert not Wanted(**misses).wants(found)
    assert not Wanted().narrows


def test_the_table_counts_and_is_bounded():
    """By stage and reason, with the first and last time; labels that somebody makes up get one row together."""
    table = Table()
    for number in range(3):
        found = read(letter(original(number, timestamp_ms=WRITTEN_MS + 1000 * number), number))
        table.count(found, State(number))
    (row,) = table.rows
    assert (row.stage, row.reason, row.letters, row.waiting, row.redriven) == ("extract.decode", "schema", 3, 1, 1)
    assert row.last - row.first == timedelta(seconds=2)
    for number in range(MAX_ROWS + 50):
        table.count(read(letter(original(number), number, reason=str(number))), State.WAITING)
    assert len(table.rows) == MAX_ROWS + 1
    assert next(row for row in table.rows if (row.stage, row.reason) == OTHERS).letters == 51


@given(st.text(), st.binary(max_size=600))
def test_nothing_shown_steers_the_terminal(text, raw):
    """Whatever a letter holds: no escape, no carriage return, no text turned round, nothing that is no UTF-8."""
    hostile = original(1, key=raw, value=raw + text.encode("utf-8", "replace"), headers=[(text, raw)])
    found = read(letter(hostile, 0, why=text + "\x1b[2J\u202e\r", reason="\x9b" + text))
    lines = "\n".join([*render.shown(found), *render.letter_cells(found, State.WAITING)])
    lines.encode()
    assert not any((c < " " and c != "\n") or "\x7f" <= c <= "\x9f" or c in "\u202e\u2028\u200f\ufeff" for c in lines)
    json.dumps(render.letter_json(found, State.WAITING)).encode()


def test_values_as_text_or_hex_cut():
    """Text as it reads, with what is cut said; bytes that are no text as hex; a character cut in two spoils nothing."""

    def value(raw):
        lines = list(render.shown(read(letter(original(1, value=raw), 0))))
        return "\n".join(lines[lines.index("") + 1 :])

    assert value('{"title": "Zürich\x1b[31m"}'.encode()) == '{"title": "Zürich\\x1b[31m"}'
    assert value(b"\x00\xff<a>") == "00000000  00 ff 3c 61 3e" + " " * 35 + "..<a>"
    long = ("x" * (render.SHOWN_BYTES - 1) + "ü" * 10).encode()
    assert value(long) == "x" * (render.SHOWN_BYTES - 1) + "\n… 19 bytes more; --raw writes all of them"
    assert value(b"\xff" * 100_000).count("\n") == render.SHOWN_BYTES // render.HEX_WIDTH


def test_times_that_are_none():
    """A broker's -1 or a writer's nonsense is shown as unknown, and stops no list."""
    for stamp in (-1, 10**17):
        assert render.moment(read(letter(original(1, timestamp_ms=stamp), 0)).at) == "unknown"
