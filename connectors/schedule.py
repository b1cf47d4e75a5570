"""Schedule: after an outcome, when to poll next. Decisions only; the clock and the dice are given."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.outcome import Outcome

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
JITTER = 0.1
SPREAD_S = 30.0


@dataclass(frozen=True, slots=True)
class Course:
    """What a kind of failure calls for.

    Attributes:
        first: The wait after the first failure, in intervals of the feed.
        cap_s: The longest wait in seconds; the wait doubles with each failure in a row.
        stops: Whether the feed is not polled any more.
    """

    first: float
    cap_s: float
    stops: bool = False


_PASSING = Course(1, 2 * HOUR_S)  # networks and servers come back by themselves
_CONTENT = Course(1, 6 * HOUR_S)  # someone at the publisher has to notice
_MISTAKEN = Course(4, DAY_S)  # someone here or there has to act
_ASKED = Course(2, DAY_S)  # the publisher wants fewer polls

COURSES = {
    Outcome.TIMEOUT: _PASSING,
    Outcome.DNS_ERROR: _PASSING,
    Outcome.CONNECT_ERROR: _PASSING,
    Outcome.TRUNCATED: _PASSING,
    Outcome.SERVER_ERROR: _PASSING,
    Outcome.EMPTY: _PASSING,
    Outcome.NOT_A_FEED: _CONTENT,
    Outcome.BAD_ENCODING: _CONTENT,
    Outcome.BAD_RESPONSE: _CONTENT,
    Outcome.TLS_ERROR: _CONTENT,
    Outcome.REDIRECT_LOOP: _CONTENT,
    Outcome.TOO_LARGE: _MISTAKEN,
    Outcome.PARSE_FAILED: _MISTAKEN,
    Outcome.BAD_URL: _MISTAKEN,
    Outcome.BLOCKED: _MISTAKEN,
    Outcome.NO_ACCESS: _PASSING,  # a secret may be laid down late
    Outcome.ROBOTS: _MISTAKEN,
    Outcome.PAYWALL: _CONTENT,
    Outcome.NO_TEXT: _CONTENT,
    Outcome.REFUSED: _MISTAKEN,
    Outcome.NOT_FOUND: _MISTAKEN,
    Outcome.CLIENT_ERROR: _MISTAKEN,
    Outcome.RATE_LIMITED: _ASKED,
    Outcome.GONE: Course(1, DAY_S, stops=True),
}


def wait_s(outcome: Outcome, interval_s: float, failures: int, retry_after_s: float, dice: float) -> float | None:
    """Seconds until the next poll; None to stop polling.

    Args:
        outcome: How this poll ended.
        interval_s: The feed's interval.
        failures: Failures in a row, this one among them; 0 after a success.
        retry_after_s: What the server asked for; 0 for nothing. It is a least wait: jitter only adds to it.
        dice: A random number in [0, 1).
    """
    course = COURSES.get(outcome)
    if course is None:
        return max(retry_after_s, interval_s) * (1 + JITTER * dice) if retry_after_s else _jittered(interval_s, dice)
    if course.stops:
        return None
    doubled = interval_s * course.first * 2.0 ** min(max(failures, 1) - 1, 16)
    wait = max(min(doubled, course.cap_s), interval_s)
    if retry_after_s > wait:
        return retry_after_s * (1 + JITTER * dice)
    return _jittered(wait, dice)


def first_wait_s(interval_s: float, dice: float) -> float:
    """Seconds until a new feed's first poll: spread out, so that a start is no burst."""
    return dice * min(interval_s / 2, SPREAD_S)


def _jittered(seconds: float, dice: float) -> float:
    """10 % more or less, so that feeds of one interval don't march in step."""
    return seconds * (1 + JITTER * (2 * dice - 1))
