"""Rivals: pairs of actors between whom a meeting is news of calming, from ``rivals.yaml``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from config.document import Document, load
from config.errors import ConfigError, Fault


@dataclass(frozen=True, slots=True)
class Rivals:
    """Unordered pairs of codes."""

    pairs: frozenset[frozenset[str]] = frozenset()

    def among(self, codes: Iterable[str]) -> bool:
        """Whether any two of ``codes`` are rivals."""
        return any(frozenset(pair) in self.pairs for pair in combinations(dict.fromkeys(codes), 2))


def load_rivals(path: Path, known: Collection[str]) -> Rivals:
    """Read ``rivals.yaml``.

    Args:
        path: The file.
        known: Codes that the gazetteer has.

    Raises:
        ConfigError: With every fault and its line.
    """
    document = load(path)
    if not isinstance(document.data, dict):
        raise ConfigError([document.fault((), "a mapping from an actor's code to those of its rivals")])
    faults = list(_faults(document, document.data, known))
    if faults:
        raise ConfigError(faults)
    pairs = (frozenset((code, other)) for code, others in document.data.items() for other in others)
    return Rivals(frozenset(pairs))


def _faults(document: Document, data: dict[object, object], known: Collection[str]) -> Iterable[Fault]:
    for code, others in data.items():
        if code not in known:
            yield document.fault((str(code),), f"the code of an actor in the gazetteer (found {code!r})")
        if not isinstance(others, list):
            yield document.fault((str(code),), f"a list of codes (found {others!r})")
            continue
        for place, other in enumerate(others):
            if other not in known:
                yield document.fault((str(code), place), f"the code of an actor in the gazetteer (found {other!r})")
            elif other == code:
                yield document.fault((str(code), place), "another actor than itself")
