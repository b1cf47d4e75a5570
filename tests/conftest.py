"""Fixtures that every part uses: one real broker and the real runner, started only if a test asks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from brokers import Broker
from loopback import LOOPBACK

from config.settings import load_settings
from deploy.local.kafka import EmbeddedKafka
from deploy.local.prism import find_prism

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Of this process and its children. The service itself refuses loopback, where all feeds of tests are.
os.environ.setdefault("BRINKWATCH_FETCH_ALLOW_NETWORKS", LOOPBACK)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which runners tests/conformance is held against; here, for pytest reads no other conftest before its options."""
    parser.addoption(
        "--runner",
        action="append",
        choices=["prism", "fnapi", "flink"],
        help="a runner that the conformance tests run on; repeatable (default: prism and fnapi)",
    )


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real broker for the session; ``broker.settings("name")`` gives a test topics of its own on it."""
    folder = tmp_path_factory.mktemp("broker")
    with EmbeddedKafka(folder, load_settings().cache_dir) as kafka:
        yield Broker(kafka, folder)


@pytest.fixture(scope="session")
def prism() -> Path:
    """Prism's binary; where it is missing it is got, and if that fails the error says how to get it."""
    return find_prism(load_settings(), print)
