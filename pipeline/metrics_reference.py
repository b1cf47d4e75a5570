"""The reference of metrics, generated from the code: ``docs/reference/metrics.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from prometheus_client import Metric
from prometheus_client.metrics import MetricWrapperBase

from pipeline.monitor.exported import Exported
from pipeline.monitor.survey import Survey

PATH = Path(__file__).parents[1] / "docs" / "reference" / "metrics.md"
MODULES = (
    "config.metrics",
    "config.vitals",
    "connectors.metrics",
    "deploy.local.metrics",
    "pipeline.dyad_metrics",
    "pipeline.metrics",
)
"""Where metrics are declared; each says in ``EXPORTS`` which process exports which of them."""
HEAD = """# Metrics

Generated from the code by `make schemas`. Each process serves its own on its port at `/metrics`
([settings](settings.md): `connect_metrics_port` and so on), beside `process_*` and `python_*` of the Python client.
Label sets that are known beforehand start at 0. Times are in seconds, moments in seconds since 1970 (Unix time).

Labels that come from the news are bounded: `dyad` to the `metrics_dyads` with the highest score, those with an alert
open (at most 500) and those of `metrics_dyads_always`; `source` to `metrics_sources`. Only the active score has
them, from its start on: what they tell is restored from the topic `dyads`. A series ends when its dyad or source is no
longer among them. Scores, sources and signals of 24 hours go by event time; while extract or score is behind, that
stands still.

| metric | type | labels | unit | processes | meaning |
|---|---|---|---|---|---|
"""
UNITS = (("_timestamp_seconds", "Unix time, s"), ("_seconds", "s"), ("_bytes", "bytes"))


@dataclass(frozen=True, slots=True)
class Row:
    """A metric of the page.

    Attributes:
        name: As Prometheus stores it, with the suffix of a counter or an info.
        kind: ``counter``, ``gauge``, ``histogram`` or ``info``.
        labels: Their names.
        meaning: Its help.
        processes: Which processes export it.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    processes: tuple[str, ...]

    @property
    def unit(self) -> str:
        """The base unit that the name ends in; empty for a number of things."""
        bare = self.name.removesuffix("_total")
        return next((unit for suffix, unit in UNITS if bare.endswith(suffix)), "")


def rows() -> tuple[Row, ...]:
    """Every metric of the project, by name."""
    found: dict[MetricWrapperBase, list[str]] = {}
    for module in MODULES:
        exports: Mapping[str, tuple[MetricWrapperBase, ...]] = import_module(module).EXPORTS
        for process, metrics in exports.items():
            for metric in metrics:
                found.setdefault(metric, []).append(process)
    own = [_row(metric, tuple(of)) for metric, of in found.items()]
    return tuple(sorted([*own, *_surveyed()], key=lambda row: row.name))


def declared() -> frozenset[str]:
    """The names of the metrics that the modules declare, exported by any process or not."""
    metrics: list[Any] = [each for module in MODULES for each in vars(import_module(module)).values()]
    return frozenset(_row(each, ()).name for each in metrics if isinstance(each, MetricWrapperBase))


def text() -> str:
    """The page."""
    return HEAD + "".join(map(_line, rows()))


def _row(metric: MetricWrapperBase, processes: tuple[str, ...]) -> Row:
    family = next(iter(metric.describe()))
    labels = tuple(metric._labelnames)  # noqa: SLF001  the library tells them nowhere else
    if family.type == "info":
        labels = ("version", "python")
    return _described(family, labels, processes)


def _surveyed() -> list[Row]:
    """The monitor's, which are made of what the broker says whenever they are read."""
    exported = Exported(lambda: 0.0)
    exported.note(Survey(at=0.0))
    # The library tells the labels nowhere else.
    return [
        _described(family, tuple(getattr(family, "_labelnames", ())), ("monitor",)) for family in exported.collect()
    ]


def _described(family: Metric, labels: tuple[str, ...], processes: tuple[str, ...]) -> Row:
    suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
    return Row(family.name + suffix, family.type, labels, family.documentation, processes)


def _line(row: Row) -> str:
    labels = ", ".join(f"`{label}`" for label in row.labels)
    return f"| `{row.name}` | {row.kind} | {labels} | {row.unit} | {', '.join(row.processes)} | {row.meaning} |\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
