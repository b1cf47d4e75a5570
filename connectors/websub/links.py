"""Link headers: what they point at, by relation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from connectors.links import absolute

MAX_HEADERS = 20
MAX_HEADER = 8_192
_TOKEN = r"[\w!#$%&'*+.^`|~-]++"  # noqa: S105  # RFC 9110's word for a name
_VALUE = r'(?:"((?:[^"\\]|\\.)*+)"|([^\s;,"]*+))'
_PARAMETER = re.compile(rf"\s*+;\s*+({_TOKEN})(?:\s*+=\s*+{_VALUE})?")
_TARGET = re.compile(r"<([^>]*+)>")
_ESCAPED = re.compile(r"\\(.)")


def targets(headers: Iterable[str], relation: str, base: str) -> tuple[str, ...]:
    """Absolute addresses that the Link headers of ``base`` name with ``relation``, in their order, each once.

    A link with an ``anchor`` speaks of another page, and is passed over. Source: RFC 8288, 3.
    """
    found: dict[str, None] = {}
    for header in list(headers)[:MAX_HEADERS]:
        for target, parameters in _links(header[:MAX_HEADER]):
            relations = parameters.get("rel", "").lower().split()
            if relation in relations and "anchor" not in parameters and (address := absolute(target, base)):
                found[address] = None
    return tuple(found)


def _links(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Target and parameters of each link; of a parameter that stands twice the first counts (RFC 8288, 3.3)."""
    at = 0
    while match := _TARGET.search(header, at):
        at = match.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(header, at):
            at = parameter.end()
            quoted, plain = parameter.group(2), parameter.group(3)
            value = _ESCAPED.sub(r"\1", quoted) if quoted is not None else plain or ""
            parameters.setdefault(parameter.group(1).lower(), value)
        yield match.group(1), parameters
