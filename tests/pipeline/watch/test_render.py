"""What a person reads: lines for alerts and signals, safe on any terminal."""

from __future__ import annotations

import samples
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from pipeline.records import Level, Transition
from pipeline.watch.render import alert_lines, clean, highlighted, signal_line, sparkline


def test_a_raised_alert_with_its_evidence():
    """One line says what, whom and how far; the sentences stand below it."""
    head, evidence = alert_lines(samples.alert(dyad="XBM-XKV", score=23.44, baseline=0.4, sources=5))
    assert head == "12:00:00 RAISED   watch    XBM-XKV  score 23.4 (baseline 0.4)  5 sources"
    sentence = "Arvia moved 4,000 troops to the border with Brenn."
    assert evidence == f"    · “{sentence}” — wire.example (deployment, asserted, +6.5)"


def test_a_resolved_alert_says_what_it_was():
    """The level that ended, and no evidence."""
    ended = samples.alert(transition=Transition.RESOLVED, level=Level.CALM, previous_level=Level.WARNING)
    assert alert_lines(ended) == ["12:00:00 RESOLVED warning  RUS-UKR  score 12.0 (baseline 1.0)  3 sources"]


def test_an_update_says_where_it_came_from():
    """A change of level names the one before."""
    up = samples.alert(transition=Transition.UPDATED, level=Level.WARNING, previous_level=Level.WATCH)
    assert "UPDATED  warning" in alert_lines(up)[0]
    assert alert_lines(up)[0].endswith("from watch")


def test_much_evidence_is_cut():
    """Five sentences, and how many more there are."""
    alert = samples.alert()
    many = structs.replace(alert, evidence=alert.evidence * 9)
    assert alert_lines(many)[-1] == "    · and 4 more"
    assert len(alert_lines(many)) == 7


def test_a_signal_line():
    """What counts has its weight; what does not, says so."""
    line = signal_line(samples.signal())
    assert line.startswith("12:00:00 signal   RUS-UKR  deployment, asserted, +5.2  “Arvia moved")
    assert "does not count" in signal_line(samples.signal(active=False))


@given(st.text())
def test_hostile_text_can_not_steer_the_terminal(text: str):
    """No line break, escape sequence or change of writing direction reaches the screen, and it is bounded."""
    line = clean(text, 50)
    assert len(line) <= 50
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066\u200f" for char in line)


@given(st.lists(st.floats(0, 1e6), max_size=60), st.integers(1, 48))
def test_sparklines_fit(values: list[float], width: int):
    """At most one block a value, at most the width."""
    assert len(sparkline(values, width)) == min(width, len(values))


def test_sparkline_shape():
    """It rises where the values rise."""
    assert sparkline([0, 1, 2, 4], 4) == "▁▃▅█"
    assert sparkline([0, 0], 4) == "▁▁"


def test_the_trigger_is_marked():
    """Exactly the words of the trigger; a span that lies outside marks nothing."""
    each = samples.alert().evidence[0]
    (span,) = highlighted(each).spans
    assert each.sentence[span.start : span.end] == "moved"
    assert not highlighted(structs.replace(each, trigger_span=(500, 600))).spans
