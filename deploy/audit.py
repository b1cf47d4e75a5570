"""Known vulnerabilities of the pinned packages: ``python -m deploy.audit`` asks with pip-audit.

Exit codes: 0 none known, 1 some, 2 the database could not be asked about all of them, which is no verdict: pip-audit
itself calls a package that it could not look up no finding.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
SECONDS = 300
PIP_AUDIT = (
    *(sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner=off", "--timeout=20"),
    *("--format=json", "--requirement"),
)
_WORDS = 300


def verdict(stdout: str, stderr: str) -> tuple[int, tuple[str, ...]]:
    """Our exit code, and lines for a person, of what pip-audit wrote."""
    try:
        found: list[dict[str, Any]] = json.loads(stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = (stderr.strip().splitlines() or ["it said nothing"])[-1][:_WORDS]
        return 2, (f"auditing failed: the database of vulnerabilities can't be reached; nothing is known: {why}",)
    lines = tuple(_findings(found))
    if skipped := [each["name"] for each in found if "skip_reason" in each]:
        unknown = f"auditing failed: {len(skipped)} of {len(found)} packages are not in the database that answers here"
        lines = (*lines, f"{unknown} ({', '.join(skipped[:3])}, …); nothing is known of them")
    if any(each.get("vulns") for each in found):
        return 1, lines
    return (2, lines) if skipped or not found else (0, (f"no known vulnerability in {len(found)} packages",))


def main(command: Sequence[str] = PIP_AUDIT, constraints: Path = CONSTRAINTS) -> int:
    """Ask, and say what came of it."""
    try:
        done = subprocess.run(
            [*command, str(constraints)], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"auditing failed: no answer in {SECONDS} s; nothing is known\n")
        return 2
    code, lines = verdict(done.stdout, done.stderr)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code


def _findings(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    for each in found:
        for vulnerability in each.get("vulns", ()):
            mended = ", ".join(vulnerability.get("fix_versions", ())) or "no version yet"
            yield f"{each['name']} {each['version']}: {vulnerability['id']}, mended in {mended}"


if __name__ == "__main__":
    sys.exit(main())
