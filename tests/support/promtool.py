"""Prometheus's own check of a page of metrics, where its tool is installed."""

from __future__ import annotations

import shutil
import subprocess

BINARY = shutil.which("promtool")
MISSING = "no promtool on this machine: install the Debian package prometheus"


def faults(page: str) -> list[str]:
    """What promtool finds in a page of metrics: lines that can't be read, and names and help against its customs."""
    if BINARY is None:
        raise RuntimeError(MISSING)
    done = subprocess.run(
        [BINARY, "check", "metrics"], input=page, capture_output=True, text=True, timeout=30, check=False
    )
    said = (done.stdout + done.stderr).splitlines()
    return said or ([] if done.returncode == 0 else [f"promtool ended with {done.returncode}"])
