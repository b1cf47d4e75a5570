"""What an operator would see of an outage: processes that ended, what the logs said and how much, metrics."""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.request import urlopen

NAMES = ("connect", "extract", "score")
TOLD = ("warning", "error", "critical")
SHOWN = 110
METRICS = re.compile(
    r"^brinkwatch_(kafka_up.*|connect_unacknowledged_articles|event_time_lag_seconds.*"
    r"|dead_letters_total.*|open_alerts.*|connect_fetches_total.*) (?!0\.0$)|^brinkwatch_kafka_up.* "
)
METRICS_S = 5.0


@dataclass(frozen=True, slots=True)
class End:
    """A process that the supervisor saw end.

    Attributes:
        child: Its name.
        at: When, as a monotonic time in seconds.
        reason: Its last words.
    """

    child: str
    at: float
    reason: str


class Ends(logging.Handler):
    """Notes what the supervisor says of ended processes; a context manager."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[End] = []
        self._log = logging.getLogger("deploy.local.supervisor")

    def emit(self, record: logging.LogRecord) -> None:
        """One record of the supervisor."""
        fields = getattr(record, "fields", {})
        if "reason" in fields:
            self.found.append(End(fields["child"], time.monotonic(), fields["reason"]))

    def __enter__(self) -> Self:
        self._log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.removeHandler(self)


class Logs:
    """What the processes say from now on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begins = {name: self._size(name) for name in NAMES}

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes that each has said since."""
        return {name: self._size(name) - begin for name, begin in self._begins.items()}

    def words(self) -> Counter[str]:
        """How often each warning and error was said, figures left out; what is no line of JSON counts as one kind."""
        found: Counter[str] = Counter()
        for name, begin in self._begins.items():
            with self._file(name).open("rb") as file:
                file.seek(begin)
                found.update(words for line in file if (words := said(name, line)))
        return found

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _size(self, name: str) -> int:
        file = self._file(name)
        return file.stat().st_size if file.exists() else 0


def said(name: str, line: bytes) -> str | None:
    """A line of a log as it is counted; None where it tells of nothing."""
    try:
        fields = json.loads(line)
        level, message = fields["level"], fields["message"]
    except (ValueError, KeyError, TypeError):
        return f"{name}: no JSON"
    if level not in TOLD:
        return None
    text = " ".join(f"{message} ({fields['why']})".split() if "why" in fields else str(message).split())
    return f"{name} {level}: {re.sub('[0-9]+', '#', text)[:SHOWN]}"


def metrics(ports: Mapping[str, int]) -> list[str]:
    """The telling metrics of each process that are not 0, or that it does not answer."""
    found = []
    for name, port in ports.items():
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=METRICS_S) as answer:
                page = answer.read(1_000_000).decode()
        except OSError as error:
            found.append(f"{name}: no answer ({error})")
            continue
        found += [line for line in page.splitlines() if METRICS.match(line)]
    return found
