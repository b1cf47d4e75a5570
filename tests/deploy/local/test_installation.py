"""What the installation decides before it starts anything."""

from __future__ import annotations

import threading

import pydantic
import pytest

from config.errors import ConfigError
from config.settings import load_settings
from deploy.local import installation
from deploy.local.errors import PlatformError
from deploy.local.process import Port
from pipeline.cli import job, up


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """An installation without broker and children, whose supervision is real."""
    for step in ("_choose_runner", "_start_broker", "_start_children"):
        monkeypatch.setattr(installation.Installation, step, lambda _: None)
    ports = dict.fromkeys((f"{name}_metrics_port" for name in ("up", "connect", "extract", "score", "monitor")), 0)
    settings = load_settings(data_dir=tmp_path).model_copy(update=ports)
    return installation.Plan(settings, embedded=False, feeds="none", drill=False)


def break_supervision(monkeypatch):
    """Let it fail as an error that nobody thought of would."""

    def fail(self):
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(installation.Supervisor, "step", fail)


def test_the_end_of_supervision_ends_the_service(bare, monkeypatch):
    """A service whose children are gone must not go on as an empty shell: who waits is woken, and told why."""
    break_supervision(monkeypatch)
    stop = threading.Event()
    running = installation.Installation(bare, print)
    running.start(stop)
    assert stop.wait(15)
    running.stop()
    with pytest.raises(PlatformError, match=rf"supervision failed: {bare.settings.data_dir}: .*nobody thought"):
        running.check()


def test_an_end_that_was_asked_for_is_no_failure(bare):
    """``stop`` ends the supervision without an error."""
    stop = threading.Event()
    running = installation.Installation(bare, print)
    running.start(stop)
    running.stop()
    running.check()
    assert not stop.is_set()


def test_up_fails_with_its_supervision(bare, monkeypatch):
    """A service manager must see the failure in the exit code: the command raises what the program turns into 1."""
    break_supervision(monkeypatch)
    shown = []
    monkeypatch.setattr(up, "_show", lambda _, stop, **__: shown.append(stop.wait(15)))
    monkeypatch.setattr(up, "set_up_logging", lambda _: None)
    monkeypatch.setattr(job.signal, "signal", lambda *_: None)
    with pytest.raises(PlatformError, match="supervision failed"):
        up._run(bare, None, terminal=False)
    assert shown in ([True], [])  # it may fail before there is anything to show


class Broker:
    """A broker that takes long to start again; it notes which thread ends it."""

    pid, running = None, False

    def __init__(self, until: threading.Event) -> None:
        self.until, self.starting, self.ended_by = until, threading.Event(), []

    def start(self):
        self.starting.set()
        self.until.wait(15)

    def stop(self):
        self.ended_by.append(threading.current_thread().name)


def test_only_the_supervisor_ends_its_children(bare):
    """An end asked for while the broker is started again must not make two threads work on one child."""
    running = installation.Installation(bare, print)
    broker = Broker(until=running._stop)
    running._supervisor.add_service("kafka", broker)
    running.start(threading.Event())
    assert broker.starting.wait(15)
    running.stop()
    running.check()
    assert broker.ended_by == ["supervisor"]


def test_supervision_that_hangs_is_left_alone_and_told(bare, monkeypatch):
    """Nothing may be called stopped that is not, and nobody may end children under the thread that still has them."""
    monkeypatch.setattr(installation, "JOIN_SECONDS", 0.05)
    running = installation.Installation(bare, print)
    broker = Broker(until=threading.Event())
    running._supervisor.add_service("kafka", broker)
    running.start(threading.Event())
    assert broker.starting.wait(15)
    running.stop()
    with pytest.raises(PlatformError, match="not ended in time"):
        running.check()
    assert not broker.ended_by
    broker.until.set()
    running._thread.join(15)
    assert broker.ended_by == ["supervisor"]


def test_an_end_asked_for_while_the_broker_starts_is_no_failure(bare, monkeypatch):
    """Ctrl-C in the first seconds ends the command with 0: who waits for jars or the broker gives up."""
    stop = threading.Event()
    running = installation.Installation(bare, print)

    def give_up(self):
        stop.set()
        self._jars(0, 30)

    monkeypatch.setattr(installation.Installation, "_start_broker", give_up)
    running.start(stop)
    running.stop()
    running.check()
    assert running._thread is None


def no_prism(settings, say):
    raise installation.PrismNotFound("no Prism here")


def test_without_prism_it_says_so_and_runs_for_trying_out(monkeypatch):
    """A machine that can't have Prism still shows the drill, with a warning that can't be missed."""
    monkeypatch.setattr(installation, "find_prism", no_prism)
    said = []
    chosen = installation.choose_runner(load_settings(), said.append)
    assert chosen.runner == "fnapi"
    assert said == [installation.NO_PRISM, installation.TRYING_OUT]


def test_prism_that_was_asked_for_is_not_replaced(monkeypatch):
    """Who names the runner gets it, or an error."""
    monkeypatch.setattr(installation, "find_prism", no_prism)
    settings = load_settings().model_copy(update={"runner": "prism"})
    with pytest.raises(installation.PrismNotFound):
        installation.choose_runner(settings, print)


def test_flink_is_no_runner_of_one_machine():
    """Who named it would otherwise be shown Prism's work for Flink's."""
    with pytest.raises(PlatformError, match=r"docs/flink\.md"):
        installation.choose_runner(load_settings(runner="flink"), print)


def test_a_taken_metrics_port_is_named():
    """Three children that fail again and again in their logs would not tell."""
    with Port() as port:
        port._socket.listen()
        settings = load_settings().model_copy(update={"extract_metrics_port": port.number})
        with pytest.raises(PlatformError, match=str(port.number)):
            installation.check_ports(settings)


def test_children_get_the_settings_but_no_secret():
    """A process list shows nothing secret, and a child that overrides nothing still runs as its parent."""
    settings = load_settings().model_copy(update={"sasl_password": pydantic.SecretStr("hush"), "clock": "records"})
    env = installation.environment(settings)
    assert env["BRINKWATCH_CLOCK"] == "records"
    assert "hush" not in str(env)
    assert "BRINKWATCH_SASL_USERNAME" not in env  # None is not the text "None"


RECEIVERS = """\
receivers:
  - {name: ops, type: webhook, url: "http://127.0.0.1:1/", secret_env: OPS_SECRET}
"""


class Children:
    """A supervisor that starts nothing."""

    def __init__(self, _) -> None:
        self.names = []

    def add(self, name, *_):
        self.names.append(name)

    def step(self):
        """Nothing to start."""


def started(tmp_path, monkeypatch) -> list[str]:
    """The children of an installation whose configuration is ``tmp_path``."""
    monkeypatch.setattr(installation, "Supervisor", Children)
    settings = load_settings(config_dir=tmp_path, data_dir=tmp_path)
    running = installation.Installation(installation.Plan(settings, embedded=False, feeds="none", drill=False), print)
    running._start_children()
    return running._supervisor.names


def test_notify_runs_only_where_somebody_is_to_be_told(tmp_path, monkeypatch):
    """Without receivers there is no process that would end with an error again and again, and no port of its own."""
    assert started(tmp_path, monkeypatch) == ["monitor", "score", "extract", "connect"]
    (tmp_path / "receivers.yaml").write_text(RECEIVERS)
    monkeypatch.setenv("OPS_SECRET", "whsec_" + "a2tr" * 8)
    assert started(tmp_path, monkeypatch) == ["notify", "monitor", "score", "extract", "connect"]
    settings = load_settings(config_dir=tmp_path)
    assert settings.notify_metrics_port in installation.metrics_ports(settings)
    assert settings.notify_metrics_port not in installation.metrics_ports(load_settings())


def test_a_missing_secret_is_told_before_anything_runs(tmp_path, monkeypatch):
    """A child that can't start would be tried for ever, and its reason would stand in a log that nobody looks at."""
    monkeypatch.delenv("OPS_SECRET", raising=False)
    (tmp_path / "receivers.yaml").write_text(RECEIVERS)
    with pytest.raises(ConfigError, match="OPS_SECRET"):
        installation.check_ports(load_settings(config_dir=tmp_path))
