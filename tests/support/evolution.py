"""Comparing two JSON Schemas: what the one allows that the other refuses. Of the keywords that our schemas use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
NOTES = {"title", "description", "default", "$schema", "$defs"}
KNOWN = NOTES | {
    "type",
    "properties",
    "required",
    "enum",
    "const",
    "anyOf",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "additionalProperties",
    "format",
}


def refused(old: Schema, new: Schema) -> list[str]:
    """What ``old`` allows and ``new`` refuses, a line for each; empty if a reader of ``new`` takes all of ``old``.

    Raises:
        NotImplementedError: A schema uses a keyword that is not known here, so nothing can be said.
    """
    return list(_Comparison(old, new).compare(old, new, "$"))


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old.get("$defs", {}), new.get("$defs", {})

    def compare(self, old: Any, new: Any, path: str) -> Iterator[str]:
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if "anyOf" in old:
            for branch in old["anyOf"]:
                yield from self.compare(branch, new, path)
            return
        if "anyOf" in new:
            answers = [list(self.compare(old, branch, path)) for branch in new["anyOf"]]
            if all(answers):
                yield min(answers, key=len)[0]
            return
        yield from self._values(old, new, path)
        yield from self._object(old, new, path)
        yield from self._array(old, new, path)

    def _values(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        allowed, before = _enumerated(new), _enumerated(old)
        if allowed is not None:
            if before is None:
                yield f"{path}: only {allowed} are allowed now"
            elif dropped := [value for value in before if value not in allowed]:
                yield f"{path}: {dropped} are no longer allowed"
            return
        types, were = _types(new), _types(old)
        if types is not None and (were is None or not were <= types):
            yield f"{path}: was {sorted(were or {'anything'})}, is only {sorted(types)}"
        if new.get("format") not in {None, old.get("format")}:
            yield f"{path}: has to be a {new['format']} now"

    def _object(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        for name in new.get("required", ()):
            if name not in old.get("required", ()):
                yield f"{path}.{name}: is required now"
        before = old.get("properties", {})
        for name, schema in new.get("properties", {}).items():
            if name in before:
                yield from self.compare(before[name], schema, f"{path}.{name}")
        more, were = new.get("additionalProperties", True), old.get("additionalProperties", True)
        if more is not True:
            yield from self.compare(_as_schema(were), _as_schema(more), f"{path}.*")

    def _array(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        if new.get("minItems", 0) > old.get("minItems", 0):
            yield f"{path}: needs more items now"
        if new.get("maxItems", float("inf")) < old.get("maxItems", float("inf")):
            yield f"{path}: allows fewer items now"
        for number, schema in enumerate(new.get("prefixItems", ())):
            heads = old.get("prefixItems", ())
            before = heads[number] if number < len(heads) else old.get("items", True)
            yield from self.compare(_as_schema(before), schema, f"{path}[{number}]")
        if new.get("items", True) is not True and new.get("items") is not False:
            yield from self.compare(_as_schema(old.get("items", True)), _as_schema(new["items"]), f"{path}[]")


def _resolved(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/$defs/")]
    if unknown := schema.keys() - KNOWN:
        raise NotImplementedError(f"keywords {sorted(unknown)}")
    return schema


def _as_schema(value: Any) -> Schema:
    """A schema that may be written as true (anything) or false (nothing)."""
    if value is True:
        return {}
    return {"enum": []} if value is False else value


def _enumerated(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _types(schema: Schema) -> set[str] | None:
    """The types that are allowed; None for any. A number takes an integer."""
    found = schema.get("type")
    if found is None:
        values = _enumerated(schema)
        return None if values is None else {_type_of(value) for value in values}
    types = {found} if isinstance(found, str) else set(found)
    return types | {"integer"} if "number" in types else types


def _type_of(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    return names.get(type(value), json.dumps(value))
