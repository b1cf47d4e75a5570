"""Run the benches and write what they found: ``make bench``, ``make bench ARGS=restart``."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))


PARTS = ("extraction", "gate", "line", "pages", "politeness", "scoring")
LONG = ("feeds", "restart", "replicas", "soak", "pushes")
"""Only where they are named: they take minutes, or fill gigabytes."""


def main() -> None:
    """Every bench but the long ones, or those named on the command line."""
    from loopback import LOOPBACK

    from tests.bench import extraction, feeds, gate, line, pages, politeness, pushes, replicas, restart, scoring, soak

    os.environ.setdefault("BRINKWATCH_FETCH_ALLOW_NETWORKS", LOOPBACK)  # where the feeds of the benches are
    wanted = sys.argv[1:] or PARTS
    if unknown := sorted(set(wanted) - {*PARTS, *LONG}):
        raise SystemExit(f"no such bench: {', '.join(unknown)}; there are {', '.join((*PARTS, *LONG))}")
    found: dict[str, object] = {
        "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(),
    }
    for name, measure in (
        ("extraction", extraction.measure),
        ("gate", gate.measure),
        ("pages", pages.measure),
        ("politeness", politeness.measure),
    ):
        if name in wanted:
            found[name] = measure()
    for name, measure_in in (
        ("line", line.measure),
        ("scoring", scoring.measure),
        ("feeds", feeds.measure),
        ("restart", restart.measure),
        ("replicas", replicas.measure),
        ("soak", soak.measure),
        ("pushes", pushes.measure),
    ):
        if name in wanted:
            with tempfile.TemporaryDirectory(prefix="brinkwatch-bench-") as folder:
                found[name] = measure_in(Path(folder))
    text = json.dumps(found, indent=2)
    print(text)
    Path("build").mkdir(exist_ok=True)
    Path("build/bench.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
