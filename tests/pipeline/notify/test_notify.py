"""``notify`` as a process, on a real broker and against a real HTTP server: at least once, in order, nothing lost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from urllib.request import urlopen

import pytest
from hookserver import HookServer, Play
from notified import KEY, SECRET, Notified, ids, transitions
from samples import alert
from service import wait_for

from deploy.local.process import Port
from pipeline.kafka.client import consumer, producer
from pipeline.kafka.group import GroupMember
from pipeline.records import Level, encode


@pytest.fixture
def notified(broker, tmp_path, monkeypatch) -> Notified:
    """An installation."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return Notified(broker, tmp_path)


def test_delivered_in_order_signed_and_committed(notified):
    """Each once, in order, with a signature that holds; a second run finds nothing to do."""
    with HookServer() as server:
        notified.hook(server.url + "/in")
        notified.send(*transitions("a", 3))
        notified.once()
        notified.once()
        assert server.ids() == ids("a", 3)
        for got in server.got:
            assert got.path == "/in"
            assert got.headers["content-type"].startswith("application/cloudevents+json")
            assert got.json["data"]["alert_id"] == "a" * 32
            stamp = got.headers["webhook-timestamp"]
            content = f"{got.headers['webhook-id']}.{stamp}.".encode() + got.body
            expected = base64.b64encode(hmac.digest(KEY, content, hashlib.sha256)).decode()
            assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert notified.dead() == []


def test_a_refused_commit_is_made_again(notified, monkeypatch):
    """A rebalance that leaves us the partition refuses a commit: what was delivered is committed after it."""
    commit, refused = GroupMember.commit_up_to, []

    def refuse_first(member, offsets):
        if len(refused) < 2:
            refused.append(offsets)
            return False
        return commit(member, offsets)

    monkeypatch.setattr(GroupMember, "commit_up_to", refuse_first)
    with HookServer() as server:
        notified.hook(server.url)
        notified.send(*transitions("a", 3))
        notified.once()
        notified.once()
        assert len(refused) == 2
        assert server.ids() == ids("a", 3)


def test_what_may_pass_is_tried_again_in_order(notified):
    """500, 429 with Retry-After, a reset and silence: each is tried again, and the next transition waits for it."""
    script = [Play(500), Play(429, {"Retry-After": "1"}), Play(reset=True), Play(hang=True)]
    with HookServer(*script) as server:
        notified.hook(server.url, timeout="500ms")
        notified.send(*transitions("a", 2))
        notified.once()
        assert server.ids() == [*ids("a", 1) * 5, f"{'a' * 32}-2"]
    assert notified.dead() == []


def test_a_refusal_is_a_dead_letter_and_the_rest_goes_on(notified):
    """400: no second try; the message stands on the dead-letter topic as it came, with the reason, and others go on."""
    first, second = transitions("a", 2)
    with HookServer(Play(400, body=b"no such field")) as server:
        notified.hook(server.url)
        notified.send(first, second)
        notified.once()
        assert server.ids() == ids("a", 2)
    ((message, why),) = notified.dead()
    assert (message.key, message.value) == (b"a" * 32, encode(first))
    assert (why["stage"], why["exception.class.name"]) == ("notify.ops", "refused")
    assert why["exception.message"] == "refused: HTTP 400: no such field"
    assert why["ce_id"] == f"{'a' * 32}-1"


def test_slack_is_told_and_its_address_stays_secret(notified):
    """Whoever has the address can post: where Slack refuses, even by repeating it, no log and no dead letter has it."""
    with HookServer(Play(200), Play(404, body=b"no /T0/B0/sesame")) as server:
        address = notified.folder / "slack"
        address.write_text(f"{server.url}/T0/B0/sesame\n")
        receivers = f"receivers:\n  - {{name: desk, type: slack, url_file: {address}, start_at: earliest}}\n"
        (notified.settings.config_dir / "receivers.yaml").write_text(receivers)
        notified.send(*transitions("a", 2))
        with notified.process("--once") as process:
            assert process.child.wait(60) == 0, process.said()
        assert [got.path for got in server.got] == ["/T0/B0/sesame"] * 2
        assert server.got[0].json["text"].startswith("WATCH RUS-UKR: raised")
    ((_, why),) = notified.dead()
    assert why["exception.message"] == "refused: HTTP 404"
    assert not process.has_said("sesame")


def test_the_end_of_patience_is_a_dead_letter(notified):
    """A receiver that is down for good holds its alerts up until the deadline, and loses none."""
    notified.hook("http://127.0.0.1:1/", deadline="400ms")
    notified.send(*transitions("a", 1), *transitions("b", 1))
    notified.once()
    reasons = [(m.key, why["exception.class.name"]) for m, why in notified.dead()]
    assert sorted(reasons) == [(b"a" * 32, "exhausted"), (b"b" * 32, "exhausted")]


def test_one_receiver_does_not_hold_up_another(notified):
    """While one hangs, the other has got everything; filters and what is muted count for each alone."""
    with HookServer(then=Play(hang=True)) as slow, HookServer() as quick:
        notified.hook(slow.url, "slow")
        notified.hook(quick.url, "quick", more="match: {level: warning}")
        loud = [alert(alert_id=name * 32, level=Level.WARNING) for name in "abc"]
        muted = alert(alert_id="d" * 32, level=Level.WARNING, muted="silence")
        notified.send(*loud, *transitions("e", 1), muted)
        with notified.process() as process:
            wait_for(lambda: len(quick.got) >= 3, 30, "the quick one")
            wait_for(lambda: slow.got, 30, "the slow one")
            assert process.end() == 0
        assert sorted(quick.ids()) == [f"{name * 32}-1" for name in "abc"]
    with HookServer() as mended:
        notified.listed.clear()
        notified.hook(mended.url, "slow")
        notified.once()
        assert sorted(mended.ids()) == [f"{name * 32}-1" for name in "abce"]


def test_not_more_at_once_than_is_allowed(notified):
    """A burst of alerts must not fall upon a receiver all at once."""
    with HookServer(then=Play(pause_s=0.05)) as server:
        notified.hook(server.url, more="concurrency: 2")
        notified.send(*(alert(alert_id=f"{n:032x}") for n in range(12)))
        notified.once()
        assert (len(server.got), server.most_busy) == (12, 2)


def test_kafka_that_is_away_is_explained(notified):
    """The process ends with 1 and says where it looked, for whoever supervises it to start it again."""
    notified.hook("http://127.0.0.1:1/")
    environment = {"PATH": "/usr/bin:/bin", "HOOK_SECRET": SECRET, "BRINKWATCH_NOTIFY_METRICS_PORT": "0"}
    command = [sys.executable, "-m", "pipeline.cli.main", "notify", "--config", str(notified.settings.config_dir)]
    told = subprocess.run(
        [*command, "--bootstrap-servers", "127.0.0.1:1"], env=environment, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert "connecting to Kafka failed: 127.0.0.1:1" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_new_receiver_hears_what_comes_from_now_on(notified):
    """A year of old alerts is not what a new receiver is for; but once begun, nothing is skipped while it is down."""
    with HookServer() as server:
        notified.hook(server.url, start_at="latest")
        notified.send(*transitions("a", 2))
        notified.once()
        assert server.got == []
        notified.send(*transitions("b", 1))
        notified.once()
        assert server.ids() == ids("b", 1)


def test_aborted_transactions_are_not_told(notified):
    """What score took back was never raised."""
    with HookServer() as server:
        notified.hook(server.url)
        with producer(notified.settings, "score", transactional_id="aborts") as sender:
            sender.init_transactions()
            sender.begin_transaction()
            sender.send(notified.topics.alerts.name, key=b"x", value=encode(alert())).get(timeout=10)
            sender.abort_transaction()
        notified.send(*transitions("a", 1))
        notified.once()
        assert server.ids() == ids("a", 1)


def test_what_is_no_alert_is_a_dead_letter(notified):
    """A foreign writer's bytes stop nobody."""
    with HookServer() as server:
        notified.hook(server.url)
        with producer(notified.settings, "x") as sender:
            sender.send(notified.topics.alerts.name, key=b"k", value=b"{")
            sender.flush()
        notified.send(*transitions("a", 1))
        notified.once()
        assert server.ids() == ids("a", 1)
    ((message, why),) = notified.dead()
    assert (message.value, why["exception.class.name"]) == (b"{", "not_json")


def test_metrics_and_the_log_tell_how_it_goes(notified):
    """Tries, outcomes and dead letters are counted; the key stands in neither log nor process list."""
    with Port() as port, HookServer(Play(500), Play(200), Play(400)) as server:
        settings = notified.settings.model_copy(update={"notify_metrics_port": port.hand_over()})
        notified.settings = settings
        notified.hook(server.url)
        notified.send(*transitions("a", 2))
        port.release()
        with notified.process() as process:
            wait_for(notified.dead, 30, "the dead letter")
            with urlopen(f"http://127.0.0.1:{settings.notify_metrics_port}/metrics", timeout=10) as response:
                lines = response.read().decode().splitlines()
            assert process.end() == 0
    for line in (
        'brinkwatch_notify_attempts_total{outcome="server_error",receiver="ops"} 1.0',
        'brinkwatch_notify_attempts_total{outcome="ok",receiver="ops"} 1.0',
        'brinkwatch_notify_alerts_total{outcome="delivered",receiver="ops"} 1.0',
        'brinkwatch_notify_alerts_total{outcome="refused",receiver="ops"} 1.0',
        'brinkwatch_notify_alerts_total{outcome="exhausted",receiver="ops"} 0.0',
        'brinkwatch_dead_letters_total{reason="refused",stage="notify.ops"} 1.0',
        'brinkwatch_notify_delivery_seconds_count{receiver="ops"} 1.0',
    ):
        assert line in lines
    assert not process.has_said(SECRET.removeprefix("whsec_"))


def test_the_group_is_the_receivers_own(notified):
    """Its committed offset is where an operator looks for its lag."""
    with HookServer() as server:
        notified.hook(server.url)
        notified.send(*transitions("a", 2))
        notified.once()
    with consumer(notified.settings, "look", group_id=f"{notified.settings.topic_prefix}.notify.ops") as reader:
        (partition,) = reader.partitions_for_topic(notified.topics.alerts.name)
        from kafka import TopicPartition

        assert reader.committed(TopicPartition(notified.topics.alerts.name, partition)) == 2


def test_trying_a_receiver(notified):
    """``--test`` needs no Kafka, sends one marked sample past every filter, says how it went, and fails with 1."""
    with HookServer(Play(200), Play(404)) as server:
        notified.hook(server.url, more="match: {level: critical, drill: false}")
        environment = {"PATH": "/usr/bin:/bin", "HOOK_SECRET": SECRET, "BRINKWATCH_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
        command = [sys.executable, "-m", "pipeline.cli.main", "notify", "--config", str(notified.settings.config_dir)]
        runs = [
            subprocess.run([*command, "--test", name], env=environment, capture_output=True, text=True, check=False)
            for name in ("ops", "ops", "nobody")
        ]
        assert [run.returncode for run in runs] == [0, 1, 1]
        assert runs[0].stdout == "ops: delivered after 1 try (ok: HTTP 200: ok)\n"
        assert runs[1].stdout.startswith("ops: refused after 1 try")
        assert "no receiver 'nobody', but ops" in runs[2].stderr
        sample = json.loads(server.got[0].body)["data"]
        assert (sample["drill"], sample["level"]) == (True, "critical")
