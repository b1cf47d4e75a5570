"""A YAML document with the line of every key, so that a fault can point at its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import yaml

from config.errors import ConfigError, Fault
from config.redaction import shown

MAX_BYTES = 16 * 1024 * 1024
MAX_REPEATS = 10_000
"""Nodes that aliases may repeat: a few lines of aliases of aliases would be billions."""
MAX_DEPTH = 50
Location = tuple[int | str, ...]
Model = TypeVar("Model", bound=pydantic.BaseModel)


class Strict(pydantic.BaseModel):
    """Base of every configuration model: frozen, and an unknown key is a fault."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", validate_default=True)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML file: its plain data, and the line (1-based) of each location."""

    path: Path
    data: Any
    lines: Mapping[Location, int]

    def line_of(self, location: Location) -> int | None:
        """Line of ``location``, or of its nearest parent that stands in the file."""
        for end in range(len(location), -1, -1):
            if location[:end] in self.lines:
                return self.lines[location[:end]]
        return None

    def fault(self, location: Location, expected: str) -> Fault:
        """A fault at ``location``."""
        return Fault(str(self.path), key_text(location), expected, self.line_of(location))

    def check(self, model: type[Model]) -> Model:
        """The data as ``model``.

        Raises:
            ConfigError: With one fault for each thing that is wrong.
        """
        try:
            return model.model_validate(self.data)
        except pydantic.ValidationError as error:
            raise ConfigError([self.fault(e["loc"], fault_text(e)) for e in error.errors()]) from None


def key_text(location: Location) -> str:
    """``("feeds", 3, "url")`` as ``feeds[3].url``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def fault_text(error: Any) -> str:
    """One pydantic error in words: what was expected, and what was found."""
    if error["type"] == "missing":
        return "required, but not given"
    if error["type"] == "extra_forbidden":
        return "no such setting"
    found = shown(repr(error["input"]))
    message: str = error["msg"].removeprefix("Value error, ")
    return f"{message} (found {found[:80]}{'…' if len(found) > 80 else ''})"  # noqa: PLR2004


def load(path: Path) -> Document:
    """Read one YAML file, at most 16 MiB, with safe tags only, no duplicate keys, and little that aliases repeat.

    Raises:
        ConfigError: The file can't be read or is no YAML.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([Fault(str(path), "", f"a readable file ({error.strerror})")]) from None
    if len(raw) > MAX_BYTES:
        raise ConfigError([Fault(str(path), "", f"at most {MAX_BYTES} bytes")])
    walk = _Walk(str(path))
    try:
        data = _parse(raw, walk)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error)
        raise ConfigError([Fault(str(path), "", f"valid YAML ({why})", mark.line + 1 if mark else None)]) from None
    except RecursionError:  # PyYAML's own, before there are nodes to walk
        raise ConfigError([Fault(str(path), "", f"at most {MAX_DEPTH} levels, one in another")]) from None
    if walk.faults:
        raise ConfigError(walk.faults)
    return Document(path, data, walk.lines)


def _parse(raw: bytes, walk: _Walk) -> Any:
    """The data of one pass over the text, for which lines are noted first: making data of nodes merges their keys."""
    loader = yaml.SafeLoader(raw)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        walk.visit(root, ())
        return loader.construct_document(root)
    finally:
        loader.dispose()


class _Walk:
    """One walk over a document's nodes, bounded in depth and in what aliases repeat.

    Attributes:
        lines: Line (1-based) of each location.
        faults: Keys that stand twice.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: set[int] = set()
        self._repeats = 0
        self.lines: dict[Location, int] = {}
        self.faults: list[Fault] = []

    def visit(self, node: yaml.Node, at: Location) -> None:
        """Note the node's line, and those of all in it.

        Raises:
            ConfigError: It is too deep, or aliases repeat too much: more than anybody writes.
        """
        self._bound(node, at)
        self.lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.visit(item, (*at, index))
        elif isinstance(node, yaml.MappingNode):
            self._visit_mapping(node, at)

    def _visit_mapping(self, node: yaml.MappingNode, at: Location) -> None:
        seen: set[str] = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            here = (*at, str(name))
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError([Fault(self._path, key_text(here), "a key that is a word", line)])
            if name in seen:
                self.faults.append(Fault(self._path, key_text(here), "each key once, but it stands twice", line))
            seen.add(name)
            self.lines[here] = line
            self.visit(value, here)

    def _bound(self, node: yaml.Node, at: Location) -> None:
        self._repeats += id(node) in self._seen
        self._seen.add(id(node))
        if len(at) > MAX_DEPTH or self._repeats > MAX_REPEATS:
            too_deep = len(at) > MAX_DEPTH
            expected = f"at most {MAX_DEPTH} levels" if too_deep else f"at most {MAX_REPEATS} nodes from aliases"
            raise ConfigError([Fault(self._path, key_text(at)[:80], expected, node.start_mark.line + 1)])
