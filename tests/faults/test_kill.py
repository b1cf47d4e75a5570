"""kill -9 in the middle of a run: no article is lost, and no signal is there twice under two ids."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

import pytest
from samples import article
from service import Process, Topic, wait_for

from config.settings import load_settings
from deploy.local.kafka import EmbeddedKafka
from deploy.topics import apply_topics
from pipeline.extraction.engine import Engine
from pipeline.kafka.client import producer
from pipeline.records import Signal, decode, encode
from pipeline.records.topics import Topics

pytestmark = pytest.mark.slow
ARTICLES = 400
NAMES = ["Russia", "China", "Iran", "Turkey", "India", "Serbia", "Egypt", "Sudan"]


def sent():
    """Articles of one signal each at least, all different, with a fixed seed."""
    pick = random.Random(7)
    for number in range(ARTICLES):
        one, other = pick.sample(NAMES, 2)
        troops = pick.randrange(1, 90) * 1000
        text = f"{one} has massed over {troops:,} troops on its border with {other}, officials said on Tuesday."
        yield article(article_id=f"{number:032x}", title="", text=text)


def send(settings, articles, pause):
    """Publish slowly, so that kills fall into the middle."""
    with producer(settings, "test") as sender:
        for item in articles:
            sender.send(Topics(settings.topic_prefix).articles.name, key=item.article_id.encode(), value=encode(item))
            time.sleep(pause)
        sender.flush()


def ids(messages):
    """How often each signal stands under each dyad."""
    return Counter((m.key, decode(m.value, Signal).signal_id) for m in messages)


def test_extract_and_broker_killed_in_the_middle(prism, tmp_path):
    """Three kills of extract and one of the broker under load: then the signals are those of an undisturbed run."""
    articles = list(sent())
    expected = {
        (dyad.encode(), signal.signal_id)
        for found in Engine.load(load_settings()).extract(articles)
        for signal in found.signals
        for dyad in signal.dyads or ("*-*",)
    }
    with EmbeddedKafka(tmp_path / "data", load_settings().cache_dir) as kafka:
        settings = load_settings(
            bootstrap_servers=kafka.bootstrap_servers, data_dir=tmp_path / "data", prism=prism, extract_metrics_port=0
        )
        topics = Topics(settings.topic_prefix)
        apply_topics(settings, topics)
        sender = threading.Thread(target=send, args=(settings, articles, 0.05))
        sender.start()
        for _ in range(3):
            process = Process(settings, "extract", folder=tmp_path)
            before = len(look(settings, topics.signals.name))
            wait_for(lambda n=before: len(look(settings, topics.signals.name)) > n, 60, "extract to write")
            process.kill()
        with Process(settings, "extract", folder=tmp_path) as last:
            kafka.kill()
            time.sleep(1)
            kafka.start()
            sender.join()
            wait_for(lambda: complete(settings, expected) or last.child.poll() is not None, 240, "the rest")
            if last.child.poll() is None:
                assert last.end() == 0, last.said()
        with Process(settings, "extract", folder=tmp_path) as again:
            # One that the broker's fall took with it left the rest to this one, as a supervisor would.
            wait_for(lambda: complete(settings, expected), 240, "the rest after a restart")
            time.sleep(8)  # nothing is left to do: a wrong offset would show as more repeats here
            found = ids(look(settings, topics.signals.name))
            assert again.end() == 0, again.said()
    assert set(found) == expected
    assert repeats(found) < ARTICLES


def complete(settings, expected):
    """Whether every signal that is due stands on the topic."""
    return expected <= set(ids(look(settings, Topics(settings.topic_prefix).signals.name)))


def look(settings, name):
    """The topic as of now."""
    topic = Topic(settings, name)
    try:
        return topic.look()
    finally:
        topic.close()


def repeats(found):
    """How many repeats of equal id there are: at least once allows them, score skips them."""
    return sum(count - 1 for count in found.values())
