"""Try the dashboards on a live Prometheus: ``python -m deploy.grafana.check http://127.0.0.1:9090 [FILE...]``.

Each query of each panel is asked as Grafana would ask it, variables filled in, and must answer with a number; each
panel must have a title, a description and a unit. Of a part that may be off, panels say so where there is nothing.
Exit code 1: something is amiss.
"""

from __future__ import annotations

import json
import math
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

from config.errors import BrinkwatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FOLDER = Path(__file__).parent / "dashboards"
TIMEOUT_S = 20.0
MAX_BYTES = 32 * 1024 * 1024
NOTHING = "-"
"""What figures and tables show where there is nothing; any other words of a panel tell of a part that is off."""
DYAD_QUERY = "topk(1, max by (dyad) (brinkwatch_dyad_score{dyad!~'.*[*].*'}))"


class CheckError(BrinkwatchError):
    """Prometheus that can't be asked, or an answer that is none."""


@dataclass(frozen=True, slots=True)
class Window:
    """What the variables of time stand for.

    Attributes:
        range_s: The dashboard's range, in seconds back from now.
        step_s: Time between two points.
        rate_s: Window of a rate; at least four scrapes, as Grafana has it.
    """

    range_s: int = 3600
    step_s: int = 15
    rate_s: int = 60

    @property
    def variables(self) -> dict[str, str]:
        """By the names that they have in Grafana, ``$`` left out."""
        return {
            "__rate_interval": f"{self.rate_s}s",
            "__interval": f"{max(self.step_s, self.rate_s)}s",
            "__range": f"{self.range_s}s",
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """A query of a panel.

    Attributes:
        dashboard: Title of the dashboard.
        panel: Title of the panel.
        expr: PromQL, variables filled in.
        instant: Whether only the present is asked for.
        off: What the panel says where its part of the service does not run; empty: of a part that always does.
    """

    dashboard: str
    panel: str
    expr: str
    instant: bool
    off: str = ""


@dataclass(slots=True)
class Findings:
    """What was found.

    Attributes:
        lines: What is amiss, a line each.
        off: Queries without an answer whose panels say that this may be, a line each.
        tried: How many queries were tried.
    """

    lines: list[str] = field(default_factory=list)
    off: list[str] = field(default_factory=list)
    tried: int = 0


def panels(board: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every panel that asks something, those in folded rows too: all but headings and text."""
    for panel in board["panels"]:
        for each in panel.get("panels") or () if panel["type"] == "row" else (panel,):
            if each["type"] != "text":
                yield each


def untold(board: Mapping[str, Any]) -> Iterator[str]:
    """What panels do not say of themselves, and queries without a letter or with another's."""
    for panel in panels(board):
        where = f"{board['title']}: {panel.get('title') or 'panel ' + str(panel.get('id'))}"
        units = panel["fieldConfig"]["defaults"].get("unit")
        for what, there in (("title", panel.get("title")), ("description", panel.get("description")), ("unit", units)):
            if not there:
                yield f"{where}: no {what}"
        letters = [target.get("refId") for target in panel["targets"]]
        if not letters or not all(letters) or len(set(letters)) < len(letters):
            yield f"{where}: queries need a letter each, and have {letters}"


def filled(expr: str, variables: Mapping[str, str]) -> str:
    """The query with its variables' values.

    Raises:
        CheckError: One has no value.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in variables:
            raise CheckError(f"check: {expr}: no value for the variable ${name}")
        return variables[name]

    return re.sub(r"\$(?:\{(\w+)(?::\w+)?\}|([A-Za-z_]\w*))", value, expr)


def questions(board: Mapping[str, Any], variables: Mapping[str, str]) -> Iterator[Asked]:
    """Every query of a dashboard."""
    for panel in panels(board):
        for target in panel["targets"]:
            expr = filled(target["expr"], variables)
            yield Asked(board["title"], panel["title"], expr, bool(target.get("instant")), _off(panel))


def _off(panel: Mapping[str, Any]) -> str:
    said: str = panel["fieldConfig"]["defaults"].get("noValue", "")
    return "" if said == NOTHING else said


def marks(board: Mapping[str, Any], variables: Mapping[str, str]) -> Iterator[Asked]:
    """Every annotation's query. On a quiet day they answer with nothing."""
    for each in board["annotations"]["list"]:
        yield Asked(board["title"], f"annotation {each['name']}", filled(each["expr"], variables), instant=False)


def numbers(result: Sequence[Mapping[str, Any]]) -> int:
    """How many series of an answer hold a number that is one."""
    points = ((each.get("values") or [each["value"]]) for each in result)
    return sum(any(math.isfinite(float(value)) for _, value in series) for series in points)


class Prometheus:
    """Asks a Prometheus over HTTP."""

    def __init__(self, url: str, window: Window) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise CheckError(f"check: {url}: not an address of the form http://HOST:PORT")
        self._url, self._window = url.rstrip("/"), window

    def ask(self, asked: Asked) -> list[dict[str, Any]]:
        """The series of the answer.

        Raises:
            CheckError: There was none: a query that is wrong, a server that is away.
        """
        now = time.time()
        if asked.instant:
            return self._get("query", {"query": asked.expr, "time": now}, asked)
        start = now - self._window.range_s
        wanted = {"query": asked.expr, "start": start, "end": now, "step": self._window.step_s}
        return self._get("query_range", wanted, asked)

    def _get(self, what: str, parameters: Mapping[str, Any], asked: Asked) -> list[dict[str, Any]]:
        where = f"{asked.dashboard}: {asked.panel}: {asked.expr}"
        try:
            # The scheme is one of two: the constructor says so.
            with urlopen(f"{self._url}/api/v1/{what}?{urlencode(parameters)}", timeout=TIMEOUT_S) as response:  # noqa: S310
                answer = json.loads(response.read(MAX_BYTES))
        except HTTPError as error:
            raise CheckError(f"{where}: {error.read(2000).decode(errors='replace')}") from error
        except (URLError, OSError, ValueError) as error:
            raise CheckError(f"{where}: {self._url}: {error}") from error
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found


def check(prometheus: Prometheus, boards: Sequence[Mapping[str, Any]], window: Window) -> Findings:
    """Try every query of every dashboard."""
    findings = Findings()
    dyads = prometheus.ask(Asked("variables", "dyad", DYAD_QUERY, instant=True))
    chosen = dyads[0]["metric"]["dyad"] if dyads else "none"
    variables = {**window.variables, "dyad": chosen, "compare": ".*", "drill": "true|false", "sides": "[^*]+"}
    for board in boards:
        findings.lines.extend(untold(board))
        for asked in (*questions(board, variables), *marks(board, variables)):
            _try(prometheus, asked, findings)
    return findings


def _try(prometheus: Prometheus, asked: Asked, findings: Findings) -> None:
    findings.tried += 1
    try:
        result = prometheus.ask(asked)
    except CheckError as error:
        findings.lines.append(str(error))
        return
    if not numbers(result) and not asked.panel.startswith("annotation "):
        found = findings.off if asked.off else findings.lines
        found.append(f"{asked.dashboard}: {asked.panel}: {asked.off or 'nothing'}: {asked.expr}")


def load(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Dashboards from files; none given: those of this folder."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths or sorted(FOLDER.glob("*.json"))]


def main() -> int:
    """Check, and print what is amiss."""
    if len(sys.argv) < 2:  # noqa: PLR2004 - the program's own name, and the address
        print(__doc__, file=sys.stderr)  # noqa: T201 - a command prints
        return 2
    window = Window()
    try:
        prometheus = Prometheus(sys.argv[1], window)
        findings = check(prometheus, load([Path(each) for each in sys.argv[2:]]), window)
    except (CheckError, OSError, ValueError) as error:
        findings = Findings([str(error)])
    for line in (*findings.off, *findings.lines):
        print(line)  # noqa: T201 - a command prints
    counted = f"{findings.tried} queries tried, {len(findings.off)} of what is off, {len(findings.lines)} findings"
    print(counted)  # noqa: T201 - a command prints
    return bool(findings.lines)


if __name__ == "__main__":
    sys.exit(main())
