"""What every command shares: options, logging, and errors a person can act on."""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from config.settings import Settings

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
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_logging(settings: Settings) -> None:
    """Log to stderr: text on a terminal, JSON lines elsewhere, unless the settings say which."""
    handler = logging.StreamHandler(sys.stderr)
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    handler.setFormatter(
        JsonFormatter()
        if as_json
        else logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
    )
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for noisy in ("kafka", "apache_beam", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.ERROR if settings.log_level != "debug" else logging.INFO)
