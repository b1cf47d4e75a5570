"""Write the dashboards as the JSON that Grafana loads: ``python -m deploy.grafana.write``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.dyad import dyad
from deploy.grafana.ingestion import ingestion
from deploy.grafana.kafka_and_runner import kafka_and_runner
from deploy.grafana.runbooks import runbooks
from deploy.grafana.stages import pipeline
from deploy.grafana.world import world

if TYPE_CHECKING:
    from collections.abc import Callable

    from grafana_foundation_sdk.models import dashboard

FOLDER = Path(__file__).parent / "dashboards"
DASHBOARDS: dict[str, Callable[[], dashboard.Dashboard]] = {
    "world": world,
    "dyad": dyad,
    "ingestion": ingestion,
    "pipeline": pipeline,
    "kafka": kafka_and_runner,
    "runbooks": runbooks,
}


def as_json(board: dashboard.Dashboard) -> str:
    """A dashboard as Grafana reads it."""
    return json.dumps(board, cls=JSONEncoder, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in DASHBOARDS.items():
        (FOLDER / f"{name}.json").write_text(as_json(make()), encoding="utf-8")


if __name__ == "__main__":
    main()
