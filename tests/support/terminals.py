"""A command in a terminal of a given size: what it draws there, and keys for it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STEERING = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*\x07|\x1b[^\[\]]")


class Terminal:
    """A pseudo-terminal with a command in it; a context that ends the command.

    Args:
        command: What to run.
        environment: All of its environment.
        columns, lines: Size.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], columns: int = 80, lines: int = 24
    ) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.raw = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._ours, keys.encode())

    def until(self, text: str, seconds: float = 60.0) -> str:
        """Wait until ``text`` is drawn; all that was drawn since the last call."""
        deadline, drawn = time.monotonic() + seconds, b""
        while text not in _plain(drawn):
            if time.monotonic() > deadline or not self._more():
                raise AssertionError(f"{text!r} was not drawn: {_plain(drawn)[-3000:]}")
            drawn, self.raw = drawn + self.raw, b""
        return _plain(drawn)

    def ended(self, seconds: float = 30.0) -> int:
        """The exit code; what is still drawn is read meanwhile, so that it can end."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self._more()
        return self.process.wait(timeout=1)

    def _more(self) -> bool:
        """Read what is there, waiting for it a little; False at the end."""
        if not select.select([self._ours], [], [], 0.2)[0]:
            return True
        try:
            part = os.read(self._ours, 65536)
        except OSError:
            return False
        self.raw += part
        return bool(part)


def _plain(drawn: bytes) -> str:
    return _STEERING.sub(b"", drawn).decode(errors="replace")
