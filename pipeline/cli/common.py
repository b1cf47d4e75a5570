"""What every command shares: options, logging, and errors a person can act on."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from config.settings import Settings

log = logging.getLogger(__name__)
SERVING = "brinkwatch_serving"
ConfigDir = Annotated[
    Path | None,
    typer.Option("--config", metavar="DIR", help="Folder of service.yaml, feeds.yaml, alerts.yaml and gazetteer/."),
]
BootstrapServers = Annotated[
    str | None, typer.Option("--bootstrap-servers", metavar="HOST:PORT,…", help="Kafka brokers to use.")
]


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and whatever ``extra={"fields": …}`` gave."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line: dict[str, Any] = {
            **getattr(record, "fields", {}),
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _tell_all_as_json() -> None:
    """What nobody caught, and what Python warns of, as lines of the log too: a trace of many lines is none."""
    logging.captureWarnings(capture=True)
    sys.excepthook = lambda kind, error, trace: log.critical("not caught", exc_info=(kind, error, trace))
    threading.excepthook = lambda told: log.critical(
        "not caught in thread %s",
        told.thread.name if told.thread else "?",
        exc_info=(told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback),
    )


def _worth_saying(record: logging.LogRecord) -> bool:
    """Not that Beam found no Google Cloud libraries, which it logs on import and nobody needs."""
    return not record.getMessage().startswith("apitools not found")


def set_up_logging(settings: Settings, *, serving: bool = False) -> None:
    """Log to stderr: text on a terminal, JSON lines elsewhere, unless the settings say which.

    Args:
        settings: Of the process.
        serving: Whether it is a process of the service: then what ends it is told in its log, as all else is.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_worth_saying)
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    handler.setFormatter(
        JsonFormatter()
        if as_json
        else logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
    )
    if as_json:
        _tell_all_as_json()
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    setattr(logging.getLogger(), SERVING, serving and as_json)
    # kafka-python reports as errors what its clients retry; what they give up on is raised, and reported by us.
    for noisy, least in (
        ("kafka", logging.CRITICAL),
        ("apache_beam", logging.ERROR),
        ("asyncio", logging.ERROR),
        ("matplotlib", logging.ERROR),  # tells of the fonts that it finds
    ):
        logging.getLogger(noisy).setLevel(logging.INFO if settings.log_level == "debug" else least)


def say(text: str) -> None:
    """Tell a person who waits what a command is at, on stderr."""
    print(f"brinkwatch: {text}", file=sys.stderr, flush=True)


def tell_failure(text: str) -> None:
    """Say on stderr what ended this program: to a person, or in the log where it is one of lines of JSON."""
    if getattr(logging.getLogger(), SERVING, False):
        log.critical("%s", text)
    else:
        print(f"brinkwatch: {text}", file=sys.stderr)


@contextmanager
def progress_bar(what: str, total: int, *, of_bytes: bool = False) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, where that is a terminal; what it gives is told of every step."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    done = DownloadColumn() if of_bytes else MofNCompleteColumn()
    columns = (TextColumn(what), BarColumn(), done, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        yield lambda step: progress.update(task, advance=step)
