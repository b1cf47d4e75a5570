"""Brinkwatch's own command line, asked whether it would take some words."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import typer.main

from pipeline.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Sequence


@cache
def _root() -> Any:
    # Typer carries a click of its own, whose types nobody else's are.
    return typer.main.get_command(app)


def fault_of(words: Sequence[str]) -> str | None:
    """Why ``brinkwatch`` with these words is no command of ours; None if it is one. Nothing is run."""
    command, rest = _root(), list(words)
    while rest and (inner := getattr(command, "commands", {}).get(rest[0])) is not None:
        command, rest = inner, rest[1:]
    group = getattr(command, "commands", None)
    if group and not (rest and rest[0].startswith("-")) and not getattr(command, "invoke_without_command", False):
        return f"{command.name} has no command {rest[0]}" if rest else None
    options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    given = {word.split("=", 1)[0] for word in rest if word.startswith("-") and word != "-"}
    unknown = given - options - {"--help", "-h"}
    return f"{command.name} has no option {', '.join(sorted(unknown))}" if unknown else None
