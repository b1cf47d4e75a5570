"""Credentials: what an access block has to be sent with, read from its files anew for each use."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from pathlib import Path

from config.ways import Way, read

MAX_HEADERS = 20
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}):[ \t]*([\x20-\x7e]{0,4000})")
# What says where a message ends, or is the fetcher's own to say.
_OURS = frozenset(
    {
        "connection", "content-length", "cookie2", "expect", "host", "if-modified-since", "if-none-match",
        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip


class AccessError(Exception):
    """An access block that can't be used. Its text names block and file, and quotes nothing of what is in it."""


def headers(way: Way) -> dict[str, str]:
    """The headers that the origin of a feed is sent, and no other.

    Raises:
        AccessError: A file can't be read, or does not hold what it should.
    """
    found: dict[str, str] = {}
    if way.header_file is not None:
        found.update(_header_lines(way, way.header_file))
    if way.password_file is not None:
        found["Authorization"] = basic(way.username, _secret(way, "password_file", way.password_file))
    if way.bearer_file is not None:
        found["Authorization"] = f"Bearer {_secret(way, 'bearer_file', way.bearer_file)}"
    return found


def proxy_headers(way: Way) -> dict[str, str]:
    """The headers that the block's proxy is sent.

    Raises:
        AccessError: As above.
    """
    if way.proxy_password_file is None:
        return {}
    password = _secret(way, "proxy_password_file", way.proxy_password_file)
    return {"Proxy-Authorization": basic(way.proxy_username, password)}


def tls(way: Way) -> ssl.SSLContext | None:
    """What TLS is spoken with; None where the block says nothing of it.

    Raises:
        AccessError: A certificate or key can't be read.
    """
    if way.certfile is None and way.cafile is None:
        return None
    try:
        context = ssl.create_default_context(cafile=way.cafile)
        if way.certfile is not None:
            context.load_cert_chain(way.certfile, way.keyfile, password=_no_password)
    except (OSError, ValueError) as error:  # an SSLError is an OSError, and says nothing of what is in the file
        files = ", ".join(str(path) for path in (way.certfile, way.keyfile, way.cafile) if path is not None)
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or "it is no PEM without a password"
        raise AccessError(f"access {way.name}: {files}: {why}") from None
    return context


def stamps(way: Way) -> tuple[tuple[int, int, int], ...]:
    """What changes when a certificate's file does: a new one counts from the next fetch."""
    found = []
    for path in (way.certfile, way.keyfile, way.cafile):
        try:
            known = path.stat() if path is not None else None
        except OSError:
            known = None
        found.append((known.st_mtime_ns, known.st_size, known.st_ino) if known else (0, 0, 0))
    return tuple(found)


def basic(username: str, password: str) -> str:
    """Basic authentication (RFC 7617), in UTF-8."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii")


def _secret(way: Way, key: str, path: Path) -> str:
    text = _text(way, key, path).rstrip("\r\n")
    if not text or any(character < " " or character == "\x7f" for character in text):
        raise AccessError(f"access {way.name}: {key} {path}: not one line of text")
    if key == "bearer_file" and not text.isascii():
        raise AccessError(f"access {way.name}: {key} {path}: a token is ASCII")
    return text


def _header_lines(way: Way, path: Path) -> dict[str, str]:
    lines = [line for line in _text(way, "header_file", path).splitlines() if line.strip()]
    found = {}
    for number, line in enumerate(lines, 1):
        match = _HEADER.fullmatch(line)
        if match is None or match[1].lower() in _OURS or number > MAX_HEADERS:
            raise AccessError(
                f"access {way.name}: header_file {path}: line {number}: not `Name: value` of a header that may be given"
            )
        found[match[1]] = match[2]
    return found


def _text(way: Way, key: str, path: Path) -> str:
    try:
        return read(path).decode()
    except OSError as error:
        raise AccessError(f"access {way.name}: {key} {path}: {error.strerror}") from None
    except UnicodeDecodeError:  # its own text holds bytes of the secret
        raise AccessError(f"access {way.name}: {key} {path}: it is no UTF-8") from None


def _no_password() -> str:
    """Else OpenSSL would ask for one at the terminal, and wait."""
    return ""
