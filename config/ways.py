"""Ways: the blocks of ``access:`` in ``feeds.yaml``, which say how the servers of some feeds are reached."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import pydantic

from config.document import Document, Strict
from config.errors import Fault
from config.networks import MAX_NETWORKS, Networks, network

MAX_FILE = 64 * 1024
DIRECT = "direct"
SECRET_FILES = ("password_file", "bearer_file", "header_file", "proxy_password_file")
FILES = (*SECRET_FILES, "certfile", "keyfile", "cafile")
_PROXY = re.compile(r"http://(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]):[0-9]{1,5}/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Way:
    """How the servers of a feed are reached. It names files and holds no secret, so it may stand in logs.

    Attributes:
        name: The block's name.
        username: User for basic authentication, together with ``password_file``.
        password_file: The file that holds the password.
        bearer_file: A file that holds a token, sent as ``Authorization: Bearer``.
        header_file: A file of ``Name: value`` lines, each sent as a header.
        proxy: ``http://host:port`` of a proxy; ``direct`` for none, empty for the setting's.
        proxy_username: User at the proxy, together with ``proxy_password_file``.
        proxy_password_file: The file that holds that password.
        certfile: Our certificate with its chain (PEM), where the server asks for one.
        keyfile: Its private key, where that is not in the same file.
        cafile: The CAs that the server is checked against, instead of the system's.
        allow: Networks beside the public ones in which the feed's own host may be.
    """

    name: str
    username: str = ""
    password_file: Path | None = None
    bearer_file: Path | None = None
    header_file: Path | None = None
    proxy: str = ""
    proxy_username: str = ""
    proxy_password_file: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    cafile: Path | None = None
    allow: Networks = ()


def proxy_address(value: str) -> str:
    """``value`` as the address of a proxy; may be empty.

    Raises:
        ValueError: It is something else, or has a user or a password in it.
    """
    if value and not _PROXY.fullmatch(value):
        raise ValueError("http://host:port of a proxy, without user and password")
    return value


def _own_proxy(value: str) -> str:
    return value if value == DIRECT else proxy_address(value)


def _within(value: tuple[str, ...]) -> tuple[str, ...]:
    for text in value:
        network(text)
    return value


UserName = Annotated[str, pydantic.Field(pattern=r"^[^:\x00-\x1f\x7f]{0,200}$")]


class WayEntry(Strict):
    """One block of ``access:`` as it stands in the file."""

    username: UserName = ""
    password_file: Path | None = None
    bearer_file: Path | None = None
    header_file: Path | None = None
    proxy: Annotated[str, pydantic.AfterValidator(_own_proxy)] = ""
    proxy_username: UserName = ""
    proxy_password_file: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    cafile: Path | None = None
    allow: Annotated[tuple[str, ...], pydantic.Field(max_length=MAX_NETWORKS), pydantic.AfterValidator(_within)] = ()

    @pydantic.model_validator(mode="after")
    def _together(self) -> Self:
        """What is only of use together."""
        if bool(self.username) != (self.password_file is not None):
            raise ValueError("username and password_file together")
        if self.password_file is not None and self.bearer_file is not None:
            raise ValueError("password_file or bearer_file, not both")
        if bool(self.proxy_username) != (self.proxy_password_file is not None):
            raise ValueError("proxy_username and proxy_password_file together")
        if self.proxy_password_file is not None and self.proxy in {"", DIRECT}:
            raise ValueError("a proxy, where there is a password for it")
        if self.keyfile is not None and self.certfile is None:
            raise ValueError("a certfile, where there is a keyfile")
        return self


def way(name: str, entry: WayEntry, folder: Path) -> Way:
    """The block ``name``; its files count from ``folder``, where they are not absolute."""
    files = {key: folder / value for key in FILES if (value := getattr(entry, key)) is not None}
    return Way(
        name=name,
        username=entry.username,
        proxy=entry.proxy.rstrip("/"),
        proxy_username=entry.proxy_username,
        allow=tuple(network(text) for text in entry.allow),
        **files,
    )


def unreadable(document: Document, ways: Mapping[str, Way]) -> Iterator[Fault]:
    """A fault for each file of a block that can't be read."""
    for name, block in ways.items():
        for key in FILES:
            path: Path | None = getattr(block, key)
            if path is None:
                continue
            try:
                read(path)
            except OSError as error:
                yield document.fault(("access", name, key), f"a readable file ({path}: {error.strerror})")


def read(path: Path) -> bytes:
    """The file of a secret or a certificate, of which nothing is kept.

    Raises:
        OSError: It can't be read, or is larger than such a file can be.
    """
    with path.open("rb") as file:
        raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise OSError(0, f"larger than {MAX_FILE} bytes", str(path))
    return raw
