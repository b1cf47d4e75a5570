"""What each kind of receiver is sent: bounded, escaped, signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from samples import NOON, alert

from config.receivers import Alertmanager
from pipeline.notify import alertmanager, slack, webhook
from pipeline.notify.sample import sample
from pipeline.records import Alert, Level, Transition, decode, encode

NOW = NOON + timedelta(hours=1)
KEYS = (b"a" * 32, b"b" * 32)
UPDATED = {"transition": Transition.UPDATED, "sequence": 2}
RESOLVED = {"transition": Transition.RESOLVED, "level": Level.CALM, "previous_level": Level.WATCH, "sequence": 3}


def receiver(**changes) -> Alertmanager:
    return Alertmanager(name="am", type="alertmanager", url="http://127.0.0.1:9093", **changes)


def posted(given: Alert, **changes) -> list[dict]:
    return json.loads(alertmanager.compose(given, receiver(**changes), NOW).body)


def test_webhook_body_is_a_cloudevent():
    """The SDK reads it, and the data is the record as it stands on the topic."""
    request = webhook.compose(alert(), KEYS, NOW)
    event = from_http_event(HTTPMessage({"content-type": request.content_type}, request.body))
    assert (event.get_type(), event.get_subject()) == ("brinkwatch.alert.raised.v1", "RUS-UKR")
    assert event.get_id() == request.headers["webhook-id"] == "e" * 32 + "-1"
    assert decode(json.dumps(event.get_data()).encode(), Alert) == alert()


def test_webhook_signature_is_that_of_standard_webhooks():
    """One signature for each key, over id, timestamp and body: computed here by the text of the specification."""
    request = webhook.compose(alert(), KEYS, NOW)
    signed = b".".join([b"e" * 32 + b"-1", str(int(NOW.timestamp())).encode(), request.body])
    expected = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in KEYS]
    assert request.headers["webhook-signature"].split() == [f"v1,{each}" for each in expected]


def test_slack_message_has_what_a_person_needs():
    """What, who, why, by whom, and where it stands; the text for the notification too."""
    message = slack.compose(alert(annotations={"runbook": "Call the desk."})).body.decode()
    for words in ("WATCH RUS-UKR: raised", "RUS-UKR watch", "moved 4,000 troops", "Call the desk.", "score 12.0"):
        assert words in message
    assert "<https://wire.example/1|wire.example>" in message
    assert json.loads(message)["unfurl_links"] is False


def test_slack_message_of_hostile_news_is_harmless_and_bounded():
    """A headline can mention nobody, make no link, and not make the message so long that Slack refuses it."""
    hostile = "<!channel> <https://evil.example|click> &" + "&<>" * 5000
    bad = msgspec.structs.replace(
        alert().evidence[0], sentence=hostile, source=hostile, url="https://x.example/|<!here>" + "a" * 5000
    )
    given = alert(summary=hostile, evidence=(bad,) * 10, annotations={hostile + str(n): hostile for n in range(50)})
    message = json.loads(slack.compose(given).body)
    sections = [block["text"]["text"] for block in message["blocks"] if block["type"] == "section"]
    assert all(len(text) <= 3000 for text in sections)
    assert len(message["blocks"][0]["text"]["text"]) <= 150
    assert len(message["blocks"]) <= 50
    for text in [*sections, message["text"], message["blocks"][-1]["elements"][0]["text"]]:
        assert "<" not in text
        assert ">" not in text


def test_a_drill_and_a_muted_alert_say_so():
    """Nobody may take a drill for a war."""
    assert slack.headline(sample(NOW)).startswith("[DRILL] WATCH")
    assert slack.headline(alert(muted="silence")).endswith("(muted)")


def test_alertmanager_labels_route_and_identify():
    """Labels of ours and of the rule, under names that Alertmanager takes; ours can't be overwritten."""
    (one,) = posted(alert(labels={"team": "desk", "on call": "ann", "level": "none", "9": "x", "empty": " "}))
    assert one["labels"] == {
        "alertname": "escalation",
        "dyad": "RUS-UKR",
        "level": "watch",
        "drill": "false",
        "team": "desk",
        "on_call": "ann",
        "_9": "x",
    }


def test_alertmanager_annotations():
    """The summary and the rule's texts."""
    (one,) = posted(alert(annotations={"runbook": "Call."}))
    assert (one["annotations"]["summary"], one["annotations"]["runbook"]) == ("RUS-UKR watch", "Call.")


def test_alertmanager_link():
    """A link has the dyad filled in, quoted: ``*`` and the like must not break it."""
    (one,) = posted(alert(dyad="*-RUS"), generator_url="https://graph.example/d?dyad={dyad}&a={alert_id}")
    assert one["generatorURL"] == f"https://graph.example/d?dyad=%2A-RUS&a={'e' * 32}"
    assert "generatorURL" not in posted(alert())[0]


def times(one: dict) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(one["startsAt"]), datetime.fromisoformat(one["endsAt"])


def test_alertmanager_open_alert_ends_later():
    """An open alert lasts until it is sent again, and not for ever."""
    assert times(posted(alert())[0]) == (NOON, NOW + timedelta(minutes=30))


@pytest.mark.parametrize("at", [NOON, NOW, NOW + timedelta(minutes=30)])
def test_alertmanager_resolved_alert_ended(at):
    """It has ended by now even where the event's time is ahead of the clock, and never before it began."""
    (one,) = posted(alert(**RESOLVED, at=at))
    start, end = times(one)
    assert one["labels"]["level"] == "watch"
    assert start <= end <= NOW


def test_alertmanager_episode_of_the_future_is_still_valid():
    """A start ahead of the clock would be refused together with the whole POST."""
    (one,) = posted(alert(**RESOLVED, started_at=NOW + timedelta(hours=1), at=NOW + timedelta(hours=1)))
    start, end = times(one)
    assert start <= end <= NOW


def test_alertmanager_change_of_level_ends_one_and_begins_another():
    """The level is a label: without the end of the old one, both would stand."""
    old, new = posted(alert(**UPDATED, level=Level.WARNING, previous_level=Level.WATCH))
    assert [old["labels"]["level"], new["labels"]["level"]] == ["watch", "warning"]
    assert times(old)[1] <= NOW < times(new)[1]


def test_alertmanager_fall_below_what_is_wanted_only_ends():
    """Whoever wants warnings is told that it is none any more, not that it is a watch."""
    given = alert(**UPDATED, level=Level.WATCH, previous_level=Level.WARNING)
    (old,) = posted(given, match={"level": "warning"})
    assert old["labels"]["level"] == "warning"
    assert times(old)[1] <= NOW


def test_the_sample_is_a_valid_alert():
    """What ``--test`` sends is what a receiver will get."""
    given = sample(datetime.now(UTC))
    assert decode(encode(given), Alert) == given
    start, end = given.evidence[0].trigger_span
    assert given.evidence[0].sentence[start:end] == "moved"
