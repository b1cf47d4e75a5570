"""The errors of configuration, and the root of every error of the project."""

from __future__ import annotations

from dataclasses import dataclass


class BrinkwatchError(Exception):
    """Root of the project's errors; its text reads ``what failed: where: why``."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in one place of the configuration.

    Attributes:
        file: The file, or ``environment``.
        key: Path of the key inside it, such as ``feeds[3].url``; empty for the whole file.
        expected: What should stand there, and what was found.
        line: Line number, 1-based, where it is known.
    """

    file: str
    key: str
    expected: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.expected}" if self.key else f"{place}: {self.expected}"


class ConfigError(BrinkwatchError):
    """Configuration that can't be used; ``faults`` holds every fault found, not just the first."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))
