"""JSON Schemas of the records, generated from the code; ``docs/reference/schemas`` holds them, CI checks for drift."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from pipeline.records.alert import Alert
from pipeline.records.article import Article
from pipeline.records.base import SCHEMA_VERSION, Record
from pipeline.records.dyad import Dyad
from pipeline.records.redriven import Redriven
from pipeline.records.signal import Signal

RECORDS: dict[str, type[Record]] = {
    "article": Article,
    "signal": Signal,
    "alert": Alert,
    "dyad": Dyad,
    "redriven": Redriven,
}
FOLDER = Path(__file__).parents[2] / "docs" / "reference" / "schemas"


def _hook(kind: type) -> dict[str, Any]:
    if kind is msgspec.Raw:
        return {}
    raise NotImplementedError(kind)


def schema(name: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of the record called ``name``."""
    body = msgspec.json.schema(RECORDS[name], schema_hook=_hook)
    definition = body["$defs"][RECORDS[name].__name__]
    definition["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    definition["required"] = ["schema_version", *definition["required"]]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"Brinkwatch {name}, version 1"}
    return {**head, **body}


def text(name: str) -> str:
    """The schema as it is published."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> None:
    """Write every schema to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in RECORDS:
        (folder / f"{name}.v1.json").write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
