"""Redriven: which dead letters were sent again; it stands on their own topic, behind them."""

from __future__ import annotations

from pipeline.records.base import Record, Time


class Redriven(Record, frozen=True, kw_only=True):
    """Dead letters that were sent again, all in the Kafka transaction that this message is of.

    It has the header ``brinkwatch.redriven`` and no key, and stands in the partition of its letters.

    Attributes:
        at: When (UTC).
        offsets: Of the dead letters, in this partition, all before this message.
    """

    at: Time
    offsets: tuple[int, ...]
