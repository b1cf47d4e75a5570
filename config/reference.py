"""The reference of settings, generated from the code: ``docs/reference/settings.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from config.settings import PREFIX, SECRETS, Settings

PATH = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"
HEAD = """# Settings

Generated from `config/settings.py` by `make schemas`. Each setting stands in `service.yaml` of the configuration
folder, or in the environment, which wins. An empty variable counts as not given.

| setting | variable | default | meaning |
|---|---|---|---|
"""
PLACES = {
    "config_dir": "the shipped folder",
    "data_dir": "the user's data folder",
    "cache_dir": "the user's cache folder",
}


def text() -> str:
    """The page."""
    return HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: Any) -> str:
    variable = f"`{PREFIX}{name.upper()}`"
    if name in SECRETS:
        variable += f" or a file: `{PREFIX}{name.upper()}_FILE`"
    default = PLACES.get(name) or ("" if field.default is None else f"`{field.default}`")
    choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    meaning = field.description + (" (" + ", ".join(f"`{c}`" for c in choices) + ")" if choices else "")
    return f"| `{name}` | {variable} | {default} | {meaning} |\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
