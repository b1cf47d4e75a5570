"""Surprise: an exception that nobody foresaw, as the ending of the one poll that met it."""

from __future__ import annotations

import errno
import logging

from config.errors import BrinkwatchError
from config.feeds import Feed
from config.redaction import printable, shown
from connectors.answer import Fetched
from connectors.outcome import Outcome

log = logging.getLogger(__name__)
_NO_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def failed(feed: Feed, error: Exception) -> Fetched:
    """``parse_failed``, with what it was; the trace goes to the log, for it is an error of ours.

    Raises:
        Exception: It is not of this feed alone: one of our own errors, such as state that can't be written, or a disk
            that takes nothing.
    """
    if isinstance(error, BrinkwatchError) or (isinstance(error, OSError) and error.errno in _NO_DISK):
        raise error
    log.error("%s: a poll met what was not foreseen", feed.id, exc_info=error)
    return Fetched(Outcome.PARSE_FAILED, error=printable(shown(f"{type(error).__name__}: {error}"))[:300])
