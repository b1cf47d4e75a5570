"""What passes between extract, the fork server and its workers: msgpack, each in one message of a ``Connection``."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from pipeline.extraction.engine import Extraction

MAX_REPLY = 64 * 1024 * 1024
"""Largest answer: a hundred articles give some 100 KB."""
Reason = Literal["crash", "stalled", "memory", "too_large"]


class Start(msgspec.Struct, frozen=True):
    """The first message to the fork server.

    Attributes:
        settings: Values by name, without secrets; they win over the environment.
    """

    settings: dict[str, Any]


class Ready(msgspec.Struct, frozen=True):
    """The fork server's answer to it.

    Attributes:
        error: Why it can't work; empty where it can.
    """

    error: str = ""


class Order(msgspec.Struct, frozen=True):
    """How the articles of the message that follows are to be read.

    Attributes:
        seconds: How long that may take.
        fresh: Whether by a worker that has read nothing before.
    """

    seconds: float
    fresh: bool


class Found(msgspec.Struct, frozen=True, tag="found"):
    """What each article says, in order."""

    extractions: list[Extraction]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The articles gave nothing.

    Attributes:
        reason: The dead letter's label, should it come to that.
        why: In words.
        ended: Whether the worker ended by it, and another takes its place.
    """

    reason: Reason
    why: str
    ended: bool = True


class Unable(msgspec.Struct, frozen=True, tag="unable"):
    """No worker could be had: that is no fault of the articles."""

    why: str


Reply = Found | Failed | Unable
