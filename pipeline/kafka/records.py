"""Reading records whose header keys are no UTF-8, which would stop a reader at them for ever.

Kafka says that a header's key is text, and no broker looks. kafka-python 3.0.12 raises where it is none, at every poll
again. Here such a key is read with ``?`` in the place of each byte that is not ASCII; key, value and the values of
headers stay as they are. What the message is worth is then decided as of any other.
"""

from __future__ import annotations

from typing import Any

import kafka.record.memory_records
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import decode_varint

_UNREADABLE = ord("?")
_ASCII = 0x80


def tolerate_header_keys() -> None:
    """From now on, in this process, kafka-python reads them. Repeatable."""
    # There is no option and no public hook; the version is pinned, and a test against a broker holds it.
    kafka.record.memory_records.DefaultRecordBatch = TolerantBatch


class TolerantBatch(DefaultRecordBatch):  # type: ignore[misc]  # kafka-python ships no types
    """A batch, whose checksum was held before, that is mended where a header's key can't be read."""

    __slots__ = ()

    def _read_msg(self, *args: Any) -> Any:
        try:
            return super()._read_msg(*args)
        except UnicodeDecodeError:
            mend_header_keys(self._buffer, self._pos)  # the position moves only once a record is read
            return super()._read_msg(*args)


def mend_header_keys(buffer: bytearray, at: int) -> None:
    """Replace, in place, what is not ASCII in those header keys of the record at ``at`` that are no UTF-8."""
    for _ in range(4):  # length, attributes, time, offset
        _, at = decode_varint(buffer, at)
    for _ in range(2):  # key, value
        at = _past(buffer, at)
    count, at = decode_varint(buffer, at)
    for _ in range(count):
        length, at = decode_varint(buffer, at)
        buffer[at : at + length] = _mended(bytes(buffer[at : at + length]))
        at = _past(buffer, at + length)


def _past(buffer: bytearray, at: int) -> int:
    """Behind the bytes at ``at``, which may be null."""
    length, at = decode_varint(buffer, at)
    return int(at + max(0, length))


def _mended(key: bytes) -> bytes:
    try:
        key.decode()
    except UnicodeDecodeError:
        return bytes(byte if byte < _ASCII else _UNREADABLE for byte in key)
    return key
