"""Metrics of every process: the version that runs, and how a process comes to export its own and no other's.

Metrics are declared without a registry, beside all others of their package: a process exports those that are its own.
A gauge without labels would else stand at 0 in processes that know nothing of it, where rules would take it for true.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import version

from prometheus_client import REGISTRY, Info
from prometheus_client.metrics import MetricWrapperBase

BUILD = Info("brinkwatch_build", "Version of Brinkwatch and of Python.", registry=None)
PROCESSES = ("up", "connect", "extract", "score", "notify", "monitor")
EXPORTS = dict.fromkeys(PROCESSES, (BUILD,))
"""Which metrics of this module each process exports."""
_exported: set[MetricWrapperBase] = set()


def export(metrics: Iterable[MetricWrapperBase]) -> None:
    """Have this process export ``metrics`` from now on, beside those of every process. Repeatable."""
    BUILD.info({"version": version("brinkwatch"), "python": platform.python_version()})
    for metric in (BUILD, *metrics):
        if metric not in _exported:
            _exported.add(metric)
            REGISTRY.register(metric)
