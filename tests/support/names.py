"""A resolver that a test writes itself: names that stand for loopback, or for something else at each look."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractResolver, ResolveResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Names(AbstractResolver):
    """``answers`` of a name are given one look after the other, the last one for ever; ``looks`` counts them."""

    def __init__(self, answers: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._answers = {name: list(given) for name, given in answers.items()}
        self.looks: dict[str, int] = {}

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002  # as it is called
    ) -> list[ResolveResult]:
        """The addresses of this look."""
        given = self._answers.get(host)
        if not given:
            raise OSError(None, "no such name")
        at = min(self.looks.get(host, 0), len(given) - 1)
        self.looks[host] = self.looks.get(host, 0) + 1
        return [
            ResolveResult(
                hostname=host, host=address, port=port, proto=0, flags=socket.AI_NUMERICHOST,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            )
            for address in given[at]
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing is open."""


def loopback(*names: str) -> Names:
    """Names that all are 127.0.0.1."""
    return Names({name: [["127.0.0.1"]] for name in names})
