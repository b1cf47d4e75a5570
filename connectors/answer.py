"""Answer: what a server's response comes to, as a record; and what an exchange that failed does."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import aiohttp

from config.redaction import printable, shown
from config.retry_after import retry_after
from connectors import metrics
from connectors.addresses import REFUSAL
from connectors.credentials import AccessError
from connectors.decoding import Body, BodyError, TooLargeError, TruncatedError
from connectors.freshness import fresh_s
from connectors.hand import SMALL
from connectors.metrics import Kind
from connectors.outcome import Outcome, of_status

MAX_VALIDATOR = 1024
MAX_LINKS = 20
MAX_LINK = 2048
_CHUNK = 64 * 1024
_SLICE = 512
"""Of a packed body, which may grow a thousandfold, so much is unpacked at once while it is small."""
_NOT_MODIFIED = 304
Grow = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Validators:
    """What the server gave to recognise an unchanged feed by; sent back byte for byte."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """How a GET ended.

    Attributes:
        outcome: The ending; ``ok`` says only that a body came, not that it is a feed.
        status: HTTP status of the last hop; None where there was no answer.
        body: The unpacked body; empty unless the outcome is ``ok``.
        validators: Of the answer, where the outcome is ``ok``.
        final_url: Where the body came from, after redirects.
        content_type: The Content-Type header.
        retry_after_s: Seconds for which the server asks to be left alone; 0 where it does not say.
        fresh_s: Seconds for which the answer counts as fresh (Cache-Control, Expires); 0 where it does not say.
        permanent_url: Where permanent redirects (301, 308) have led before any other; empty where the first was
            another, or the answer was no success.
        links: The Link headers, as they came.
        error: What went wrong, for people; empty where nothing did.
        seconds: How long it took.
    """

    outcome: Outcome
    status: int | None = None
    body: bytes = b""
    validators: Validators = Validators()
    final_url: str = ""
    content_type: str = ""
    retry_after_s: float = 0.0
    fresh_s: float = 0.0
    permanent_url: str = ""
    links: tuple[str, ...] = ()
    error: str = ""
    seconds: float = 0.0


async def read(
    response: aiohttp.ClientResponse, asked: Validators, limit: int, kind: Kind, grow: Grow = nullcontext
) -> Fetched:
    """What a response that is no redirect comes to.

    Args:
        response: Its head has come.
        asked: What the request asked to compare with.
        limit: Bytes of the body, unpacked.
        kind: As what it counts.
        grow: Is entered while a body is large: only a few at once may be.
    """
    fetched = _by_status(response, compared=asked != Validators())
    if fetched.outcome is not Outcome.OK:
        return fetched
    try:
        body = await _read_body(response, limit, kind, grow)
    except TooLargeError as error:
        return replace(fetched, outcome=Outcome.TOO_LARGE, error=printable(str(error)))
    except (TruncatedError, aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, ConnectionError) as error:
        return replace(fetched, outcome=Outcome.TRUNCATED, error=_said(error))
    except BodyError as error:
        return replace(fetched, outcome=Outcome.BAD_RESPONSE, error=printable(str(error)))
    if not body.strip(b" \t\r\n\0"):
        return replace(fetched, outcome=Outcome.EMPTY, error="the body is empty")
    return replace(fetched, body=body, validators=_validators(response))


def _by_status(response: aiohttp.ClientResponse, *, compared: bool) -> Fetched:
    """What status and headers tell; ``compared``: whether something was asked to compare with."""
    fetched = _without_body(response)
    if response.status == _NOT_MODIFIED and not compared:
        why = "HTTP 304, though nothing was asked to compare with"
        return replace(fetched, outcome=Outcome.BAD_RESPONSE, error=why)
    return fetched if fetched.outcome.success else replace(fetched, error=f"HTTP {response.status}")


def _without_body(response: aiohttp.ClientResponse) -> Fetched:
    now = datetime.now(UTC)
    links = response.headers.getall("Link", [])[:MAX_LINKS]
    return Fetched(
        of_status(response.status),
        status=response.status,
        final_url=str(response.url),
        content_type=printable(response.headers.get("Content-Type", "")[:200]),
        retry_after_s=retry_after(response.headers.get("Retry-After", ""), now),
        fresh_s=fresh_s(response.headers, now),
        links=tuple(link for link in links if len(link) <= MAX_LINK and link.isprintable()),
    )


async def _read_body(response: aiohttp.ClientResponse, limit: int, kind: Kind, grow: Grow) -> bytes:
    encoding = response.headers.get("Content-Encoding", "")
    body = Body(encoding, limit)
    received = metrics.FETCHED_BYTES.labels(kind.value)
    large = False
    async with AsyncExitStack() as stack:
        async for chunk in response.content.iter_chunked(_CHUNK):
            received.inc(len(chunk))
            at = 0
            while at < len(chunk):
                step = _SLICE if encoding and not large else _CHUNK
                body.feed(chunk[at : at + step])
                at += step
                if body.size > SMALL and not large:
                    await stack.enter_async_context(grow())
                    large = True
        return body.finish()


def _validators(response: aiohttp.ClientResponse) -> Validators:
    return Validators(_echoable(response.headers.get("ETag", "")), _echoable(response.headers.get("Last-Modified", "")))


def _echoable(value: str) -> str:
    """``value`` as it can be sent back unchanged, else nothing: a changed validator is worse than none."""
    try:
        fits = len(value.encode()) <= MAX_VALIDATOR
    except UnicodeEncodeError:  # bytes that are no UTF-8 come as surrogates, which can't be written again
        return ""
    return value if fits and value.isprintable() else ""


# In this order: a later class is a parent of an earlier one.
_ENDINGS: tuple[tuple[type[BaseException], Outcome], ...] = (
    (TimeoutError, Outcome.TIMEOUT),
    (AccessError, Outcome.NO_ACCESS),
    (aiohttp.InvalidURL, Outcome.BAD_URL),
    (aiohttp.ClientConnectorDNSError, Outcome.DNS_ERROR),
    (aiohttp.ClientSSLError, Outcome.TLS_ERROR),
    (ssl.SSLError, Outcome.TLS_ERROR),
    (aiohttp.ClientPayloadError, Outcome.TRUNCATED),
    (aiohttp.ClientResponseError, Outcome.BAD_RESPONSE),
    (aiohttp.ClientConnectionError, Outcome.CONNECT_ERROR),
    (OSError, Outcome.CONNECT_ERROR),
)


def failed(error: Exception) -> Fetched:
    """What an exchange that ended in ``error`` comes to."""
    if isinstance(error, OSError) and REFUSAL in str(error):
        inner = getattr(error, "os_error", error)  # where the socket itself was refused, aiohttp says more around it
        return Fetched(Outcome.BLOCKED, error=printable(shown(inner.strerror or str(inner)))[:300])
    if isinstance(error, aiohttp.ClientHttpProxyError):
        outcome = of_status(error.status)
        outcome = outcome if outcome is Outcome.REFUSED else Outcome.CONNECT_ERROR
        return Fetched(outcome, error=f"the proxy answered HTTP {error.status}")
    for kind, outcome in _ENDINGS:
        if isinstance(error, kind):
            return Fetched(outcome, error=_said(error))
    return Fetched(Outcome.BAD_RESPONSE, error=_said(error))


def _said(error: BaseException) -> str:
    return printable(shown(f"{type(error).__name__}: {error}"))[:300].rstrip(": ")
