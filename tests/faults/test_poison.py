"""Poison through the real job: articles that hang, crash or fill the memory of what reads them, among good ones."""

from __future__ import annotations

import os
import sys
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from samples import article
from service import Process, Topic, wait_for

from deploy.local.process import Port
from pipeline.kafka.client import producer
from pipeline.records import Article, Signal, decode, encode
from pipeline.records.topics import Topics

pytestmark = pytest.mark.slow
SUPPORT = Path(__file__).parents[1] / "support"
REASONS = {"hang": b"stalled", "segfault": b"crash", "memory": b"memory", "recursion": b"crash"}


@pytest.fixture(params=[1.0])
def settings(broker, prism, request):
    """Settings of an extract that gives an article one second, or as many as the test says, and 150 MB."""
    with Port() as port:
        number = port.number
    bounds = {"extract_timeout_s": request.param, "extract_memory_mb": 150, "extract_metrics_port": number}
    return broker.settings("poison").model_copy(update={"prism": prism, "runner": "prism", **bounds})


def poisoned(settings, folder):
    """A running extract whose engine does what an article's text tells it to."""
    paths = os.pathsep.join([str(SUPPORT), *sys.path])
    return Process(settings, folder=folder, module="poisoned_extract", PYTHONPATH=paths)


def send(settings, texts):
    """Publish an article of each text; the values by id."""
    values = {f"{number:032x}": text for number, text in enumerate(texts)}
    sent = {key: encode(article(article_id=key, text=text)) for key, text in values.items()}
    with producer(settings, "test") as sender:
        for key, value in sent.items():
            sender.send(Topics(settings.topic_prefix).articles.name, key=key.encode(), value=value)
        sender.flush()
    return sent


def signals_of(topic):
    """How often each article has its signal."""
    return Counter(decode(m.value, Signal).article_id for m in topic.look())


def metrics(settings):
    address = f"http://127.0.0.1:{settings.extract_metrics_port}/metrics"
    return urllib.request.urlopen(address, timeout=5).read().decode()


def restarts(page, cause):
    return next(
        float(row.split()[1]) for row in page.splitlines() if f'worker_restarts_total{{cause="{cause}"}}' in row
    )


# Time enough for all but what hangs, on a machine with much else to do.
@pytest.mark.parametrize("settings", [4.0], indirect=True)
def test_each_poison_is_one_dead_letter_and_its_neighbours_give_their_signals(settings, tmp_path):
    """Bytes, stage and reason of each are on the topic, the processes it cost are counted, and offsets move on."""
    texts = ["good", "hang", "good", "segfault", "good", "memory", "good", "recursion", "good", "hang", "good"]
    sent = send(settings, texts)
    topics = Topics(settings.topic_prefix)
    bad = {key for key, value in sent.items() if decode(value, Article).text != "good"}
    with poisoned(settings, tmp_path) as extract:
        letters, signals = Topic(settings, topics.deadletter.name), Topic(settings, topics.signals.name)
        wait_for(lambda: len(letters.look()) >= len(bad) or extract.child.poll(), 90, "dead letters")
        wait_for(lambda: len(signals_of(signals)) >= len(sent) - len(bad), 30, "signals")
        page = metrics(settings)
        assert extract.end() == 0, extract.said()
    assert {m.key.decode() for m in letters.messages} == bad
    for letter in letters.messages:
        headers = dict(letter.headers)
        assert letter.value == sent[letter.key.decode()]
        assert headers["__connect.errors.stage"] == b"extract.parse"
        assert headers["__connect.errors.exception.class.name"] == REASONS[decode(letter.value, Article).text]
    assert all(restarts(page, cause) >= 1 for cause in ("crash", "stalled", "memory"))
    assert restarts(page, "server") == 0
    with poisoned(settings, tmp_path) as again:
        (key,) = send(settings, ["good"])
        wait_for(lambda: signals_of(signals)[key] > 1, 60, "the article after a restart")
        assert again.end() == 0, again.said()
    assert len(letters.look()) == len(bad), "a poison article was read again: its offset had not been committed"
    signals_once = set(signals_of(signals)) - {key}
    assert all(signals_of(signals)[one] == 1 for one in signals_once)
    assert signals_once | {key} == set(sent) - bad


def test_told_to_stop_among_hanging_articles_it_drains(settings, tmp_path):
    """SIGTERM waits for the article under way, not for all that hang; what was not done comes to the next extract."""
    sent = send(settings, ["hang"] * 40)
    letters = Topic(settings, Topics(settings.topic_prefix).deadletter.name)
    with poisoned(settings, tmp_path) as extract:
        wait_for(lambda: letters.look() or extract.child.poll(), 60, "the first dead letter")
        assert extract.end(20) == 0, extract.said()
    done = Counter(m.key for m in letters.look())
    assert 1 <= len(done) < len(sent)
    with poisoned(settings, tmp_path) as again:
        wait_for(lambda: len(letters.look()) > sum(done.values()) or again.child.poll(), 60, "the next dead letter")
        assert again.end(20) == 0, again.said()
    assert set(Counter(m.key for m in letters.look()).values()) == {1}


def test_a_thousand_poison_articles_hold_up_no_good_one(settings, tmp_path):
    """A thousand crashes in a row with good articles between: each a dead letter, and each good one has its signal."""
    sent = send(settings, [text for _ in range(250) for text in ("segfault", "abort", "segfault", "recursion", "good")])
    topics = Topics(settings.topic_prefix)
    letters, signals = Topic(settings, topics.deadletter.name), Topic(settings, topics.signals.name)
    with poisoned(settings, tmp_path) as extract:
        wait_for(lambda: len(letters.look()) >= 1000 or extract.child.poll(), 150, "a thousand dead letters")
        wait_for(lambda: len(signals_of(signals)) >= 250, 30, "the signals")
        assert extract.end() == 0, extract.said()
    bad = {key for key, value in sent.items() if decode(value, Article).text != "good"}
    assert Counter(m.key.decode() for m in letters.messages) == Counter(bad)
    assert signals_of(signals) == Counter(set(sent) - bad)
