"""What listens in the local profile is on loopback, and is what the page on security says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import psutil
import pytest
from service import left_behind, wait_for

from deploy.local.prism import on_loopback_only
from deploy.local.process import Port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
PAGE = Path(__file__).parents[2] / "docs" / "security.md"
ROW = re.compile(r"^\| `(\w+)` \| (\d+) \|", re.MULTILINE)
LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}  # the last is how gRPC writes the first


def accounted() -> dict[str, int]:
    """How many ports each process has, as the page's table has it."""
    return {name: int(number) for name, number in ROW.findall(PAGE.read_text(encoding="utf-8"))}


def kind(process: psutil.Process) -> str:
    """Which row of the table is the process's."""
    words = process.cmdline()
    if Path(words[0]).name in {"java", "prism"}:
        return "kafka" if Path(words[0]).name == "java" else "prism"
    commands = [word for word in words if word in {"up", "connect", "extract", "score", "notify", "monitor"}]
    return commands[0] if commands else words[-1]


def listening(parent: psutil.Process) -> dict[str, list[tuple[str, int]]]:
    """The addresses on which the process and those under it listen, by kind and process."""
    found = defaultdict(list)
    for process in [parent, *parent.children(recursive=True)]:
        try:
            sockets = [c.laddr for c in process.net_connections("inet") if c.status in {psutil.CONN_LISTEN, "NONE"}]
            found[kind(process)] += [(address.ip, address.port) for address in sockets if address]
        except (psutil.NoSuchProcess, IndexError):
            continue
    return {name: sorted(set(addresses)) for name, addresses in found.items() if addresses}


def test_everything_that_listens_is_on_loopback_and_accounted_for(prism, tmp_path):
    """A port that the page does not name, or that other machines reach, is a door that nobody watches."""
    if not on_loopback_only(prism):
        pytest.skip("a Prism of Beam's own build, which listens on every interface: there is no Go here")
    env = {**os.environ, "BRINKWATCH_PRISM": str(prism)}
    for name in ("UP", "CONNECT", "EXTRACT", "SCORE", "MONITOR"):
        with Port() as port:
            env[f"BRINKWATCH_{name}_METRICS_PORT"] = str(port.number)
    command = [sys.executable, "-m", "pipeline.cli.main", "up", "--feeds", "none", "--data-dir", str(tmp_path / "data")]
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env)
    try:
        parent = psutil.Process(process.pid)
        said = tmp_path / "out"
        wait_for(lambda: "RAISED" in said.read_text(encoding="utf-8", errors="replace"), 240, "both jobs at work")
        found = listening(parent)
    finally:
        process.terminate()
        process.wait(60)
    print(found)
    assert {ip for addresses in found.values() for ip, _ in addresses} <= LOOPBACK
    assert {name: len(addresses) for name, addresses in found.items()} == accounted()
    assert left_behind(str(tmp_path)) == []
