"""``brinkwatch connect``."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError
from config.settings import load_settings
from pipeline.cli.connect import feed_lists

if TYPE_CHECKING:
    from pathlib import Path

    from brokers import Broker

PROGRAM = "import typer; from pipeline.cli.connect import connect; typer.run(connect)"


def connect(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    told = {f"BRINKWATCH_{name.upper()}": value for name, value in variables.items()}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *options],
        env={**os.environ, **told}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def listing(folder: Path, name: str, url: str) -> Path:
    """A list of one feed."""
    path = folder / f"{name}.yaml"
    path.write_text(f'feeds: [{{id: {name}, url: "{url}"}}]\n')
    return path


@pytest.mark.slow
def test_once_prints_how_each_feed_went(broker: Broker, tmp_path: Path, unused_tcp_port: int):
    """A feed that can't be had is a line in the table, not a failure of the command."""
    settings = broker.settings("cli")
    path = listing(tmp_path, "down", f"http://127.0.0.1:{unused_tcp_port}/")
    done = connect(
        "--once", "--feeds", str(path), "--bootstrap-servers", settings.bootstrap_servers,
        topic_prefix=settings.topic_prefix, data_dir=str(tmp_path / "data"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "down" in done.stdout
    assert "connect_error" in done.stdout
    assert done.stdout.strip().endswith("1 connect_error")


@pytest.mark.slow
def test_a_feed_of_this_machine_is_told_what_allows_it(broker: Broker, tmp_path: Path, unused_tcp_port: int):
    """Loopback is refused unless it is allowed; the line in the table names the setting."""
    settings = broker.settings("cli")
    path = listing(tmp_path, "here", f"http://localhost:{unused_tcp_port}/")
    done = connect(
        "--once", "--feeds", str(path), "--bootstrap-servers", settings.bootstrap_servers,
        topic_prefix=settings.topic_prefix, data_dir=str(tmp_path / "data"), fetch_allow_networks="",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no public address; fetch_allow_networks" in done.stdout
    assert done.stdout.strip().endswith("1 blocked")


def test_lists_are_joined(tmp_path: Path):
    """`--feeds` may be repeated; `none` adds nothing; without it the configuration's list counts."""
    settings = load_settings()
    a, b = listing(tmp_path, "a", "https://a.example/"), listing(tmp_path, "b", "https://b.example/")
    assert [feed.id for feed in feed_lists(settings, ["none", str(a), str(b)]).read()] == ["a", "b"]
    assert feed_lists(settings, ["none"]).read() == ()
    assert len(feed_lists(settings, []).read()) > 30
    with pytest.raises(ConfigError, match="each id once over all lists"):
        feed_lists(settings, [str(a), str(a)]).read()


def test_usage():
    """An option that is not known is a fault of usage: exit code 2."""
    assert connect("--nonsense").returncode == 2
