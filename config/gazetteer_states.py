"""Writes ``gazetteer/states.yaml``: codes and plain names from the package ``countryinfo``, the rest by hand.

For developers only (``countryinfo`` is in the extra ``dev``): ``python -m config.gazetteer_states``. What an edit by
hand should change goes into ``gazetteer_states.yaml``, so that it survives the next run.
"""

from __future__ import annotations

import importlib.resources
import json
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
BY_HAND = HERE / "gazetteer_states.yaml"
TARGET = HERE / "gazetteer" / "states.yaml"
HEADER = "# Made by config/gazetteer_states.py from config/gazetteer_states.yaml: edit there, not here.\nentries:\n"
NO_PLURAL = ("ese", "ish", "ch", "ss", "i-Kiribati")
ORDER = (
    "code", "kind", "names", "adjectives", "people", "combining", "capitals", "seats", "since", "until", "exact",
    "silent", "ambiguous", "cautions",
)  # fmt: skip


def package_countries() -> list[dict[str, Any]]:
    """Every country of the package, in the order of its files."""
    folder = importlib.resources.files("countryinfo") / "data"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda file: file.name)
    return [json.loads(file.read_text("utf-8")) for file in files]


def plain_entry(country: dict[str, Any]) -> dict[str, Any]:
    """One country of the package as a gazetteer entry."""
    demonyms = [word for word in (country.get("demonym") or "").split(",") if word]
    capital = country.get("capital")
    capitals = capital if isinstance(capital, list) else [capital] if capital else []
    return {
        "code": country["ISO"]["alpha3"],
        "names": [country["name"]],
        "adjectives": demonyms,
        "people": [f"{word}s" for word in demonyms if not word.endswith(NO_PLURAL)],
        "capitals": capitals,
    }


def entries(countries: list[dict[str, Any]], by_hand: dict[str, Any]) -> list[dict[str, Any]]:
    """All entries by code: the package's, each field replaced where the hand-written part gives it."""
    found: dict[str, dict[str, Any]] = {}
    for country in countries:
        entry = plain_entry(country)
        if entry["code"] not in by_hand["drop"]:
            found.setdefault(entry["code"], entry)
    for code, fields in by_hand["entries"].items():
        found[code] = found.get(code, {"code": code}) | fields
    for code, entry in found.items():
        entry["kind"] = "territory" if code in by_hand["territories"] else "state"
    return [{key: entry[key] for key in ORDER if entry.get(key)} for _, entry in sorted(found.items())]


def rendered() -> str:
    """The text of ``states.yaml``."""
    by_hand = yaml.safe_load(BY_HAND.read_text("utf-8"))
    lines = [
        "- " + yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6).strip()
        for entry in entries(package_countries(), by_hand)
    ]
    return HEADER + "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(rendered(), "utf-8")
    sys.stdout.write(f"{TARGET}\n")
