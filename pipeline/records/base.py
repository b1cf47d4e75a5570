"""The base of every record."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with its zone; written in UTC. A time without a zone is refused."""

SCHEMA_VERSION = 1


class Part(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A frozen value inside a record.

    Records are trees: the garbage collector, which looks for cycles, would search some millions of them for nothing.
    """


class Record(Part, frozen=True, kw_only=True):
    """A frozen value that is a message of its own.

    Attributes:
        schema_version: Version of the message's schema; a reader refuses one it does not know.
    """

    schema_version: int = SCHEMA_VERSION
