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


class Outlet(beam.PTransform):
    """The end of a job: a shuffle to which its last DoFn, which gives nothing, gives nothing, and somebody to read it.

    While a stage without any output works, Prism 2.77 asks in a loop whether the output has come, and keeps half a core
    busy, all day: what stands for "all of it is here" is closed from the start. With an output it waits. Nothing ever
    is shuffled, and the steps before stay one fused stage.
    """

    def expand(self, nothing: beam.PCollection[None]) -> beam.PCollection[None]:
        """The same nothing, behind the shuffle."""
        return nothing | beam.Reshuffle() | beam.Map(lambda each: each)  # without a reader Prism drops the shuffle


def stays_within(kind: type) -> None:
    """Have elements of a class coded so, wherever ``with_output_types`` names it."""
    beam.coders.registry.register_coder(kind, WithinStage)


stays_within(Polled)
