"""The examples of docs/consumers.md work as they stand."""

from __future__ import annotations

import base64
import re
import runpy
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from samples import alert

from pipeline.kafka.client import producer
from pipeline.notify import webhook
from pipeline.records import Transition, encode
from pipeline.records.headers import cloudevent
from pipeline.records.topics import Topics

DOCS = Path(__file__).parents[2] / "docs"
NODE = shutil.which("node")


def test_subscribing_from_python(broker):
    """A transition once, in order, though the topic holds a repeat; nothing of what is muted."""
    settings = broker.settings("example")
    topic = Topics(settings.topic_prefix).alerts.name
    raised, muted = alert(), alert(alert_id="d" * 32, muted="silence")
    last = alert(sequence=2, transition=Transition.UPDATED)
    with producer(settings, "test") as sender:
        for each in (raised, raised, muted, last):
            sender.send(topic, key=each.alert_id.encode(), value=encode(each), headers=cloudevent(each))
        sender.flush()
    process = subprocess.Popen(
        [sys.executable, str(DOCS / "examples" / "subscribe.py"), settings.bootstrap_servers, "example", topic],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines = [process.stdout.readline(), process.stdout.readline()]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert lines[0] == "2024-05-06T12:00:00Z raised watch RUS-UKR: RUS-UKR watch\n"
    assert lines[1] == "2024-05-06T12:00:00Z updated watch RUS-UKR: RUS-UKR watch\n"


def test_verifying_a_webhook():
    """A receiver that copies it takes what we sign, also while a key is replaced, and nothing else."""
    path = DOCS / "examples" / "verify_webhook.py"
    is_genuine = runpy.run_path(str(path))["is_genuine"]
    at = datetime(2026, 11, 2, 10, tzinfo=UTC)
    keys = (b"n" * 32, b"o" * 32)
    request = webhook.compose(alert(), keys, at)
    for key in keys:
        secret = "whsec_" + base64.b64encode(key).decode()
        assert is_genuine(request.headers, request.body, secret, at.timestamp() + 60)
    assert not is_genuine(request.headers, request.body + b" ", secret, at.timestamp())
    assert not is_genuine(request.headers, request.body, secret, at.timestamp() + 3600)
    assert not is_genuine(request.headers, request.body, "whsec_" + "eHh4" * 8, at.timestamp())
    assert not is_genuine({}, request.body, secret, at.timestamp())


@pytest.mark.skipif(NODE is None, reason="no node on this machine: its example is not checked")
def test_the_node_example_parses():
    """A typing error would be the first thing that its reader meets."""
    subprocess.run([NODE, "--check", str(DOCS / "examples" / "subscribe.mjs")], check=True, capture_output=True)


def test_the_receivers_of_the_guide_are_valid(tmp_path):
    """Whoever copies the guide's receivers has no fault in them."""
    from config.receivers import load_receivers

    text = (DOCS / "consumers.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if block.startswith("receivers:")]
    assert blocks
    for block in blocks:
        file = tmp_path / "receivers.yaml"
        file.write_text(block, encoding="utf-8")
        assert load_receivers(file)
