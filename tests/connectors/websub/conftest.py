"""The hub as a fixture, and a connector that subscribes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hub as hubs
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def hub() -> AsyncIterator[hubs.Hub]:
    """A hub of the test's own."""
    async with hubs.running() as running:
        yield running
