"""Records survive the wire; whatever is not one is refused with a reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import alert, article, dyad, signal

from pipeline.records import Alert, Article, DecodeError, Dyad, Signal, decode, encode
from pipeline.records.codec import MAX_BYTES


@pytest.mark.parametrize("record", [article(), signal(), alert(), dyad()], ids=lambda r: type(r).__name__)
def test_round_trip(record):
    """A record read back is equal to the one written, and is written again as the same bytes."""
    raw = encode(record)
    back = decode(raw, type(record))
    assert back == record
    assert encode(back) == raw


def test_unknown_fields_are_ignored():
    """A newer writer may add a field without breaking this reader."""
    raw = json.dumps({**json.loads(encode(article())), "novelty": 1}).encode()
    assert decode(raw, Article) == article()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema_version": 2}, "version"),
        ({"schema_version": "1"}, "schema"),
        ({"title": None}, "schema"),
        ({"published_at": "yesterday"}, "schema"),
        ({"published_at": "2024-05-06T12:00:00"}, "schema"),  # no zone: nobody knows when that is
        ({"fetched_at": 5}, "schema"),
    ],
)
def test_wrong_fields_are_refused(change, reason):
    """Each kind of fault gets its own label, because the dead letter's metric counts by it."""
    raw = json.dumps({**json.loads(encode(article())), **change}).encode()
    with pytest.raises(DecodeError) as error:
        decode(raw, Article)
    assert error.value.reason == reason


@pytest.mark.parametrize("missing", ["schema_version", "article_id", "text", "observed_at"])
def test_missing_fields_are_refused(missing):
    """A message that misses a required field is no article."""
    fields = json.loads(encode(article()))
    del fields[missing]
    with pytest.raises(DecodeError, match=missing) as error:
        decode(json.dumps(fields).encode(), Article)
    assert error.value.reason == "schema"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "not_json"),
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"<rss/>", "not_json"),
        (b'{"schema_version": 1, "x": ' + b"[" * 100_000, "not_json"),
        (b"[]", "schema"),
        (b'{"schema_version": 1}', "schema"),
        (b" " * (MAX_BYTES + 1), "too_large"),
    ],
    ids=["none", "empty", "no-utf8", "xml", "deep", "list", "bare", "large"],
)
def test_what_is_no_record_is_refused(raw, reason):
    """Bytes of any kind end as a DecodeError with a known reason, never as another exception."""
    with pytest.raises(DecodeError) as error:
        decode(raw, Article)
    assert error.value.reason == reason


@given(st.binary(max_size=300))
def test_any_bytes(raw):
    """No bytes make the decoder raise anything but DecodeError."""
    for kind in (Article, Signal, Alert, Dyad):
        with pytest.raises(DecodeError):
            decode(raw, kind)
