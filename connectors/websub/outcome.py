"""What became of a push, and how a subscription stands: the labels of the metrics and the words of the log."""

from __future__ import annotations

from enum import StrEnum


class Pushed(StrEnum):
    """How a request to the listener ended. The names are public: labels of ``brinkwatch_connect_pushes_total``."""

    DELIVERED = "delivered"
    """Read; the broker has acknowledged what was new in it."""
    UNREADABLE = "unreadable"
    """Signed as it should be, but no feed."""
    FORGED = "forged"
    """Its signature is not the one that our secret gives: dropped."""
    UNSIGNED = "unsigned"
    """Without a signature, or with one of a method that is not known: dropped."""
    TOO_LARGE = "too_large"
    """The body is over the limit of feeds."""
    ENCODED = "encoded"
    """A Content-Encoding, which nobody asked for."""
    BROKEN = "broken"
    """The body came too slowly, or broke off."""
    RATE_LIMITED = "rate_limited"
    """More pushes of one subscription than it may have."""
    BUSY = "busy"
    """As many pushes as there may be at once were under way."""
    EARLY = "early"
    """Its feed has not been polled yet: what is new can't be told."""
    UNACKNOWLEDGED = "unacknowledged"
    """The broker did not take it in time: the hub is asked to try again."""
    LEFT = "left"
    """Of a subscription that was ended."""
    UNKNOWN = "unknown"
    """A path that is none of ours."""


class Standing(StrEnum):
    """How a subscription stands."""

    ASKED = "asked"
    """The hub was asked, or is about to be, and has not verified it yet."""
    VERIFIED = "verified"
    """The hub has verified it, and its lease runs."""
    DISTRUSTED = "distrusted"
    """As ``verified``, but a poll found what no push had brought."""
    DENIED = "denied"
    """The hub said no."""
    FAILING = "failing"
    """The hub is away, refuses, or never verifies."""
    LEAVING = "leaving"
    """The feed is no longer followed, or has another hub: the hub is asked to end it."""
