"""``brinkwatch config check``: every fault of the configuration, each with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import typer

from config.errors import ConfigError, Fault
from config.settings import load_settings, or_packaged
from pipeline.cli.common import ConfigDir


def check(config: ConfigDir = None) -> None:
    """Check service.yaml, the environment, and feeds, alerts, receivers, lexicon, rivals and gazetteer."""
    faults, checked = collect(config)
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}")
        raise typer.Exit(1)
    print("\n".join(f"ok  {what}" for what in checked))


def collect(folder: Path | None) -> tuple[list[Fault], list[str]]:
    """Every fault of every file, and what was checked."""
    from config.settings import folder_of

    faults: list[Fault] = []
    checked: list[str] = []
    if not folder_of(folder).is_dir():
        return [Fault(str(folder_of(folder)), "", "the folder of the configuration, but there is no such folder")], []

    def attempt(what: str, load: Callable[[], object]) -> object | None:
        try:
            found = load()
        except ConfigError as error:
            faults.extend(error.faults)
            return None
        checked.append(what)
        return found

    attempt("settings", lambda: load_settings(config_dir=folder))
    for what, load in _loaders(folder).items():
        attempt(what, load)
    return faults, checked


def _loaders(folder: Path | None) -> dict[str, Callable[[], object]]:
    from config.alerts import load_alerts
    from config.feeds import check_feeds
    from config.lexicon import load_lexicon
    from config.names import load_gazetteer
    from config.receivers import load_receivers
    from config.rivals import load_rivals
    from config.settings import folder_of

    root = folder_of(folder)
    return {
        "feeds.yaml": lambda: check_feeds(root / "feeds.yaml"),
        "alerts.yaml": lambda: load_alerts(root / "alerts.yaml"),
        "receivers.yaml": lambda: load_receivers(or_packaged(root / "receivers.yaml")),
        "lexicon.yaml": lambda: load_lexicon(root / "lexicon.yaml"),
        "gazetteer/": lambda: load_gazetteer(root / "gazetteer"),
        "rivals.yaml": lambda: load_rivals(
            or_packaged(root / "rivals.yaml"), load_gazetteer(root / "gazetteer").codes()
        ),
    }
