"""Bad messages through the real jobs: each ends as a dead letter, and the next good one counts."""

from __future__ import annotations

import json
import time
import urllib.request

import msgspec
import pytest
from letters import original, write
from samples import NOON, article
from service import Process, Topic, wait_for

from deploy.local.process import Port
from pipeline.cli.common import progress_bar
from pipeline.deadletters.reading import Reading
from pipeline.deadletters.run import redrive
from pipeline.deadletters.select import Wanted
from pipeline.deadletters.table import Table
from pipeline.kafka.client import producer
from pipeline.kafka.upstream import Upstream
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


def test_letters_that_are_sent_again_are_worked_or_become_new_letters(broker, prism, tmp_path):
    """What can be read now gives its signals; what still can't is a new dead letter, and the old one is done with."""
    settings = broker.settings("again").model_copy(
        update={"prism": prism, "runner": "prism", "extract_metrics_port": 0}
    )
    topics = Topics(settings.topic_prefix)
    newer = json.dumps({**json.loads(good(1)), "schema_version": 2}).encode()
    stamp = int(time.time() * 1000)
    write(
        settings,
        (original(0, topics.articles.name, value=newer, timestamp_ms=stamp), "extract.decode", "version", "2"),
        (original(1, topics.articles.name, value=good(2), timestamp_ms=stamp), "extract.parse", "crash", "mended"),
    )
    tally = redrive(Reading(settings, progress_bar), settings, Wanted(), execute=True)
    assert (tally.sent.total(), tally.failed) == (2, False)
    upstream = Upstream(settings, topics.articles.name, topics.extract_group, "look")
    with Process(settings, "extract", folder=tmp_path) as extract:
        letters, signals = Topic(settings, topics.deadletter.name), Topic(settings, topics.signals.name)
        wait_for(lambda: _articles(signals) == {f"{2:032x}"} or extract.child.poll(), 90, "the mended one's signals")
        wait_for(lambda: len(letters.look()) == 4, 60, "two letters, a mark, and the new letter")
        wait_for(upstream.settled, 30, "the end of the backlog, marks of transactions and all")
        assert extract.end() == 0, extract.said()
    upstream.close()
    table, reading = Table(), Reading(settings, progress_bar)
    for letter, state in reading.letters(reading.survey()):
        table.count(letter, state)
    counts = {row.reason: (row.letters, row.waiting, row.redriven) for row in table.rows}
    assert counts == {"crash": (1, 0, 1), "version": (2, 1, 1)}


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
