"""``deadletters`` on a real broker: what is listed and shown; each letter is sent again once, whatever dies."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter

import pytest
from hookserver import HookServer, Play
from letters import original as of_2024
from letters import write
from notified import SECRET, Notified, ids, transitions
from service import Process, Topic, wait_for

from config.errors import BrinkwatchError
from pipeline.cli.common import progress_bar
from pipeline.deadletters.reading import Reading
from pipeline.deadletters.run import Sending, Tally, redrive
from pipeline.deadletters.select import Wanted
from pipeline.kafka.exactly_once import ReaderWriter
from pipeline.kafka.group import GroupMember
from pipeline.kafka.message import Outgoing, send
from pipeline.kafka.upstream import EVERY_S, Upstream
from pipeline.records import encode
from pipeline.records.topics import Topics

# Of now: the broker deletes by the messages' times, and has no use for letters of 2024.
WRITTEN_MS = int(time.time()) // 60 * 60_000
COMMAND = (sys.executable, "-m", "pipeline.cli.main", "deadletters")


def original(offset, topic, **changes):
    """A message of now that is going to fail."""
    return of_2024(offset, topic, **{"timestamp_ms": WRITTEN_MS, **changes})


def utc(ms):
    """As it is shown."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))


def run(settings, *arguments, **env):
    """The command as an operator runs it: exit code, output, errors."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "BRINKWATCH_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "BRINKWATCH_TOPIC_PREFIX": settings.topic_prefix,
        "BRINKWATCH_CONFIG_DIR": str(settings.config_dir),
    }
    done = subprocess.run(
        [*COMMAND, *arguments], env=environment | env, capture_output=True, timeout=120, check=False, text=True
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def committed(settings, topic):
    """What a reader of committed messages sees."""
    view = Topic(settings, topic.name)
    try:
        return view.look()
    finally:
        view.close()


def three(settings):
    """Three letters: two of articles, one of a signal."""
    topics = Topics(settings.topic_prefix)
    write(
        settings,
        (original(7, topics.articles.name), "extract.decode", "version", "schema_version 2"),
        (original(8, topics.articles.name, value=b"\x00\x1b[2J", timestamp_ms=WRITTEN_MS + 1000),
         "extract.parse", "crash", "RecursionError"),
        (original(9, topics.signals.name, key=b"RUS-UKR"), "score.decode", "version", "schema_version 2"),
    )  # fmt: skip
    return topics


def test_list_and_show(broker):
    """The table counts; a filter lists single ones, at most so many; one is shown with its why and bytes."""
    settings = broker.settings("letters")
    three(settings)
    first, second = utc(WRITTEN_MS), utc(WRITTEN_MS + 1000)
    code, out, _ = run(settings, "list")
    assert (code, [line.split() for line in out.splitlines()]) == (
        0,
        [
            ["stage", "reason", "letters", "waiting", "redriven", "first", "last"],
            ["extract.decode", "version", "1", "1", "0", first, first],
            ["extract.parse", "crash", "1", "1", "0", second, second],
            ["score.decode", "version", "1", "1", "0", first, first],
        ],
    )
    _, out, _ = run(settings, "list", "--json", "--reason", "version", "--since", first)
    assert [(row["letter"], row["stage"], row["state"]) for row in map(json.loads, out.splitlines())] == [
        ("0:0", "extract.decode", "waiting"),
        ("0:2", "score.decode", "waiting"),
    ]
    _, out, _ = run(settings, "list", "--reason", "version", "--limit", "1")
    assert out.splitlines()[1].startswith("0:2 ")
    assert out.splitlines()[2] == "the last 1 of 2; --limit shows more"
    code, out, _ = run(settings, "show", "0:1")
    assert code == 0
    assert "why          RecursionError" in out
    assert out.endswith("The letter is waiting.\n")
    assert "header       origin: test" in out
    assert "\x1b" not in out
    assert "\\x1b[2J" in out
    _, out, _ = run(settings, "show", "0:1", "--raw")
    assert out == "\x00\x1b[2J"


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("show", "0:12"), 1, "0:12: not in the partition: it holds 0 to 2"),
        (("show", "3:0"), 1, "partition 3: there are 1"),
        (("show", "twelve"), 1, "such as 0:12"),
        (("list", "--since", "lately"), 1, "--since"),
        (("redrive",), 2, "say which"),
        (("redrive", "--all", "--reason", "crash"), 2, "say which"),
        (("redrive", "0:12", "--execute"), 1, "not in the partition"),
    ],
)
def test_slips_are_explained(letters_of_three, arguments, code, why):
    """What, where and why, without a trace; and nothing is sent."""
    found, _, err = run(letters_of_three, *arguments)
    assert found == code
    assert why in " ".join(err.replace("│", " ").split())


@pytest.fixture(scope="module")
def letters_of_three(broker):
    """An installation with three letters that nobody sends again."""
    settings = broker.settings("letters")
    three(settings)
    return settings


def test_no_broker_is_explained(letters_of_three):
    """Where it looked, and what to look at."""
    code, _, err = run(letters_of_three.model_copy(update={"bootstrap_servers": "127.0.0.1:1"}), "list")
    assert code == 1
    assert "connecting to Kafka failed: 127.0.0.1:1" in err


def test_each_is_sent_again_once(broker):
    """A dry run sends nothing; then one, some, all: each as it came, to where it came from, and never a second time."""
    settings = broker.settings("letters")
    topics = three(settings)
    code, out, _ = run(settings, "redrive", "--all")
    assert code == 0
    assert "would be sent again: 3" in out
    assert "nothing was sent" in out
    assert committed(settings, topics.articles) == []
    assert run(settings, "redrive", "0:1", "--execute")[0] == 0
    assert run(settings, "redrive", "--reason", "crash", "--execute")[1].startswith("sent again: 0")
    code, _, err = run(settings, "redrive", "0:1", "--execute")
    assert (code, "0:1: it was sent again before" in err) == (1, True)
    assert run(settings, "redrive", "--all", "--execute")[1].startswith("sent again: 2")
    assert run(settings, "redrive", "--all", "--execute")[1].startswith("sent again: 0")
    articles, signals = committed(settings, topics.articles), committed(settings, topics.signals)
    assert sorted((m.key, m.value, tuple(m.headers)) for m in articles) == [
        (b"k7", b"v7", (("origin", b"test"),)),
        (b"k8", b"\x00\x1b[2J", (("origin", b"test"),)),
    ]
    assert [(m.key, m.value) for m in signals] == [(b"RUS-UKR", b"v9")]
    assert all(m.timestamp_ms > WRITTEN_MS + 1000 for m in articles)
    _, out, _ = run(settings, "list", "--json")
    assert [(row["letters"], row["waiting"], row["redriven"]) for row in map(json.loads, out.splitlines())] == [
        (1, 0, 1)
    ] * 3


def test_nothing_of_a_transaction_that_was_cut_off_counts(broker):
    """Dying between the message and its mark: neither is there, and the next run sends it once."""
    settings = broker.settings("letters")
    topics = three(settings)
    dying = ReaderWriter(settings, topics.deadletter.name, topics.redrive_id, "redrive")
    dying._producer.begin_transaction()
    send(dying._producer, Outgoing(topics.articles.name, b"k7", b"v7"))
    dying._producer.flush()  # on the broker, and never committed
    reading = Reading(settings, progress_bar)
    assert redrive(reading, settings, Wanted(), execute=True).sent.total() == 3
    assert sorted(m.value for m in committed(settings, topics.articles)) == [b"\x00\x1b[2J", b"v7"]
    dying.close()


def test_who_begins_ends_whoever_was_about_it(broker):
    """Two at once, each knowing nothing of the other's marks, would send everything twice."""
    settings = broker.settings("letters")
    topics = three(settings)
    reading = Reading(settings, progress_bar)
    (first, *_) = [letter for letter, _ in reading.letters(reading.survey())]
    slow = Sending(settings, Tally())
    assert redrive(reading, settings, Wanted(), execute=True).sent.total() == 3
    slow.resend(first, topics.articles.name)
    with pytest.raises(BrinkwatchError, match="another redrive began"):
        slow.close()
    assert sorted(m.value for m in committed(settings, topics.articles)) == [b"\x00\x1b[2J", b"v7"]


@pytest.mark.slow
def test_killed_again_and_again_it_sends_each_once(broker, tmp_path):
    """SIGKILL in the midst of thousands: after the run that ends by itself, each stands on its topic exactly once."""
    settings = broker.settings("letters")
    topics, count = Topics(settings.topic_prefix), 20_000
    articles = topics.articles.name
    write(settings, *((original(n, articles, value=b"x" * 500), "extract.parse", "crash", "x") for n in range(count)))
    view, kills, code = Topic(settings, articles), 0, None
    while code is None:
        seen = len(view.look())
        with Process(settings, "deadletters", "redrive", "--all", "--execute", folder=tmp_path) as process:
            while len(view.look()) == seen and process.child.poll() is None:
                time.sleep(0.1)
            if kills < 4 and process.child.poll() is None:
                process.kill()
                kills += 1
            else:
                code = process.child.wait(120)
    assert code == 0, process.said()
    keys = Counter(m.key for m in view.look())
    view.close()
    assert len(keys) == count
    assert set(keys.values()) == {1}
    assert run(settings, "redrive", "--all", "--execute")[1].startswith("sent again: 0")


def test_a_mark_at_the_end_of_a_topic_does_not_hold_up_time(broker):
    """The transaction's mark is never polled: extract has to commit past it, or score's time would stand still."""
    settings = broker.settings("letters")
    topics = three(settings)
    assert run(settings, "redrive", "--stage", "extract", "--execute")[0] == 0
    upstream = Upstream(settings, topics.articles.name, topics.extract_group, "look")
    member = GroupMember(settings, topics.articles.name, topics.extract_group, "work")
    found = []

    def worked_off():
        found.extend(member.poll(10))
        return len(found) == 2 and member.commit() and member.caught_up()

    wait_for(worked_off, 60, "both articles")
    member.pass_marks()
    time.sleep(EVERY_S + 0.1)
    assert upstream.settled()
    member.close()
    upstream.close()


@pytest.fixture
def notified(broker, tmp_path, monkeypatch):
    """An installation with receivers."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return Notified(broker, tmp_path)


def test_an_alert_is_redelivered_to_its_receiver_alone(notified):
    """The one that missed it gets it, with the same id, once; no other receiver, and nobody by the alert topic."""
    with HookServer(Play(400), Play(400)) as broken, HookServer() as other:
        notified.hook(broken.url, "ops")
        notified.hook(other.url, "desk")
        notified.send(*transitions("a", 2))
        notified.once()
        assert len(notified.dead()) == 2
        before = len(committed(notified.settings, notified.topics.alerts))
        for sent in (2, 0):
            code, out, err = run(notified.settings, "redrive", "--all", "--execute", HOOK_SECRET=SECRET)
            assert code == 0, out + err
            assert out.startswith(f"sent again: {sent}")
        assert broken.ids() == ids("a", 2) * 2
        assert other.ids() == ids("a", 2)
    assert len(committed(notified.settings, notified.topics.alerts)) == before


def test_a_receiver_that_is_still_down_keeps_its_letters(notified):
    """They wait as they are, nobody waits for each one's deadline, and the exit code says that something is left."""
    notified.hook("http://127.0.0.1:1/", deadline="300ms")
    topics = notified.topics
    alerts = transitions("a", 3)
    write(
        notified.settings,
        *((original(n, topics.alerts.name, value=encode(each)), "notify.ops", "exhausted", "down")
          for n, each in enumerate(alerts)),
        (original(9, topics.alerts.name, value=encode(alerts[0])), "notify.gone", "refused", "HTTP 400"),
    )  # fmt: skip
    code, out, _ = run(notified.settings, "redrive", "--all", "--execute", HOOK_SECRET=SECRET)
    assert code == 1
    assert out.startswith("sent again: 0\nleft: 4\n")
    assert "no receiver 'gone'" in out
    code, out, _ = run(notified.settings, "redrive", "--all", "--execute")
    assert (code, "HOOK_SECRET" in out) == (1, True)
    with HookServer() as server:
        notified.listed.clear()
        notified.hook(server.url)
        run(notified.settings, "redrive", "--stage", "notify.ops", "--execute", HOOK_SECRET=SECRET)
        assert server.ids() == ids("a", 3)
