"""Small values of the records."""

from __future__ import annotations

from pipeline.records import Level
from pipeline.records.dyad import dyad_key
from pipeline.records.minhash import jaccard, signature
from pipeline.records.topics import Topics

PINNED = "9CKSBwAmmiVI+yoD"
TEXT = "The northern fleet left its harbour before dawn and sailed for the strait, the ministry of defence said today."


def test_dyad_key_is_unordered():
    """A pair has one key, whoever acts; the unnamed side sorts first."""
    assert dyad_key("UKR", "RUS") == dyad_key("RUS", "UKR") == "RUS-UKR"
    assert dyad_key("RUS", None) == "*-RUS"
    assert dyad_key(None, None) == "*-*"


def test_levels_are_ordered():
    """Levels compare by rank."""
    assert [level.rank for level in (Level.CALM, Level.WATCH, Level.WARNING, Level.CRITICAL)] == [0, 1, 2, 3]


def test_minhash_tells_copies_from_others():
    """An edited copy is close, another text is far, and an empty signature is close to nothing."""
    copy = TEXT.replace("today", "on Monday")
    other = "Shares of the country's largest bakery fell by a third after it warned that flour prices would stay high."
    assert jaccard(signature(TEXT), signature(copy)) > 0.5
    assert jaccard(signature(TEXT), signature(other)) < 0.1
    assert signature("four words are short") == ""
    assert jaccard("", signature(TEXT)) == 0.0


def test_minhash_is_the_same_everywhere():
    """Signatures are compared across processes and years: case, punctuation and the process do not matter."""
    assert signature(TEXT) == signature(TEXT.upper().replace(",", " -"))
    assert signature(TEXT).startswith(PINNED)


def test_topics_carry_their_prefix_and_version():
    """Names are a public contract."""
    names = [topic.name for topic in Topics("brinkwatch").all]
    assert names == [
        "brinkwatch.articles.v1",
        "brinkwatch.signals.v1",
        "brinkwatch.alerts.v1",
        "brinkwatch.alerts.current.v1",
        "brinkwatch.dyads.v1",
        "brinkwatch.deadletter.v1",
    ]
    assert Topics("x").dyads.configs["cleanup.policy"] == "compact"
    assert Topics("x").dyads.configs["segment.bytes"] == str(64 * 1024 * 1024), "the open segment is never compacted"
    assert Topics("x").alerts.configs["retention.ms"] == str(365 * 24 * 3600 * 1000)
