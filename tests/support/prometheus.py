"""A real Prometheus on loopback; and one with an Alertmanager and the shipped rules at a faster pace.

    with RealPrometheus(tmp_path, scraping({"score": "127.0.0.1:9403"}, every="1s")) as prometheus:
        wait_for(lambda: prometheus.query("up"), 30, "a scrape")

    with AlertingPrometheus(tmp_path, {"connect": 9401, "score": 9403}) as prometheus:
        process.kill()
        prometheus.wait_firing({"BrinkwatchStageDown"}, 30)

Rules wait for minutes and hours. ``scaled`` divides every time in them by one number, ``pace``, and changes nothing
else: ``for`` and ``interval``, the windows in brackets, and thresholds of time, which the rules write as products of a
number with 60 or 3600. What a rule compares, and how, stays as it is shipped; numbers and ratios do too. An alert whose
times are hours beside others' minutes can have a pace of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml
from service import wait_for

from deploy.local import monitoring
from deploy.local.process import Port

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SCRAPE = "2s"
"""How often is scraped and evaluated. A window must hold some of these: 10 minutes, at a pace of 60, hold five."""
NONE: Mapping[str, Any] = MappingProxyType({})
_DURATION = re.compile(r"\b(\d+)([smhd])\b")
_WINDOW = re.compile(r"\[[^\]]*\]")
_PRODUCT = re.compile(r"\b(\d+) \* (60|3600)\b")


PROMETHEUS = monitoring.find(monitoring.PROMETHEUS)
NO_PROMETHEUS = "no Prometheus on this machine: install the Debian package prometheus"


def available() -> bool:
    """Whether both programs are on this machine."""
    return all(map(monitoring.find, (monitoring.PROMETHEUS, monitoring.ALERTMANAGER)))


def scaled(rules: Mapping[str, Any], pace: float, paces: Mapping[str, float] = NONE) -> dict[str, Any]:
    """A file of rules in which every time is divided by ``pace``, or by what ``paces`` says for an alert. Pure."""
    return {"groups": [_scaled_group(group, pace, paces) for group in rules["groups"]]}


def _scaled_group(group: Mapping[str, Any], pace: float, paces: Mapping[str, float]) -> dict[str, Any]:
    interval = {"interval": _durations(group["interval"], pace)} if "interval" in group else {}
    rules = [_scaled_rule(rule, paces.get(rule.get("alert", ""), pace)) for rule in group["rules"]]
    return {**group, **interval, "rules": rules}


def _scaled_rule(rule: Mapping[str, Any], pace: float) -> dict[str, Any]:
    waits = {"for": _durations(rule["for"], pace)} if "for" in rule else {}
    return {**rule, **waits, "expr": scaled_expression(rule["expr"], pace)}


def scaled_expression(expression: str, pace: float) -> str:
    """PromQL whose windows, and thresholds that are written as products, are divided by ``pace``."""
    windows = _WINDOW.sub(lambda found: _durations(found[0], pace), expression)
    return _PRODUCT.sub(lambda found: f"{int(found[1]) * int(found[2]) / pace:g}", windows)


def _durations(text: str, pace: float) -> str:
    def shorter(found: re.Match[str]) -> str:
        return f"{max(1, round(int(found[1]) * SECONDS[found[2]] * 1000 / pace))}ms"

    return _DURATION.sub(shorter, text)


def scraping(targets: Mapping[str, str], every: str) -> dict[str, Any]:
    """A configuration that scrapes processes, by name: ``HOST:PORT``, or ``HOST:PORT/PATH``. Pure."""
    jobs = [_job(name, *target.partition("/")) for name, target in targets.items()]
    return {"global": {"scrape_interval": every, "scrape_timeout": every}, "scrape_configs": jobs}


def _job(name: str, address: str, slash: str, path: str) -> dict[str, Any]:
    scraped = {"metrics_path": f"{slash}{path}"} if path else {}
    return {"job_name": f"brinkwatch-{name}", **scraped, "static_configs": [{"targets": [address]}]}


class RealPrometheus:
    """The process; a context manager that ends it."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        """Nothing starts yet.

        Args:
            folder: Where configurations, data and logs go.
            config: What ``prometheus.yml`` says.
        """
        self._folder, self._config = folder, config
        self._stack = ExitStack()
        self._port = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The labels and values that an expression has now."""
        result = self._ask("query", query=expression)["result"]
        return [(each["metric"], float(each["value"][1])) for each in result]

    def exported(self) -> set[str]:
        """The names of all metrics that were scraped."""
        return set(self._ask("label/__name__/values"))

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._begin()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _begin(self) -> None:
        file = self._folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(dict(self._config)), encoding="utf-8")
        data = self._folder / "prometheus"
        command = partial(monitoring.prometheus_command, str(PROMETHEUS), file, data)
        self._port = self._start("prometheus", command)

    def _start(self, name: str, command: Callable[[int], tuple[str, ...]]) -> int:
        """Start one on a free port, and wait until it is ready."""
        port = self._stack.enter_context(Port())
        words = command(port.number)
        port.hand_over()
        log = self._stack.enter_context((self._folder / f"{name}.log").open("wb"))
        child = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._stack.callback(child.wait)
        self._stack.callback(child.kill)
        wait_for(lambda: child.poll() is not None or _ready(port.number), 60, f"{name} to be ready")
        assert child.poll() is None, (self._folder / f"{name}.log").read_text(encoding="utf-8")[-2000:]
        return port.number

    def _ask(self, path: str, **parameters: str) -> Any:
        address = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urlencode(parameters)}"
        with urlopen(address, timeout=10) as response:
            return json.load(response)["data"]


class AlertingPrometheus(RealPrometheus):
    """It and an Alertmanager. Tests ask it, and wait for alerts to begin and end."""

    def __init__(
        self,
        folder: Path,
        jobs: Mapping[str, int],
        pace: float = 60.0,
        paces: Mapping[str, float] = NONE,
        second: Mapping[str, int] = NONE,
    ) -> None:
        """Nothing starts yet.

        Args:
            folder: Where configurations, data and logs go.
            jobs: Ports of /metrics by process; what is not named is not scraped.
            pace: By what the rules' times are divided.
            paces: And by what those of single alerts.
            second: Ports of second processes, which need not run.
        """
        super().__init__(folder, {})
        self._jobs, self._pace, self._paces, self._second = jobs, pace, paces, second

    def alerts(self, state: str = "firing") -> list[dict[str, str]]:
        """The labels of the alerts in a state: ``pending`` or ``firing``."""
        return [each["labels"] for each in self._ask("alerts")["alerts"] if each["state"] == state]

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        return {labels["alertname"] for labels in self.alerts()}

    def wait_firing(self, names: Iterable[str], seconds: float) -> None:
        """Wait until all of these fire, each at some time."""
        left = set(names)

        def seen() -> bool:
            left.difference_update(self.firing())
            return not left

        wait_for(seen, seconds, f"{left} to fire")

    def wait_resolved(self, names: Iterable[str], seconds: float) -> None:
        """Wait until none of these fires."""
        wait_for(lambda: not self.firing() & set(names), seconds, f"{set(names)} to end")

    def notified(self) -> list[dict[str, Any]]:
        """What Alertmanager holds: labels, receivers, and what inhibits each."""
        with urlopen(f"http://127.0.0.1:{self._alertmanager}/api/v2/alerts", timeout=10) as response:
            return json.load(response)

    def _begin(self) -> None:
        self._alertmanager = self._start("alertmanager", self._alertmanager_command)
        self._config = self._with_rules()
        super()._begin()

    def _with_rules(self) -> dict[str, Any]:
        """The shipped configuration, quicker, and the shipped rules at this pace."""
        rules = self._folder / "rules"
        rules.mkdir(parents=True)
        for file in sorted((monitoring.PROMETHEUS_FILE.parent / "rules").glob("*.yml")):
            shipped = yaml.safe_load(file.read_text(encoding="utf-8"))
            (rules / file.name).write_text(yaml.safe_dump(scaled(shipped, self._pace, self._paces)), encoding="utf-8")
        shipped = yaml.safe_load(monitoring.PROMETHEUS_FILE.read_text(encoding="utf-8"))
        jobs = dict.fromkeys((job["job_name"].removeprefix("brinkwatch-") for job in shipped["scrape_configs"]), 0)
        places = monitoring.Places({**jobs, **self._jobs}, alertmanager=self._alertmanager)
        quick = {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE, "evaluation_interval": SCRAPE}
        config = {**monitoring.localised(shipped, places, rules), "global": quick}
        for job in config["scrape_configs"]:
            if port_of_second := self._second.get(job["job_name"].removeprefix("brinkwatch-")):
                job["static_configs"] = [*job["static_configs"], {"targets": [f"127.0.0.1:{port_of_second}"]}]
        return config

    def _alertmanager_command(self, port: int) -> tuple[str, ...]:
        binary = str(monitoring.find(monitoring.ALERTMANAGER))
        data = self._folder / "alertmanager"
        return monitoring.alertmanager_command(binary, monitoring.ALERTMANAGER_FILE, data, port)


def _ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False
