"""The feed server as a fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import feedserver
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def server() -> AsyncIterator[feedserver.FeedServer]:
    """A feed server of the test's own."""
    async for running in feedserver.running():
        yield running
