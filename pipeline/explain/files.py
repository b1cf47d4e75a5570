"""Files: writing one whole or not at all."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from config.errors import BrinkwatchError

_UMASKED = 0o666


@contextmanager
def whole(path: Path) -> Iterator[TextIO]:
    """A file that takes its place at ``path`` only when everything is written; until then what was there stays.

    Raises:
        BrinkwatchError: It can't be written there.
    """
    with whole_bytes(path) as sink:
        # Text from outside may hold half a surrogate pair: it spoils its character, not the file.
        text = io.TextIOWrapper(sink, encoding="utf-8", errors="replace")
        yield text
        text.flush()
        text.detach()


@contextmanager
def whole_bytes(path: Path) -> Iterator[BinaryIO]:
    """The same for bytes.

    Raises:
        BrinkwatchError: It can't be written there.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    except OSError as error:
        raise BrinkwatchError(f"writing failed: {path}: {error.strerror}") from None
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        made.chmod(_UMASKED & ~_umask())
        made.replace(path)
    except OSError as error:
        raise BrinkwatchError(f"writing failed: {path}: {error.strerror}") from None
    finally:
        with suppress(FileNotFoundError):
            made.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
