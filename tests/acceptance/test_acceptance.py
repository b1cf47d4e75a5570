"""A configuration, a timeline, and what must arrive when: by the rules alone, and through real Kafka and Beam."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from service import Process, Topic, wait_for

from config.alerts import load_alerts
from config.errors import ConfigError
from config.settings import PACKAGED
from deploy.local.process import Port
from pipeline.kafka.client import producer
from pipeline.records import Alert, EventType, Modality, decode, encode
from pipeline.records.topics import Topics
from pipeline.scoring.rule_tests import RuleTests, Told, judge, load_tests, run, signals

HERE = Path(__file__).parent
RULES = HERE / "rules.yaml"
FILES = sorted((HERE / "timelines").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_must_come_comes_and_nothing_else(file: Path):
    """Each timeline under the acceptance rules, to the transition."""
    failed = [result for result in run(file, load_alerts(RULES)) if not result.passed]
    assert failed == []


def test_every_type_and_modality_can_be_told():
    """The words of timelines and rules are those of the records."""
    for kind in EventType:
        for modality in Modality:
            assert Told(dyad="XAA-XBB", type=kind.value, modality=modality.value).type == kind


def test_a_wrong_timeline_names_its_line(tmp_path: Path):
    """Whoever writes one is told the line."""
    file = tmp_path / "t.yaml"
    told = "      - {at: soon, dyad: A-B, type: war}\n"
    file.write_text(f"tests:\n  - name: a\n    until: 1d\n    signals:\n{told}    expect: []\n")
    with pytest.raises(ConfigError) as caught:
        load_tests(file)
    assert {fault.line for fault in caught.value.faults} == {5}
    assert {fault.key.rpartition(".")[2] for fault in caught.value.faults} >= {"at", "type"}


def test_what_does_not_come_is_told_with_its_line(tmp_path: Path):
    """A failing expectation is found in the file; a transition that nobody expects is told, too."""
    file = tmp_path / "t.yaml"
    file.write_text(
        "tests:\n  - name: a\n    until: 1d\n    signals:\n      - {dyad: XAA-XBB, type: force, times: 2}\n"
        "    expect:\n      - {transition: resolved}\n"
    )
    (result,) = run(file, load_alerts(RULES))
    assert [line for line, _ in result.missing] == [7]
    assert [alert.transition.value for alert in result.surplus] == ["raised"]


def installation(broker, prism, folder):
    """Settings of an installation of its own, whose time is the records', under the acceptance rules."""
    shutil.copytree(PACKAGED, folder / "config")
    shutil.copy(RULES, folder / "config" / "alerts.yaml")
    with Port() as port:
        changes = {"prism": prism, "runner": "prism", "clock": "records", "score_metrics_port": port.number}
    return broker.settings("acceptance").model_copy(update={**changes, "config_dir": folder / "config"})


@pytest.mark.slow
def test_the_same_comes_through_kafka(broker, prism, tmp_path):
    """All timelines at once through the real job, every signal sent twice: what arrives is what the rules alone say."""
    settings = installation(broker, prism, tmp_path)
    topics = Topics(settings.topic_prefix)
    tests = [test for file in FILES for test in load_tests(file)[1].tests]
    send(settings, topics, tests)
    with Process(settings, "score", folder=tmp_path) as score:
        alerts = Topic(settings, topics.alerts.name)
        # Time moves on once every partition was read to its end, which may be a bundle or two after the last signal.
        wait_for(lambda: not failing(tests, arrived_on(alerts)) or score.child.poll(), 90, "every transition")
        assert score.end() == 0, score.said()
        arrived = arrived_on(alerts)
    assert failing(tests, arrived) == []
    by_id: dict[str, list[int]] = {}
    for alert in arrived:
        by_id.setdefault(alert.alert_id, []).append(alert.sequence)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_id.values())


@pytest.mark.slow
def test_a_changed_file_is_used_by_the_running_job(broker, prism, tmp_path):
    """No restart: a broken file changes nothing, a lower threshold raises what stands, a silence mutes it."""
    settings = installation(broker, prism, tmp_path)
    file, topics = settings.alerts_file, Topics(settings.topic_prefix)
    file.write_text(RULES.read_text().replace("raise_at: 10", "raise_at: 19"))
    told = {"dyad": "NXA-NXB", "type": "deployment", "times": 2}
    (test,) = RuleTests.model_validate(
        {"tests": [{"name": "reload", "until": "0s", "signals": [told], "expect": []}]}
    ).tests
    send(settings, topics, [test])
    alerts = Topic(settings, topics.alerts.name)
    with Process(settings, "score", folder=tmp_path) as score:
        dyads = Topic(settings, topics.dyads.name)
        wait_for(lambda: b"NXA-NXB" in {m.key for m in dyads.look()} or score.child.poll(), 90, "the signals")
        file.write_text("rules: none")
        wait_for(lambda: score.has_said("the changed rules are not used"), 30, "the fault to be logged")
        assert alerts.look() == []
        file.write_text(RULES.read_text().replace("hold_for: 10m", "hold_for: 0s"))
        alerts.wait(1, 30)
        silence = "silences:\n  - {name: now, why: A test., from: 2019-01-01, until: 2029-01-01}\n"
        file.write_text(RULES.read_text().replace("silences:\n", silence).replace("hold_for: 10m", "hold_for: 0s"))
        found = [decode(m.value, Alert) for m in alerts.wait(2, 30)]
        assert score.end() == 0, score.said()
    assert [(a.transition.value, a.level.value, a.muted) for a in found] == [
        ("raised", "watch", None),
        ("updated", "watch", "silence now"),
    ]


def arrived_on(topic):
    """The transitions so far."""
    return [decode(m.value, Alert) for m in topic.look()]


def failing(tests, arrived):
    """The results of the tests that did not get what they expect, and nothing else, up to their end."""
    results = []
    for test in tests:
        mine = {told.dyad for told in test.signals}
        end = test.start + timedelta(seconds=test.until)
        own = [alert for alert in arrived if alert.dyad in mine and alert.at <= end]
        results.append(judge(test, own, iter([None] * len(test.expect))))
    return [result for result in results if not result.passed]


def send(settings, topics, tests):
    """Every timeline's signals in order of time, each twice, and a last one that brings time to its end."""
    told = sorted((each for test in tests for each in signals(test)), key=lambda each: each[1].observed_at)
    end = max(test.start + timedelta(seconds=test.until) for test in tests)
    last = Told.model_validate({"at": "0s", "dyad": "ZZA-ZZB", "type": "force", "active": False})
    ending = tests[0].model_copy(update={"start": end, "signals": (last,)})
    with producer(settings, "test") as sender:
        for dyad, signal in [*told, *signals(ending)]:
            for _ in range(2):
                sender.send(topics.signals.name, key=dyad.encode(), value=encode(signal))
        sender.flush()
