"""The pages of docs/runbooks as Grafana shows them: a panel of text each, so that links to them lead somewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "runbooks"
UID = "brinkwatch-runbooks"
OVERVIEW = "README"
"""The page that lists the others; their order is that of its list."""
_LINK = re.compile(r"\[([^\]]+)\]\(([^)#]+)(?:#[^)]*)?\)")


@cache
def numbers() -> dict[str, int]:
    """The number of each page's panel, by the name of the page."""
    listed = [target.removesuffix(".md") for _, target in _LINK.findall(_read(OVERVIEW)) if "/" not in target]
    return {name: number for number, name in enumerate(dict.fromkeys([OVERVIEW, *listed]), start=1)}


def address(name: str) -> str:
    """Where a page is found, below the root of Grafana.

    Raises:
        KeyError: The overview names no such page.
    """
    return f"d/{UID}?viewPanel=panel-{numbers()[name]}"


def content(name: str) -> str:
    """A page's Markdown without its heading; links to runbooks lead to their panels, of others the path is said."""
    _, _, body = _read(name).partition("\n")
    return _LINK.sub(_linked, body)


def _linked(link: re.Match[str]) -> str:
    words, target = link[1], link[2]
    if "/" not in target:
        return f"[{words}]({address(target.removesuffix('.md'))})"
    return f"{words} (docs/{target.removeprefix('../')})"


def _read(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")
