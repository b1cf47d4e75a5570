"""``alerts`` and ``watch`` as processes: what another program, a pipe or ctrl-C sees."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
import samples
from terminals import Terminal

from pipeline.kafka.client import producer
from pipeline.records import Level, Transition, encode
from pipeline.records.topics import Topics

COMMAND = (sys.executable, "-m", "pipeline.cli.main")
SECONDS = 60


def environment(settings) -> dict[str, str]:
    """Where the test's topics are, as an operator would say it."""
    return {
        "PATH": "/usr/bin:/bin",
        "BRINKWATCH_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "BRINKWATCH_TOPIC_PREFIX": settings.topic_prefix,
    }


def start(settings, *arguments: str) -> subprocess.Popen[str]:
    """The command against the test's topics."""
    return subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(settings)
    )


def send(settings, *alerts) -> None:
    """Alerts as score writes them: on both topics, a tombstone for what is resolved."""
    topics = Topics(settings.topic_prefix)
    with producer(settings, "test") as sender:
        for alert in alerts:
            key = alert.alert_id.encode()
            sender.send(topics.alerts.name, key=key, value=encode(alert))
            ended = alert.transition is Transition.RESOLVED
            sender.send(topics.alerts_current.name, key=key, value=None if ended else encode(alert))
        sender.flush()


def alert(name: str, **changes):
    """An alert of now."""
    return samples.alert(alert_id=name * 32, at=datetime.now(UTC), **changes)


def test_alerts_as_json_lines(broker):
    """One valid record a line, only what was asked for, exit code 0."""
    settings = broker.settings("json")
    grave = alert("2", level=Level.CRITICAL, dyad="CHN-TWN")
    send(settings, alert("1"), grave)
    process = start(settings, "alerts", "--json", "--no-follow", "--level", "warning", "--dyad", "twn")
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    assert [json.loads(line)["alert_id"] for line in out.splitlines()] == [grave.alert_id]


def test_alerts_follow_until_interrupted(broker):
    """What is committed meanwhile appears at once; ctrl-C ends it quietly with 0."""
    settings = broker.settings("follow")
    send(settings, alert("1"))
    process = start(settings, "alerts")
    assert "OPEN     watch    RUS-UKR" in process.stdout.readline()
    assert "·" in process.stdout.readline()
    send(settings, alert("1", sequence=2, transition=Transition.RESOLVED, level=Level.CALM, previous_level=Level.WATCH))
    assert "RESOLVED watch    RUS-UKR" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert "Traceback" not in err


def test_alerts_end_with_their_reader(broker):
    """``| head -1``: no trace when the pipe closes."""
    settings = broker.settings("pipe")
    send(settings, alert("1"))
    process = start(settings, "alerts", "--json", "--seconds", "30")
    process.stdout.readline()
    process.stdout.close()
    end = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < end:
        send(settings, alert(str(int(time.monotonic()) % 7 + 2)))
        time.sleep(0.2)
    assert process.wait(timeout=SECONDS) is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_watch_without_a_terminal_is_plain(broker):
    """Lines, not a screen: what is open, then a status line, then the end it was told."""
    settings = broker.settings("plain")
    send(settings, alert("1"))
    process = start(settings, "watch", "--seconds", "12")
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    lines = out.splitlines()
    assert "OPEN     watch    RUS-UKR" in lines[0]
    assert any("status   0 articles, 0 signals, 0 dead letters, 1 open alert" in line for line in lines)
    assert "\x1b" not in out


@pytest.mark.parametrize("colours", [{"TERM": "xterm-256color", "COLORTERM": "truecolor"}, {"TERM": "xterm"}])
def test_watch_in_a_terminal(broker, colours):
    """A real terminal of 80x24, with many colours or sixteen: the topics are drawn, keys work, q ends it."""
    settings = broker.settings("screen")
    topics, standing = Topics(settings.topic_prefix), alert("1", summary="RUS-UKR watch: troops moved")
    send(settings, standing)
    with producer(settings, "test") as sender:
        for name, score in (("ARV-BRN", 2.0), ("RUS-UKR", 12.0)):
            record = samples.dyad(dyad=name, score=score, evidence=standing.evidence)
            sender.send(topics.dyads.name, key=name.encode(), value=encode(record))
        sender.flush()
    with Terminal([*COMMAND, "watch"], environment(settings) | colours) as terminal:
        terminal.until("2 dyads, 1 open")
        terminal.press("\r")
        assert "escalation 000000000000" in terminal.until("Back")
        terminal.press("\x1b")
        terminal.until("heaviest evidence")
        terminal.press("/rus")
        terminal.until("1 match")
        terminal.press("\x1b")
        terminal.until("1 open, as of")
        terminal.press("q")
        assert terminal.ended() == 0
