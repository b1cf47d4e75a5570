"""Prometheus and Alertmanager beside the service: what they are started with, and that they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
import yaml
from prometheus import available
from service import left_behind, wait_for

from config.settings import load_settings
from deploy.local import monitoring
from deploy.local.errors import PlatformError
from deploy.local.monitoring import Monitoring, Places, localised
from deploy.local.process import Port

SHIPPED = yaml.safe_load(monitoring.PROMETHEUS_FILE.read_text(encoding="utf-8"))


def targets(config):
    return {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}


def test_what_is_scraped_goes_by_the_settings():
    """A port that was changed is scraped; what serves none is left out, and is not told as down; others stay."""
    found = targets(localised(SHIPPED, Places({"score": 1234, "notify": 0}), Path("/rules")))
    assert found["brinkwatch-score"] == ["127.0.0.1:1234"]
    assert "brinkwatch-notify" not in found
    assert found["brinkwatch-connect"] == targets(SHIPPED)["brinkwatch-connect"]


def test_rules_are_found_from_wherever_the_configuration_lies():
    """The written file lies in the data folder, where no rules are."""
    assert localised(SHIPPED, Places({}), Path("/rules"))["rule_files"] == ["/rules/*.yml"]


def test_without_alertmanager_nobody_is_sent_alerts():
    """Else Prometheus would log an error for each."""
    alerting = localised(SHIPPED, Places({}, alertmanager=None), Path("/rules"))["alerting"]
    assert alerting["alertmanagers"] == []


def test_a_machine_without_prometheus_is_told_so(tmp_path, monkeypatch):
    """One line that says what to install; nothing is started, nothing written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    running = Monitoring(load_settings(data_dir=tmp_path / "data"), Places({}), monitoring.ALERTMANAGER_FILE, print)
    with pytest.raises(PlatformError, match="no `prometheus`; install"):
        running.run(threading.Event())
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
@pytest.mark.skipif(not available(), reason="Prometheus or Alertmanager is not on this machine")
def test_the_command_runs_both_and_leaves_nothing(tmp_path):
    """The shipped rules are loaded, alerts go to the Alertmanager beside it, and SIGTERM ends all with 0."""
    with Port() as first, Port() as second:
        ports = first.number, second.number
    options = ["--port", str(ports[0]), "--alertmanager-port", str(ports[1]), "--data-dir", str(tmp_path / "data")]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli.main", "prometheus", *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=os.environ, text=True,
    )  # fmt: skip
    try:
        wait_for(lambda: answers(ports[0], "/-/ready") or process.poll() is not None, 120, "Prometheus to be ready")
        groups = json.loads(answers(ports[0], "/api/v1/rules"))["data"]["groups"]
        told = "/api/v1/alertmanagers"
        wait_for(lambda: json.loads(answers(ports[0], told))["data"]["activeAlertmanagers"], 30, "its Alertmanager")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert {group["name"] for group in groups} >= {"brinkwatch.process", "brinkwatch.recording.pipeline"}
    assert process.returncode == 0, said
    assert f"prometheus at http://127.0.0.1:{ports[0]}" in said
    assert left_behind(str(tmp_path)) == []


def answers(port: int, path: str) -> str:
    """What it answers; nothing while it does not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return response.read().decode() or "ready"
    except OSError:
        return ""
