"""Redaction: what of an address may stand in a log or an error."""

from __future__ import annotations

import re

MAX_SHOWN = 1000
_QUERY = re.compile(r"([a-z][a-z0-9+.-]{0,30}://[^\s?#'\"<>]*)[?#][^\s'\"<>)]*", re.IGNORECASE)
_USER = re.compile(r"([a-z][a-z0-9+.-]{0,30}://)[^\s/?#'\"]*@", re.IGNORECASE)


def shown(text: str) -> str:
    """``text`` as it may stand in a log: its addresses without the query, which may be a token, and without a user.

    Of a long one only the first thousand characters: these patterns take their time over what is made to hold them up.
    """
    return _USER.sub(r"\1", _QUERY.sub(r"\1?…", text[:MAX_SHOWN]))


def printable(text: str) -> str:
    """``text`` with U+FFFD for what can't be printed or written: controls, and surrogates.

    aiohttp gives a header's bytes that are no UTF-8 as surrogates, which no encoder takes.
    """
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)
