"""Run the benches and write what they found: ``make bench``."""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))


def main() -> None:
    """Every bench, or those named on the command line: extraction, gate, line, scoring."""
    from tests.bench import extraction, gate, line, scoring

    wanted = set(sys.argv[1:]) or {"extraction", "gate", "line", "scoring"}
    found: dict[str, object] = {
        "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(),
    }
    if "extraction" in wanted:
        found["extraction"] = extraction.measure()
    if "gate" in wanted:
        found["gate"] = gate.measure()
    if "line" in wanted:
        with tempfile.TemporaryDirectory(prefix="brinkwatch-bench-") as folder:
            found["line"] = line.measure(Path(folder))
    if "scoring" in wanted:
        with tempfile.TemporaryDirectory(prefix="brinkwatch-bench-") as folder:
            found["scoring"] = scoring.measure(Path(folder))
    text = json.dumps(found, indent=2)
    print(text)
    Path("build").mkdir(exist_ok=True)
    Path("build/bench.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
