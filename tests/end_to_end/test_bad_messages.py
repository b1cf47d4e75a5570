"""Bad messages through the real jobs: each ends as a dead letter, and the next good one counts."""

from __future__ import annotations

import json
import urllib.request

import msgspec
import pytest
from samples import NOON, article
from service import Process, Topic, wait_for

from deploy.local.process import Port
from pipeline.kafka.client import producer
from pipeline.records import Signal, decode, encode
from pipeline.records.topics import Topics

pytestmark = pytest.mark.slow
TEXT = "Russia has massed over 40,000 troops on its border with Ukraine, officials in Kyiv said on Tuesday."


def good(number):
    return encode(article(article_id=f"{number:032x}", title="", text=TEXT, published_at=NOON))


def bad():
    """Each bad message with the reason it must get."""
    fields = json.loads(good(99))
    no_text = {key: value for key, value in fields.items() if key != "text"}
    return [
        (b"<html>service unavailable</html>", b"not_json"),
        (b"\x00\xff\xfe", b"not_json"),
        (None, b"not_json"),
        (json.dumps(no_text).encode(), b"schema"),
        (json.dumps({**fields, "published_at": 7}).encode(), b"schema"),
        (json.dumps({**fields, "schema_version": 9}).encode(), b"version"),
        (json.dumps({**fields, "text": "x" * (5 * 1024 * 1024)}).encode(), b"too_large"),
    ]


def test_each_bad_message_is_a_dead_letter_and_the_next_good_one_counts(broker, prism, tmp_path):
    """Not JSON, a missing field, a wrong type, another version, 5 MB: labelled, counted, kept; nothing stops."""
    with Port() as port:
        metrics_port = port.number
    settings = broker.settings("bad").model_copy(
        update={"prism": prism, "runner": "prism", "extract_metrics_port": metrics_port}
    )
    topics = Topics(settings.topic_prefix)
    cases = bad()
    with producer(settings, "test") as sender:
        for number, (value, _) in enumerate(cases):
            sender.send(topics.articles.name, key=b"k%d" % number, value=value, headers=[("origin", b"test")])
            sender.send(topics.articles.name, key=b"g%d" % number, value=good(number))
        sender.send(topics.articles.name, value=b"", key=None)
        sender.flush()
    with Process(settings, "extract", folder=tmp_path) as extract:
        letters, signals = Topic(settings, topics.deadletter.name), Topic(settings, topics.signals.name)
        wait_for(lambda: len(letters.look()) > len(cases) or extract.child.poll(), 90, "dead letters")
        found = {m.key: m for m in letters.messages}
        for number, (value, reason) in enumerate(cases):
            letter = found[b"k%d" % number]
            headers = dict(letter.headers)
            assert letter.value == value
            assert headers["origin"] == b"test"
            assert headers["__connect.errors.exception.class.name"] == reason
            assert headers["__connect.errors.topic"] == topics.articles.name.encode()
        wait_for(lambda: len(_articles(signals)) == len(cases), 30, "signals of every good article")
        page = urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=5).read().decode()
        assert 'brinkwatch_dead_letters_total{reason="not_json",stage="extract.decode"} 4.0' in page
        assert 'brinkwatch_dead_letters_total{reason="too_large",stage="extract.decode"} 1.0' in page
        assert extract.end() == 0, extract.said()


def _articles(signals):
    return {decode(m.value, Signal).article_id for m in signals.look()}


def test_score_survives_bad_signals(broker, prism, tmp_path):
    """A bad message on the signals topic is a dead letter of score; dyads go on."""
    from samples import signal

    settings = broker.settings("bad").model_copy(
        update={"prism": prism, "runner": "prism", "score_metrics_port": 0, "clock": "records"}
    )
    topics = Topics(settings.topic_prefix)
    odd = signal(signal_id="f" * 32, dyads=("Ü-¿",), story="not base64!")
    with producer(settings, "test") as sender:
        sender.send(topics.signals.name, key=b"RUS-UKR", value=b"nonsense")
        sender.send(topics.signals.name, key=b"\xff\xfe", value=encode(odd))
        sender.send(topics.signals.name, key=b"RUS-UKR", value=encode(signal()))
        sender.flush()
    with Process(settings, "score", folder=tmp_path) as score:
        dyads, letters = Topic(settings, topics.dyads.name), Topic(settings, topics.deadletter.name)
        wait_for(lambda: b"RUS-UKR" in {m.key for m in dyads.look()} or score.child.poll(), 60, "the dyad")
        letter = letters.wait(1)[0]
        assert dict(letter.headers)["__connect.errors.stage"] == b"score.decode"
        assert msgspec.json.decode(next(m.value for m in dyads.messages if m.key == b"RUS-UKR"))["score"] > 0
        assert score.end() == 0, score.said()
