"""Endpoints of receivers: the addresses and keys that stand in the environment and in files, read and checked."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pydantic

from config.document import Document, load
from config.errors import ConfigError, Fault
from config.feeds import Address
from config.receivers import AnyReceiver, Webhook, check_receivers, safe_url

MAX_SECRET_BYTES = 16 * 1024
KEY_PREFIX = "whsec_"
KEY_BYTES = range(24, 65)
MAX_KEYS = 4
_ADDRESS: pydantic.TypeAdapter[str] = pydantic.TypeAdapter(Address)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a receiver is reached.

    Attributes:
        url: The address; never shown.
        is_secret: Whether the address must not be guessed from what is shown, such as an answer that repeats it.
        keys: Keys to sign with, the current one first; several while a key is being replaced.
    """

    url: str = field(repr=False)
    is_secret: bool = False
    keys: tuple[bytes, ...] = field(default=(), repr=False)


def load_endpoints(path: Path, names: Collection[str] | None = None) -> tuple[tuple[AnyReceiver, Endpoint], ...]:
    """The receivers of ``path``, each with where it is reached.

    Args:
        path: The file.
        names: Of these receivers only; nobody needs the secrets of others. None: of all.

    Raises:
        ConfigError: With every fault and its line; a secret's text never stands in it.
    """
    document = load(path)
    faults: list[Fault] = []
    ready = []
    for index, receiver in enumerate(check_receivers(document)):
        if names is not None and receiver.name not in names:
            continue
        url = _attempt(faults, document, index, receiver, "url", _url_of)
        keys = _attempt(faults, document, index, receiver, "secret", _keys_of)
        if url is not None and keys is not None:
            is_secret = getattr(receiver, "url", None) is None
            ready.append((receiver, Endpoint(url, is_secret, keys)))
    if faults:
        raise ConfigError(faults)
    return tuple(ready)


def _attempt(
    faults: list[Fault],
    document: Document,
    index: int,
    receiver: AnyReceiver,
    what: str,
    read: Callable[[AnyReceiver], _T],
) -> _T | None:
    """What ``read`` gives, or None and a fault at the key that says where it stands."""
    try:
        return read(receiver)
    except pydantic.ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
    except ValueError as error:
        why = str(error)
    keys = (key for key in (f"{what}_env", f"{what}_file") if getattr(receiver, key, None) is not None)
    faults.append(document.fault(("receivers", index, next(keys, what)), why))
    return None


def _url_of(receiver: AnyReceiver) -> str:
    """The address.

    Raises:
        ValueError: It can't be read, or is none.
    """
    if (plain := getattr(receiver, "url", None)) is not None:
        return str(plain)
    text = _read(receiver.url_env, receiver.url_file)
    return safe_url(_ADDRESS.validate_python(text), allow_http=receiver.allow_http)


def _keys_of(receiver: AnyReceiver) -> tuple[bytes, ...]:
    """The keys of a webhook; none for the others.

    Raises:
        ValueError: They can't be read, or are none.
    """
    if not isinstance(receiver, Webhook):
        return ()
    words = _read(receiver.secret_env, receiver.secret_file).split()
    if not 1 <= len(words) <= MAX_KEYS:
        raise ValueError(f"one key, or up to {MAX_KEYS} with blanks between them while one is replaced")
    return tuple(_key(word) for word in words)


def _key(word: str) -> bytes:
    """A key as Standard Webhooks writes it: ``whsec_`` and base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(word.removeprefix(KEY_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not word.startswith(KEY_PREFIX) or len(key) not in KEY_BYTES:
        raise ValueError(f"a key: {KEY_PREFIX} and the base64 of {KEY_BYTES.start} to {KEY_BYTES.stop - 1} bytes")
    return key


def _read(variable: str | None, file: Path | None) -> str:
    """The text of the variable or the file, without blanks around it."""
    if variable is not None:
        text = os.environ.get(variable, "")
    elif file is not None:
        text = _read_file(file)
    else:
        text = ""
    if not text.strip():
        raise ValueError(f"a secret in {variable or file}, which is empty or not set")
    return text.strip()


def _read_file(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_SECRET_BYTES + 1)
        if len(raw) > MAX_SECRET_BYTES:
            raise ValueError(f"a file of at most {MAX_SECRET_BYTES} bytes")
        return raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8"
        raise ValueError(f"a readable file ({why})") from None
