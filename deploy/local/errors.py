"""The errors of the local platform."""

from __future__ import annotations

from config.errors import BrinkwatchError


class PlatformError(BrinkwatchError):
    """Something of the local platform can't be had, started or kept running."""
