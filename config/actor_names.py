"""What to call an actor: its first name in the gazetteer, for a label.

Read quickly, and not checked: that is for extract, which goes by the names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from config.document import MAX_BYTES
from config.errors import ConfigError, Fault
from config.names import ACTORS, MAX_NAME

# The parser in C is ten times faster than the one that knows lines; PyYAML is built without it here and there.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def actor_names(folder: Path) -> Mapping[str, str]:
    """The name of each state, territory, organisation, alliance and armed group by code; the first of a code counts.

    Raises:
        ConfigError: A file of the gazetteer can't be read, or is no YAML.
    """
    names: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        for entry in _entries(path):
            code, known = entry.get("code"), entry.get("names")
            if entry.get("kind") in ACTORS and isinstance(code, str) and isinstance(known, list) and known:
                names.setdefault(code, str(known[0])[:MAX_NAME])
    return names


def _entries(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open("rb") as file:
            data = yaml.load(file.read(MAX_BYTES), Loader=_Loader)  # noqa: S506  both are safe loaders
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError([Fault(str(path), "", f"a readable file of YAML ({error})"[:300])]) from None
    entries = data.get("entries") if isinstance(data, dict) else None
    return (entry for entry in entries or () if isinstance(entry, dict))
