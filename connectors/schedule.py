"""Schedule: after an outcome, when to poll next, and why then. Decisions only; the clock and the dice are given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from config.retry_after import MAX_RETRY_AFTER_S
from connectors.outcome import Outcome

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
JITTER = 0.1
MAX_RULE_S = DAY_S
"""The most that a ttl or a max-age is taken for: a slip of a template (a year) may not silence a feed."""
MAX_WAIT_S = MAX_RETRY_AFTER_S * (1 + JITTER)
"""No decision waits longer."""
STARTS_A_SECOND = 2.0
"""How many feeds that are due at once, at a start, are polled a second; more where an interval leaves no time."""


class Why(StrEnum):
    """What decided when a feed is polled next: ``next_why`` in the log."""

    INTERVAL = "interval"
    """The interval that the operator has set."""
    RHYTHM = "rhythm"
    """How often the feed publishes at this hour, between the shortest and the longest interval."""
    TTL = "ttl"
    """The feed's own ``ttl`` or ``sy:updatePeriod`` asks for longer."""
    MAX_AGE = "max_age"
    """The server calls its answer fresh for longer (Cache-Control, Expires)."""
    RETRY_AFTER = "retry_after"
    """The server asked to be left alone for longer (Retry-After)."""
    BACKOFF = "backoff"
    """It failed, and waits longer with each failure in a row."""
    MOVED_BACK = "moved_back"
    """The address that it had moved to failed: the one of the list is tried again."""
    PUSHED = "pushed"
    """A hub pushes what is new: it is polled only to see that it does."""
    MORE = "more"
    """Of a file a portion was read, and the next one is there."""
    GONE = "gone"
    """410: it is not polled any more."""


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


@dataclass(frozen=True, slots=True)
class Rules:
    """For how many seconds a publisher asks not to be polled again; 0 where it says nothing.

    Attributes:
        ttl_s: What the document says (RSS 2.0 ``ttl``, RSS 1.0 ``sy:updatePeriod``); at most a day counts.
        max_age_s: What the cache headers say (RFC 9111, 4.2.1); at most a day counts.
        retry_after_s: What Retry-After says (RFC 9110, 10.2.3); at most a week counts.
    """

    ttl_s: float = 0.0
    max_age_s: float = 0.0
    retry_after_s: float = 0.0

    def least(self) -> tuple[float, Why]:
        """The longest of them: a least wait in seconds, and which it is."""
        return max(
            (min(self.retry_after_s, MAX_RETRY_AFTER_S), Why.RETRY_AFTER),
            (min(self.max_age_s, MAX_RULE_S), Why.MAX_AGE),
            (min(self.ttl_s, MAX_RULE_S), Why.TTL),
            key=lambda rule: rule[0],
        )


@dataclass(frozen=True, slots=True)
class Next:
    """When a feed is polled next: in how many seconds (None: never again), and why then."""

    wait_s: float | None
    why: Why


@dataclass(frozen=True, slots=True)
class Usual:
    """What a feed is polled by while all is well.

    Attributes:
        interval_s: Its interval.
        adapted: Whether that was found by its rhythm.
        first: Whether it was polled for the first time.
    """

    interval_s: float
    adapted: bool = False
    first: bool = False


def next_poll(outcome: Outcome, usual: Usual, failures: int, rules: Rules, dice: float) -> Next:
    """When to poll next.

    Args:
        outcome: How this poll ended.
        usual: What counts while all is well.
        failures: Failures in a row, this one among them; 0 after a success.
        rules: What the publisher asks for: least waits, to which jitter only adds.
        dice: A random number in [0, 1).
    """
    course = COURSES.get(outcome)
    if course is None:
        wait, why = _spread(usual, dice), Why.RHYTHM if usual.adapted else Why.INTERVAL
    elif course.stops:
        return Next(None, Why.GONE)
    else:
        wait, why = _jittered(_backed_off(course, usual.interval_s, failures), dice), Why.BACKOFF
    least, rule = rules.least()
    if wait < least:
        return Next(rested_s(least, dice), rule)
    return Next(wait, why)


def rested_s(rest_s: float, dice: float) -> float:
    """Seconds until the poll of a feed whose host is to be left alone for ``rest_s``: jitter only adds."""
    return rest_s * (1 + JITTER * dice)


def first_wait_s(interval_s: float, dice: float, feeds: int = 1) -> float:
    """Seconds until a feed's first poll after a start at which ``feeds`` are due at once.

    They are spread over the whole interval where there are many, and over half a second each where there are few, so
    that a start is no burst and a short list shows something soon.
    """
    return dice * min(interval_s, feeds / STARTS_A_SECOND)


def resumed_wait_s(next_due: float, polled_at: float, now: float) -> float:
    """Seconds until the next poll of a feed whose state says when that is due; times are Unix seconds.

    However far the clock was set back in between, a feed waits no longer than it was to wait from the start.
    """
    return min(next_due - now, next_due - polled_at, MAX_WAIT_S)


def _backed_off(course: Course, interval_s: float, failures: int) -> float:
    doubled = interval_s * course.first * 2.0 ** min(max(failures, 1) - 1, 16)
    return max(min(doubled, course.cap_s), interval_s)


def _spread(usual: Usual, dice: float) -> float:
    """The interval with jitter; after a first poll half of it to one and a half.

    Feeds that began together then lie anywhere in the interval, and don't march in step.
    """
    return usual.interval_s * (0.5 + dice) if usual.first else _jittered(usual.interval_s, dice)


def _jittered(seconds: float, dice: float) -> float:
    """10 % more or less, so that feeds of one interval don't march in step."""
    return seconds * (1 + JITTER * (2 * dice - 1))
