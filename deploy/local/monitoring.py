"""Prometheus and Alertmanager beside the service, on loopback, with the shipped rules, routes and texts."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from config.settings import Settings
from deploy.local.errors import PlatformError
from deploy.local.process import LOOPBACK, Port, listens
from deploy.local.supervisor import LOOK_SECONDS, Command, Supervisor

Say = Callable[[str], None]
DEPLOY = Path(__file__).parents[1]
PROMETHEUS_FILE = DEPLOY / "prometheus" / "prometheus.yml"
ALERTMANAGER_FILE = DEPLOY / "alertmanager" / "alertmanager.yml"
# Debian calls Alertmanager after its package.
PROMETHEUS = ("prometheus",)
ALERTMANAGER = ("prometheus-alertmanager", "alertmanager")
NO_PROMETHEUS = (
    "starting Prometheus failed: PATH: there is no `prometheus`; install the Debian or Homebrew package `prometheus`"
)
NO_ALERTMANAGER = (
    "no Alertmanager on PATH: alerts are shown by Prometheus only; "
    "the Debian package is `prometheus-alertmanager`, Homebrew's `alertmanager`"
)
START_SECONDS = 60.0
# What a laptop can spare; whichever comes first.
RETENTION = ("--storage.tsdb.retention.time=15d", "--storage.tsdb.retention.size=1GB")
_SUFFIX = "_metrics_port"


@dataclass(frozen=True, slots=True)
class Places:
    """Where things listen, all of them on loopback.

    Attributes:
        jobs: Ports of /metrics by process, such as ``score``; 0 for one that serves none.
        prometheus: Port of Prometheus.
        alertmanager: Port of Alertmanager; None where there is none.
    """

    jobs: Mapping[str, int]
    prometheus: int = 9090
    alertmanager: int | None = 9093


def metrics_jobs(settings: Settings) -> dict[str, int]:
    """The port of /metrics of each process that the settings know."""
    names = (name for name in Settings.model_fields if name.endswith(_SUFFIX))
    return {name.removesuffix(_SUFFIX): getattr(settings, name) for name in names}


def localised(shipped: Mapping[str, Any], places: Places, rules: Path) -> dict[str, Any]:
    """The shipped configuration of Prometheus with the ports and the rules of this machine. Pure.

    Args:
        shipped: What ``prometheus.yml`` says.
        places: A job that they do not name keeps its targets; one with port 0 is left out.
        rules: The folder of rule files.
    """
    scrapes = [each for job in shipped["scrape_configs"] if (each := _scrape(job, places.jobs)) is not None]
    found = [] if places.alertmanager is None else [_targets(places.alertmanager)]
    alerting = {**shipped["alerting"], "alertmanagers": [{"static_configs": found}] if found else []}
    return {**shipped, "rule_files": [str(rules / "*.yml")], "alerting": alerting, "scrape_configs": scrapes}


def _scrape(job: Mapping[str, Any], ports: Mapping[str, int]) -> dict[str, Any] | None:
    port = ports.get(job["job_name"].removeprefix("brinkwatch-"))
    if port == 0:
        return None
    return dict(job) if port is None else {**job, "static_configs": [_targets(port)]}


def _targets(port: int) -> dict[str, list[str]]:
    return {"targets": [f"{LOOPBACK}:{port}"]}


def prometheus_command(binary: str, config: Path, data: Path, port: int) -> tuple[str, ...]:
    """The command line of a Prometheus on loopback that keeps what it scraped in ``data``."""
    listen = f"--web.listen-address={LOOPBACK}:{port}"
    return (binary, f"--config.file={config}", f"--storage.tsdb.path={data}", *RETENTION, listen)


def alertmanager_command(binary: str, config: Path, data: Path, port: int) -> tuple[str, ...]:
    """The command line of an Alertmanager on loopback, alone: it looks for no others."""
    listen = f"--web.listen-address={LOOPBACK}:{port}"
    return (binary, f"--config.file={config}", f"--storage.path={data}", listen, "--cluster.listen-address=")


def find(names: tuple[str, ...]) -> str | None:
    """The first of these programs that is on PATH."""
    return next(filter(None, map(shutil.which, names)), None)


class Monitoring:
    """Prometheus and, where there is one, Alertmanager. Use it from the main thread; ``run`` ends what it started."""

    def __init__(self, settings: Settings, places: Places, alertmanager_file: Path, say: Say) -> None:
        """Nothing starts yet.

        Args:
            settings: Name the data folder.
            places: Where everything listens.
            alertmanager_file: The configuration of Alertmanager.
            say: Told what happens.
        """
        self._settings, self._places = settings, places
        self._alertmanager_file, self._say = alertmanager_file, say
        self._supervisor = Supervisor(settings.data_dir)

    def run(self, stop: threading.Event) -> None:
        """Run both until ``stop`` is set.

        Raises:
            PlatformError: Prometheus is not on this machine, a port is taken, or one of them does not start.
        """
        binary = find(PROMETHEUS)
        if binary is None:
            raise PlatformError(NO_PROMETHEUS)
        try:
            self._start_alertmanager(stop)
            self._start_prometheus(binary, stop)
            self._supervisor.run(stop)
        finally:
            self._supervisor.stop()

    def _start_alertmanager(self, stop: threading.Event) -> None:
        binary, port = find(ALERTMANAGER), self._places.alertmanager
        if binary is None or port is None:
            self._say(NO_ALERTMANAGER)
            self._places = Places(self._places.jobs, self._places.prometheus, None)
            return
        data = self._settings.data_dir / "alertmanager"
        self._start("alertmanager", alertmanager_command(binary, self._alertmanager_file, data, port), port, stop)

    def _start_prometheus(self, binary: str, stop: threading.Event) -> None:
        config = self._settings.data_dir / "run" / "prometheus.yml"
        shipped = yaml.safe_load(PROMETHEUS_FILE.read_text(encoding="utf-8"))
        written = localised(shipped, self._places, PROMETHEUS_FILE.parent / "rules")
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
        port = self._places.prometheus
        command = prometheus_command(binary, config, self._settings.data_dir / "prometheus", port)
        self._start("prometheus", command, port, stop)

    def _start(self, name: str, command: tuple[str, ...], port: int, stop: threading.Event) -> None:
        """Start one, and wait until it listens; one that ends meanwhile would end again and again."""
        Port(port).release()
        child = Command(command, self._settings.data_dir / "logs" / f"{name}.log").start()
        self._supervisor.add_service(name, child)
        if not _listening(child, port, stop):
            raise PlatformError(f"starting {name} failed: {LOOPBACK}:{port}: {child.last_words()}")
        self._say(f"{name} at http://{LOOPBACK}:{port}")


def _listening(child: Command, port: int, stop: threading.Event) -> bool:
    """Wait until it listens; also true where the end was asked for meanwhile."""
    end = time.monotonic() + START_SECONDS
    while child.running and time.monotonic() < end:
        if listens(port) or stop.wait(LOOK_SECONDS):
            return True
    return False
