"""The pictures in the documentation, made from the real thing: ``make pictures``.

A replay of ``docs/examples/crisis.jsonl`` gives the report; the terminal view is given what that leaves on the topics.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.kafka.message import Message
from pipeline.records import Alert, Dyad, Transition, decode, encode
from pipeline.records.topics import Topics
from pipeline.watch.app import WatchApp

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[1] / "docs"
IMAGES, EXAMPLES = DOCS / "images", DOCS / "examples"
SIZE = (104, 27)
UNTIL = "2026-04-10T13"
"""The view is taken when the crisis is at its height."""
FONT = '"Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace'
TOPICS = Topics("brinkwatch")


def replay(articles: Path, folder: Path, *more: str) -> None:
    """Run the command, as a person would."""
    rules = ("--rules", str(EXAMPLES / "crisis-alerts.yaml"))
    outputs = ("--alerts", str(folder / "alerts.jsonl"), "--dyads", str(folder / "dyads.jsonl"))
    command = [sys.executable, "-m", "pipeline.cli.main", "replay", str(articles), *rules, *outputs, *more]
    subprocess.run(command, check=True)


def messages(folder: Path) -> list[Message]:
    """What stands on the compacted topics after a replay."""
    dyads = [decode(line, Dyad) for line in (folder / "dyads.jsonl").read_bytes().splitlines()]
    latest = {alert.alert_id: (alert, line) for alert, line in _alerts(folder)}
    found = [Message(TOPICS.dyads.name, 0, 0, 0, dyad.dyad.encode(), encode(dyad)) for dyad in dyads]
    for name, (alert, line) in latest.items():
        if alert.transition is not Transition.RESOLVED:
            found.append(Message(TOPICS.alerts_current.name, 0, 0, 0, name.encode(), line))
    return found


def _alerts(folder: Path) -> Iterator[tuple[Alert, bytes]]:
    for line in (folder / "alerts.jsonl").read_bytes().splitlines():
        yield decode(line, Alert), line


async def screenshot(given: list[Message], size: tuple[int, int], *keys: str) -> str:
    """The view as SVG, after some keys, with fonts of the machine that shows it."""

    def source(stop: threading.Event) -> Iterator[list[Message]]:
        yield given
        stop.wait()

    app = WatchApp(TOPICS, source)
    async with app.run_test(size=size) as pilot:
        while not app._board.dyads:
            await pilot.pause(0.05)
            app.take_in()
        await pilot.press(*keys)
        await pilot.pause()
        drawn = app.export_screenshot(title="brinkwatch watch")
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r"font-family: [^;]*;", f"font-family: {FONT};", drawn)
    return re.sub(r"terminal-\d+-", "terminal-", drawn)


def main() -> None:
    """Make them all."""
    articles = EXAMPLES / "crisis.jsonl"
    truth = ("--truth", str(EXAMPLES / "crisis-truth.jsonl"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        replay(articles, folder, *truth, "--report", str(IMAGES / "report.png"))
        early = folder / "until.jsonl"
        lines = [line for line in articles.read_text(encoding="utf-8").splitlines() if _published(line) < UNTIL]
        early.write_text("\n".join(lines), encoding="utf-8")
        replay(early, folder)
        (IMAGES / "watch.svg").write_text(asyncio.run(screenshot(messages(folder), SIZE)), encoding="utf-8")


def _published(line: str) -> str:
    published: str = json.loads(line)["published"]
    return published


if __name__ == "__main__":
    main()
