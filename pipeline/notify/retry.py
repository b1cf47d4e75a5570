"""Whether and when a receiver is tried again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from config.receivers import Retry

MAX_DOUBLINGS = 30


class Ending(StrEnum):
    """How one try ended. The names are public: labels of ``brinkwatch_notify_attempts_total``."""

    OK = "ok"
    """2xx."""
    TIMEOUT = "timeout"
    """No answer in time, or 408."""
    CONNECT_ERROR = "connect_error"
    """No connection, or it was lost before an answer."""
    TLS_ERROR = "tls_error"
    """The certificate or the TLS can't be trusted."""
    BAD_RESPONSE = "bad_response"
    """The answer is no valid HTTP."""
    RATE_LIMITED = "rate_limited"
    """429."""
    SERVER_ERROR = "server_error"
    """5xx."""
    REFUSED = "refused"
    """Any other 4xx, or a redirect: trying again would not help."""


class Outcome(StrEnum):
    """What became of a transition. The names are public: labels of ``brinkwatch_notify_alerts_total``."""

    DELIVERED = "delivered"
    FILTERED = "filtered"
    """The receiver does not want it."""
    REFUSED = "refused"
    """The receiver refuses it for good; it is a dead letter."""
    EXHAUSTED = "exhausted"
    """It could not be delivered within the deadline; it is a dead letter."""
    UNREADABLE = "unreadable"
    """The message is no alert; it is a dead letter."""
    CRASHED = "crashed"
    """A defect of ours; it is a dead letter."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How one try ended, and what was answered.

    Attributes:
        ending: The ending.
        retry_after_s: Seconds for which the receiver asks to be left alone; 0 where it does not say.
        detail: For a person; it holds no secret.
    """

    ending: Ending
    retry_after_s: float = 0.0
    detail: str = ""


_BY_STATUS = {408: Ending.TIMEOUT, 429: Ending.RATE_LIMITED}
_BY_CLASS = {2: Ending.OK, 3: Ending.REFUSED, 4: Ending.REFUSED, 5: Ending.SERVER_ERROR}


def of_status(status: int) -> Ending:
    """What an HTTP status means for a delivery."""
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, Ending.BAD_RESPONSE)


def pause_s(answer: Answer, attempt: int, retry: Retry, dice: float) -> float:
    """Seconds to wait after a failed try: doubled each time, shortened by up to a half, at least what was asked for.

    Args:
        answer: How the try ended.
        attempt: Its number, from 1.
        retry: The receiver's patience.
        dice: From 0 to 1: so that receivers' retries do not fall together.
    """
    backoff = min(retry.longest, retry.first * 2.0 ** min(attempt - 1, MAX_DOUBLINGS))
    return max(backoff * (1 - dice / 2), answer.retry_after_s)


def verdict(answer: Answer, wait_s: float, left_s: float) -> Outcome | None:
    """What became of the transition; None if it is to be tried again after ``wait_s`` of the ``left_s`` there are."""
    if answer.ending is Ending.OK:
        return Outcome.DELIVERED
    if answer.ending is Ending.REFUSED:
        return Outcome.REFUSED
    return Outcome.EXHAUSTED if wait_s >= left_s else None
