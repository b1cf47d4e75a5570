"""The embedded broker keeps what it acknowledged, keeps to itself, and never outlives us."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from types import SimpleNamespace

import pytest
from processes import gone, until

from config.settings import load_settings
from deploy.local import kafka as kafka_module
from deploy.local.kafka import EmbeddedKafka, KafkaError, StartGivenUp
from deploy.local.process import Port, listens

pytestmark = pytest.mark.slow


@pytest.fixture
def kafka(tmp_path):
    """A broker of this test's own, since it is killed or refused here."""
    with EmbeddedKafka(tmp_path, load_settings().cache_dir) as broker:
        yield broker


def test_what_is_produced_is_consumed(broker):
    """The largest message that a topic must take goes in and comes out unchanged."""
    settings = broker.settings("roundtrip")
    topic = f"{settings.topic_prefix}.deadletter.v1"
    value = os.urandom(15 * 1024 * 1024)
    _produce(settings.bootstrap_servers, topic, [value])
    assert _consume(settings.bootstrap_servers, topic, 1) == [value]


def test_waiting_for_the_broker_leaves_nothing_behind(tmp_path, monkeypatch):
    """While nothing listens, no client may be made to ask: each would leave a thread and open files in ``up``."""
    asked: list[bool] = []
    real = kafka_module._answering_cluster

    def ask(servers: str, options: object) -> str | None:
        asked.append(listens(int(servers.rpartition(":")[2])))
        return real(servers, options)

    monkeypatch.setattr(kafka_module, "_answering_cluster", ask)
    before = set(threading.enumerate())
    with EmbeddedKafka(tmp_path, load_settings().cache_dir):
        assert asked
        assert all(asked)
        assert until(lambda: set(threading.enumerate()) <= before)


def test_start_that_is_given_up_leaves_nothing(tmp_path):
    """An end asked for while the broker starts must not wait for it, nor leave it or its lock behind."""
    pids: list[int] = []

    def give_up() -> bool:
        pids.append(broker.pid)
        return True

    broker = EmbeddedKafka(tmp_path, load_settings().cache_dir, give_up=give_up)
    with pytest.raises(StartGivenUp):
        broker.start()
    assert len(pids) == 1
    assert until(lambda: gone(pids[0]))
    with (tmp_path / "kafka" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_full_disk_is_among_the_last_words(tmp_path, monkeypatch):
    """The broker's own log is on that disk: what it says last there is of before, and tells nothing."""
    broker = EmbeddedKafka(tmp_path, load_settings().cache_dir)
    broker.home.mkdir(parents=True)
    assert "its disk is full" not in broker.last_words()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    assert "its disk is full, 4096 bytes are left; see " in broker.last_words()


def test_kill_9_keeps_what_was_acknowledged_and_the_port(kafka):
    """After SIGKILL and a start on the same folder, clients find the same address, cluster and messages."""
    _make_topic(kafka.bootstrap_servers, "t")
    values = [str(n).encode() for n in range(100)]
    _produce(kafka.bootstrap_servers, "t", values)
    before = kafka.bootstrap_servers
    os.kill(kafka.pid, signal.SIGKILL)
    assert until(lambda: not kafka.running)
    kafka.start()
    assert kafka.bootstrap_servers == before
    assert _consume(before, "t", 100) == values


def test_second_broker_on_the_folder_is_refused(kafka, tmp_path):
    """Two brokers on one folder would ruin it: the second must be told which process has it, and the first live on."""
    with pytest.raises(KafkaError, match=rf"folder is in use: .*by process {os.getpid()}"):
        EmbeddedKafka(tmp_path, load_settings().cache_dir).start()
    assert kafka.running


def test_given_port_that_is_taken_is_an_error(tmp_path):
    """A port that the user chose must not be swapped for another in silence; the folder is free again afterwards."""
    from deploy.local.errors import PlatformError

    with Port() as taken:
        taken._socket.listen()
        with pytest.raises(PlatformError, match=f"{taken.number}: something else listens there"):
            EmbeddedKafka(tmp_path, load_settings().cache_dir, port=taken.number).start()
    with EmbeddedKafka(tmp_path, load_settings().cache_dir, port=taken.number) as broker:
        assert broker.bootstrap_servers == f"127.0.0.1:{taken.number}"


def test_folder_that_can_not_be_written_is_named(tmp_path):
    """A full disk or a file in the way ends the start as an error with its place, and the folder is free again."""
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "logs").write_text("a file in the way")
    broker = EmbeddedKafka(tmp_path, load_settings().cache_dir)
    for _ in range(2):
        with pytest.raises(KafkaError, match=rf"broker can't be started: {tmp_path}.*logs"):
            broker.start()


def test_broker_that_dies_shows_its_log(tmp_path):
    """A folder that Kafka itself refuses must end as an error with Kafka's own words, at once and not by a timeout."""
    data = tmp_path / "kafka" / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("version=1\ncluster.id=abcdefghijklmnopqrstuv\nnode.id=77\n")
    with pytest.raises(KafkaError, match=r"broker ended \(exit code 1\)(.|\n)*77"):
        EmbeddedKafka(tmp_path, load_settings().cache_dir).start()


def test_broker_listens_on_loopback_only(kafka):
    """Neither the broker nor its controller may be reachable from another machine."""
    import psutil

    listening = [c.laddr.ip for c in psutil.Process(kafka.pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert len(listening) == 2
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}


def test_parent_killed_leaves_no_broker(tmp_path):
    """SIGKILL to the process that started it must end the broker, and the folder must be free for the next start."""
    script = f"""
        import sys, time
        from pathlib import Path
        from config.settings import load_settings
        from deploy.local.kafka import EmbeddedKafka
        broker = EmbeddedKafka(Path({str(tmp_path)!r}), load_settings().cache_dir).start()
        print(broker.pid, flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert until(lambda: gone(pid))
    with EmbeddedKafka(tmp_path, load_settings().cache_dir) as again:
        assert again.running


def _make_topic(servers: str, name: str) -> None:
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics({name: {"num_partitions": 1}}, wait_for_metadata=True)
    admin.close()


def _produce(servers: str, topic: str, values: list[bytes]) -> None:
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=servers, max_request_size=17 * 1024 * 1024)
    for sent in [producer.send(topic, value) for value in values]:
        sent.get(30)
    producer.close()


def _consume(servers: str, topic: str, count: int) -> list[bytes]:
    from kafka import KafkaConsumer

    options = {"consumer_timeout_ms": 30_000, "max_partition_fetch_bytes": 17 * 1024 * 1024}
    consumer = KafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest", **options)
    values = []
    for message in consumer:
        values.append(message.value)
        if len(values) == count:
            break
    consumer.close()
    return values
