"""Inflater: a compressed body unpacked piece by piece, never past a limit."""

from __future__ import annotations

import zlib

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS


class BodyError(Exception):
    """A body that can't be unpacked."""


class TooLargeError(BodyError):
    """A body over the limit."""


class TruncatedError(BodyError):
    """A compressed body that ends in the middle."""


class Body:
    """Collects a response body, unpacking it as it comes.

    A few kilobytes of gzip may stand for gigabytes, so the size is counted after unpacking and the unpacker is never
    asked for more than what is still allowed.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        """Collect at most ``limit`` bytes of a body in ``encoding`` (Content-Encoding: identity, gzip or deflate).

        Raises:
            BodyError: Another encoding: none was asked for.
        """
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._wire_size = 0
        self._first = True
        name = encoding.strip().lower()
        if name in {"", "identity"}:
            self._inflater = None
        elif name in {"gzip", "x-gzip"}:
            self._inflater = zlib.decompressobj(_GZIP)
        elif name == "deflate":
            self._inflater = zlib.decompressobj(_ZLIB)
        else:
            raise BodyError(f"Content-Encoding {name[:40]!r} was not asked for")
        self._deflate = name == "deflate"

    @property
    def size(self) -> int:
        """Bytes so far, unpacked."""
        return self._size

    def feed(self, data: bytes) -> None:
        """Add a piece as it came from the wire.

        Raises:
            TooLargeError: The body is over the limit.
            BodyError: The piece is not in the announced encoding.
        """
        self._wire_size += len(data)
        if self._wire_size > self._limit:  # thousands of empty gzip members unpack to nothing
            raise TooLargeError(f"more than {self._limit} bytes")
        if self._inflater is None:
            self._keep(data)
            return
        try:
            self._inflate(data)
        except zlib.error as error:
            raise BodyError(f"unpacking failed: {error}") from None

    def finish(self) -> bytes:
        """The body.

        Raises:
            TruncatedError: The compressed stream has no end.
        """
        if self._inflater is not None and not self._first and not self._inflater.eof:
            raise TruncatedError("the compressed body ends in the middle")
        return b"".join(self._parts)

    def _inflate(self, data: bytes) -> None:
        if self._first and data:
            self._first = False
            if self._deflate and not _has_zlib_header(data):
                # RFC 9110 8.4.1.2: some servers send deflate without the zlib wrapper.
                self._inflater = zlib.decompressobj(_RAW_DEFLATE)
        while data and self._inflater is not None:
            if self._inflater.eof:
                if self._deflate or not data.startswith(b"\x1f"):
                    return  # padding after the end, which gzip(1) ignores too
                self._inflater = zlib.decompressobj(_GZIP)  # RFC 1952 2.2: members may follow one another
            self._keep(self._inflater.decompress(data, self._limit - self._size + 1))
            data = self._inflater.unconsumed_tail or self._inflater.unused_data

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit:
            raise TooLargeError(f"more than {self._limit} bytes")
        self._parts.append(data)


def _has_zlib_header(data: bytes) -> bool:
    """RFC 1950 2.2: method 8 in the low half of the first byte, and the first two a multiple of 31."""
    return data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] << 8 | data[1]) % 31 == 0)  # noqa: PLR2004  # RFC 1950
