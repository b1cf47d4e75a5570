"""What stands on the alert topics keeps to the published contract: schema, AsyncAPI document and CloudEvents."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from samples import NOON, alert, dyad
from service import Topic

from pipeline.kafka.client import producer
from pipeline.notify.sample import sample
from pipeline.records import Alert, Level, Transition, decode
from pipeline.records.topics import Topics
from pipeline.transforms.outgoing import as_messages

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
SCHEMA = json.loads((REFERENCE / "schemas" / "alert.v1.json").read_text(encoding="utf-8"))
DESCRIBED = yaml.safe_load((REFERENCE / "asyncapi.yaml").read_text(encoding="utf-8"))["components"]["messages"]["alert"]
UPDATED = {"sequence": 2, "transition": Transition.UPDATED, "previous_level": Level.WATCH, "level": Level.CRITICAL}
RESOLVED = {"sequence": 3, "transition": Transition.RESOLVED, "previous_level": Level.CRITICAL, "level": Level.CALM}
FULL = {"labels": {"team": "desk"}, "annotations": {"runbook": "Call."}, "muted": "silence", "drill": True}
ALERTS = (sample(NOON), alert(factors={"severity": 6.5}, magnitudes={"troops": 4000.0}, **FULL), alert(**UPDATED))

validator = jsonschema.Draft202012Validator


@pytest.fixture(scope="module")
def messages(broker):
    """Messages as score writes them, read back from both topics."""
    settings = broker.settings("contract")
    topics = Topics(settings.topic_prefix)
    with producer(settings, "score", transactional_id=settings.topic_prefix) as sender:
        sender.init_transactions()
        sender.begin_transaction()
        for m in as_messages([*ALERTS, alert(**RESOLVED)], [dyad()], topics):
            sender.send(m.topic, key=m.key, value=m.value, headers=m.headers)
        sender.commit_transaction()
    found = []
    for topic in (topics.alerts, topics.alerts_current):
        reader = Topic(settings, topic.name)
        found += reader.look()
        reader.close()
    return [message for message in found if message.value is not None]


def test_every_message_is_there(messages):
    """Four transitions on the one topic, three that were open on the other; the tombstone has no value to check."""
    assert len(messages) == 7


def test_values_keep_to_the_schema(messages):
    """A subscriber that validates refuses nothing of ours."""
    for message in messages:
        validator(SCHEMA).validate(json.loads(message.value))


def test_messages_keep_to_the_asyncapi_document(messages):
    """Payload and headers are what a client that was generated from the document expects."""
    file, _, pointer = DESCRIBED["payload"]["schema"]["$ref"].partition("#")
    payload = {**json.loads((REFERENCE / file).read_text(encoding="utf-8")), "$ref": f"#{pointer}"}
    for message in messages:
        validator(payload).validate(json.loads(message.value))
        validator(DESCRIBED["headers"]).validate({key: value.decode() for key, value in message.headers})


def test_the_cloudevents_sdk_reads_them(messages):
    """Attributes from the headers, data from the value."""
    for message in messages:
        event = from_binary_event(KafkaMessage(headers=dict(message.headers), key=message.key, value=message.value))
        record = decode(message.value, Alert)
        assert event.get_id() == f"{record.alert_id}-{record.sequence}"
        assert event.get_type() == f"brinkwatch.alert.{record.transition}.v1"
        assert (event.get_subject(), event.get_time()) == (record.dyad, record.at)
        assert event.get_data()["summary"] == record.summary


@pytest.mark.parametrize("changes", [{"level": "severe"}, {"at": None}, {"sequence": "1"}, {"schema_version": 2}])
def test_the_schema_refuses_what_is_wrong(messages, changes):
    """A schema that takes anything would prove nothing above."""
    broken = {**json.loads(messages[0].value), **changes}
    assert not validator(SCHEMA).is_valid(broken)
