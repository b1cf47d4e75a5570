"""Redaction: what of an address may stand in a log or an error."""

from __future__ import annotations

import re

MAX_SHOWN = 1000
_SCHEME = r"([a-z][a-z0-9+.-]{0,30}://)"
# An address ends at a blank only: quotes and brackets may be its own. Those at its very end are the text's around it.
_REST = r"""\S*?(?=[])}>'",;:.]*(?:\s|$))"""
_QUERY = re.compile(rf"{_SCHEME}([^\s?#]*)[?#]{_REST}", re.IGNORECASE)
_PARAMETER = re.compile(rf"([?&#][\w.~%\[\]-]{{1,100}}=)(?!…){_REST}", re.IGNORECASE)
"""What is a query though no address is before it: without a scheme, or behind a blank that stands in the address."""
# Where what is before the first slash can't be a host with a port, all up to the last @ is a password with a slash.
_USER = re.compile(rf"{_SCHEME}(?:[^\s/?#:@\[]*:(?!\d{{1,5}}(?:[/?#\s]|$))\S*@|[^\s/?#]*@)", re.IGNORECASE)
_CUT = re.compile(rf"{_SCHEME}[^\s/?#]*$", re.IGNORECASE)


def shown(text: str) -> str:
    """``text`` as it may stand in a log: its addresses without the query, which may be a token, and without a user.

    Of a long one only the first thousand characters: these patterns take their time over what is made to hold them up.
    """
    if len(text) > MAX_SHOWN:
        text = _CUT.sub(r"\1", text[:MAX_SHOWN])  # what is cut off may have been the end of a password
    text = _QUERY.sub(r"\1\2?…", _USER.sub(r"\1", text))
    return _PARAMETER.sub(r"\1…", text)


def printable(text: str) -> str:
    """``text`` with U+FFFD for what can't be printed or written: controls, and surrogates.

    aiohttp gives a header's bytes that are no UTF-8 as surrogates, which no encoder takes.
    """
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)
