"""Records to bytes and back: JSON, decoded strictly. Unknown fields are ignored; whatever else is off is refused."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from config.errors import BrinkwatchError
from pipeline.records.base import SCHEMA_VERSION, Record

MAX_BYTES = 2 * 1024 * 1024
"""Largest message that is decoded: an article of 2 MiB is no article."""

R = TypeVar("R", bound=Record)


class DecodeError(BrinkwatchError):
    """A message that is no valid record.

    Attributes:
        reason: One of ``too_large``, ``not_json``, ``version``, ``schema``: the dead letter's label.
    """

    def __init__(self, reason: str, why: str) -> None:
        self.reason = reason
        super().__init__(f"decoding failed: {reason}: {why}")


class _Versioned(msgspec.Struct):
    schema_version: int


_SAID = b'"schema_version":'
_encoder = msgspec.json.Encoder(order="deterministic")
_version = msgspec.json.Decoder(_Versioned)
_decoders: dict[type, msgspec.json.Decoder[Record]] = {}


def encode(record: Record) -> bytes:
    """The record as JSON (UTF-8, keys in a fixed order: equal records give equal bytes)."""
    return _encoder.encode(record)


def decode(raw: bytes | None, kind: type[R]) -> R:
    """The record that ``raw`` holds.

    Raises:
        DecodeError: Too large, no JSON, an unknown schema version, or not of the schema.
    """
    if raw is None:
        raise DecodeError("not_json", "the message has no value")
    if len(raw) > MAX_BYTES:
        raise DecodeError("too_large", f"{len(raw)} bytes, at most {MAX_BYTES}")
    decoder = _decoders.get(kind) or _decoders.setdefault(kind, msgspec.json.Decoder(kind))
    try:
        record = decoder.decode(raw)
        # A message that does not say its version has none, though our records have one by default.
        _check_version(record.schema_version if _SAID in raw else _version_of(raw))
    except msgspec.ValidationError as error:
        _check_version(_version_of(raw))  # of another version it may well be of another shape
        raise DecodeError("schema", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError("not_json", str(error)) from None
    return record  # type: ignore[return-value]  # the decoder of ``kind`` gives ``kind``


def _check_version(version: int) -> None:
    if version != SCHEMA_VERSION:
        raise DecodeError("version", f"schema_version {version}, this reader knows {SCHEMA_VERSION}")


def _version_of(raw: bytes) -> int:
    """What a message says that is not of today's schema.

    Raises:
        DecodeError: It says none, or nothing that can be read.
    """
    try:
        return _version.decode(raw).schema_version
    except msgspec.ValidationError as error:
        raise DecodeError("schema", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError("not_json", str(error)) from None
