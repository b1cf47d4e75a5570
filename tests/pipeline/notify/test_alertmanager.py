"""A real Alertmanager sees alerts begin, change and end, and does not forget what is open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from alertmanagers import BINARY, MISSING, RealAlertmanager
from samples import alert
from service import Process, wait_for

from pipeline.kafka.client import producer
from pipeline.records import Alert, Level, Transition, encode
from pipeline.records.topics import Topics

pytestmark = pytest.mark.skipif(BINARY is None, reason=MISSING)
RECEIVERS = """\
receivers:
  - {{name: am, type: alertmanager, url: "{url}", resend: 500ms, retry: {{first: 100ms, longest: 500ms}}}}
"""


@pytest.fixture
def manager(tmp_path):
    """A real Alertmanager of the test's own."""
    with RealAlertmanager(tmp_path) as running:
        yield running


@pytest.fixture
def settings(broker, manager, tmp_path):
    """An installation that notifies it."""
    config = tmp_path / "config"
    config.mkdir()
    (config / "receivers.yaml").write_text(RECEIVERS.format(url=manager.url), encoding="utf-8")
    return broker.settings("am").model_copy(update={"config_dir": config, "notify_metrics_port": 0})


def send(settings, given: Alert) -> None:
    """An alert as score writes it: the transition, and what is open."""
    topics, key = Topics(settings.topic_prefix), given.alert_id.encode()
    with producer(settings, "score") as sender:
        sender.send(topics.alerts.name, key=key, value=encode(given))
        ended = given.transition is Transition.RESOLVED
        sender.send(topics.alerts_current.name, key=key, value=None if ended else encode(given))
        sender.flush()


def now(**changes) -> Alert:
    """An alert of an episode that began an hour ago."""
    at = datetime.now(UTC)
    return alert(at=at, started_at=at - timedelta(hours=1), **changes)


def test_raised_changed_resolved(settings, manager, tmp_path):
    """Seen through its API: one alert with our labels and texts, then another level in its place, then none."""
    with Process(settings, "notify", folder=tmp_path) as process:
        wait_for(lambda: process.has_said("notifying"), 30, "notify")
        send(settings, now(labels={"team": "desk"}, annotations={"runbook": "Call the desk."}))
        (seen,) = wait_for(manager.alerts, 30, "the alert")
        assert seen["labels"] == {
            "alertname": "escalation",
            "dyad": "RUS-UKR",
            "level": "watch",
            "drill": "false",
            "team": "desk",
        }
        assert seen["annotations"]["runbook"] == "Call the desk."
        assert seen["status"]["state"] in {"active", "unprocessed"}
        raised = {"labels": {"team": "desk"}, "transition": Transition.UPDATED, "sequence": 2}
        send(settings, now(level=Level.CRITICAL, previous_level=Level.WATCH, **raised))
        wait_for(lambda: manager.levels() == ["critical"], 30, "the new level alone")
        ended = {"labels": {"team": "desk"}, "transition": Transition.RESOLVED, "sequence": 3}
        send(settings, now(level=Level.CALM, previous_level=Level.CRITICAL, **ended))
        wait_for(lambda: manager.alerts() == [], 30, "the end")
        assert process.end() == 0


def test_what_is_open_is_sent_again(settings, manager, tmp_path):
    """An Alertmanager that lost its memory hears again of an alert that was raised before notify was started."""
    send(settings, now())
    with Process(settings, "notify", folder=tmp_path):
        (first,) = wait_for(manager.alerts, 30, "the open alert")
        wait_for(lambda: manager.alerts()[0]["endsAt"] > first["endsAt"], 30, "a later end")
        manager.stop()
        manager.start()
        wait_for(lambda: manager.levels() == ["watch"], 30, "the alert after the restart")


def test_an_alertmanager_that_is_away_gets_it_later(settings, manager, tmp_path):
    """While it is away transitions wait; what was raised and resolved meanwhile is not open when it is back."""
    manager.stop()
    with Process(settings, "notify", folder=tmp_path) as process:
        wait_for(lambda: process.has_said("notifying"), 30, "notify")
        send(settings, now(alert_id="1" * 32, dyad="CHN-TWN"))
        wait_for(lambda: process.has_said("not reached"), 30, "the failure")
        ended = {"transition": Transition.RESOLVED, "level": Level.CALM, "previous_level": Level.WATCH}
        send(settings, now(alert_id="1" * 32, dyad="CHN-TWN", sequence=2, **ended))
        send(settings, now(alert_id="2" * 32))
        manager.start()
        wait_for(lambda: [each["labels"]["dyad"] for each in manager.alerts()] == ["RUS-UKR"], 30, "what is open")
