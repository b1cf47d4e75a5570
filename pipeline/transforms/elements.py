"""Elements that stay within their fused stage, whole bundles at a time."""

from __future__ import annotations

import pickle
from typing import Any

import apache_beam as beam

from pipeline.kafka.message import Message


class Polled(list[Message]):
    """What one poll gave: one element, so that a bundle is worked on as a whole."""


class WithinStage(beam.coders.Coder):
    """Coder of an element that is never sent anywhere.

    Beam samples the sizes of elements, by encoding some of them: of a bundle of 10,000 messages that took 5 % of the
    time. The size is said to be 1.
    """

    def encode(self, value: Any) -> bytes:
        """As pickle has it, for the runner that would cut the stage in two after all."""
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)

    def decode(self, encoded: bytes) -> Any:
        """The element."""
        return pickle.loads(encoded)  # noqa: S301  of our own job, over a loopback connection or within the process

    def estimate_size(self, _value: Any) -> int:
        """No more than that there is one."""
        return 1

    def is_deterministic(self) -> bool:
        """Never a key."""
        return False


def stays_within(kind: type) -> None:
    """Have elements of a class coded so, wherever ``with_output_types`` names it."""
    beam.coders.registry.register_coder(kind, WithinStage)


stays_within(Polled)
