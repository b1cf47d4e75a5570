"""The file of alert rules as it is now: read again when it changes, and the last good rules kept while it is wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from config.alerts import AlertRules, load_alerts
from config.errors import ConfigError

log = logging.getLogger(__name__)
CHECK_S = 2.0
"""Least time between two looks at the file."""
_Stamp = tuple[int, int, int]


class RulesFile:
    """Watches one file.

    Attributes:
        path: Which.
        rules: The last good rules.
        good: Whether the file as it stands is the one that ``rules`` come from.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the file.

        Raises:
            ConfigError: With every fault and its line.
        """
        self.path = path
        self.good = True
        self._clock = clock
        self._stamp = _stamp(path)
        self.rules: AlertRules = load_alerts(path)
        self._next = clock() + CHECK_S

    def changed(self) -> AlertRules | None:
        """The rules, if the file has changed to other good ones since the last call; each fault is logged."""
        now = self._clock()
        if now < self._next:
            return None
        self._next = now + CHECK_S
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        try:
            rules = load_alerts(self.path)
        except ConfigError as error:
            self.good = False
            for fault in error.faults:
                log.error("the changed rules are not used: %s", fault)  # noqa: TRY400  faults say it all
            return None
        self.good = True
        if rules == self.rules:
            return None
        self.rules = rules
        return rules


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
