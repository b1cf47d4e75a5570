"""What the embedded broker is told."""

from __future__ import annotations

from pathlib import Path

from deploy.local.kafka_config import MIB, environment, java_command, properties
from pipeline.records.topics import Topics


def _values(text):
    return dict(line.split("=", 1) for line in text.splitlines())


def test_every_listener_is_on_loopback():
    """The broker knows no password: no listener may be reachable from another machine."""
    values = _values(properties(Path("/data"), 9092, 9093))
    assert values["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert values["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9092"
    assert values["controller.quorum.voters"].endswith("@127.0.0.1:9093")


def test_largest_topic_fits():
    """A broker limit below a topic's own would turn its largest messages away."""
    values = _values(properties(Path("/data"), 1, 2))
    largest = max(topic.max_message_bytes for topic in Topics().all)
    assert int(values["message.max.bytes"]) >= largest + MIB


def test_one_node_asks_for_one_replica():
    """A single node that asks for three replicas of its own bookkeeping never answers a consumer group."""
    values = _values(properties(Path("/data"), 1, 2))
    replicas = {key: value for key, value in values.items() if key.endswith((".replication.factor", ".min.isr"))}
    assert len(replicas) == 6
    assert set(replicas.values()) == {"1"}


def test_folder_names_survive_javas_format():
    """A folder with a backslash or letters beyond ASCII must reach Java as it is, in a file that stays ASCII."""
    text = properties(Path("/data/Überwachung\\x"), 1, 2)
    assert text.isascii()
    assert _values(text)["log.dirs"] == r"/data/\u00dcberwachung\\x"


def test_surroundings_cannot_change_the_broker():
    """Java options or a class path that the user set for something else must not reach the broker; PATH must."""
    ours = {"PATH": "/bin", "JAVA_TOOL_OPTIONS": "-Xmx9g", "CLASSPATH": "x", "KAFKA_OPTS": "y", "LOG4J_LEVEL": "z"}
    assert environment(ours) == {"PATH": "/bin"}


def test_heap_is_bounded_and_logs_go_to_the_folder():
    """A laptop runs this beside everything else, and its logs must be where the errors say."""
    command = java_command(Path("/java"), "a.jar", Path("/home/x"), "kafka.Kafka", "server.properties")
    assert "-Xmx256m" in command
    assert "-Dbrinkwatch.logs=/home/x/logs" in command
    assert command[-2:] == ["kafka.Kafka", "server.properties"]
