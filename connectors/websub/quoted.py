"""Quoted: what a hub says, as it may stand in a log. A hub may quote what it was sent, our secret with it."""

from __future__ import annotations

import re

from config.redaction import MAX_SHOWN, shown
from connectors.plaintext import one_line

MAX_QUOTED = 200
_LEAST = 8
"""Characters of a secret that are known for its beginning: what is quoted may break off."""
_HIDDEN = "…"


def quoted(text: str, *secrets: str) -> str:
    """``text`` as one line of at most 200 characters, in which none of ``secrets`` is to be read.

    They are hidden also where they are percent-encoded, in other capitals, or broken off; then it is cut.
    """
    said = one_line(text, MAX_SHOWN)
    for secret in secrets:
        if len(secret) >= _LEAST:
            said = _pattern(secret).sub(_HIDDEN, said)
    return shown(said)[:MAX_QUOTED].rstrip()


def _pattern(secret: str) -> re.Pattern[str]:
    """What finds ``secret``, and as much of its beginning as is there."""
    each = [f"(?:{re.escape(one)}|%(?:25){{0,3}}{ord(one):02x})" for one in secret]
    rest = ""
    for one in reversed(each[_LEAST:]):
        rest = f"(?: ?{one}{rest})?"
    return re.compile(" ?".join(each[:_LEAST]) + rest, re.IGNORECASE)
