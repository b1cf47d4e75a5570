"""Outcome: how a poll ended. One word for log, metric label and back-off alike."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a poll of a feed ended. The names are public: they are labels of ``brinkwatch_connect_fetches_total``."""

    OK = "ok"
    """A feed was read (it may show nothing new)."""
    NOT_MODIFIED = "not_modified"
    """304: the server says that nothing changed."""

    EMPTY = "empty"
    """A success without a body."""
    NOT_A_FEED = "not_a_feed"
    """A body that is no feed: an error page, a page that asks for consent."""
    BAD_ENCODING = "bad_encoding"
    """Bytes that are not text in the encoding that is declared for them."""
    TRUNCATED = "truncated"
    """The body broke off: the connection was lost, or less came than was announced."""
    TOO_LARGE = "too_large"
    """The body, unpacked, is over the limit."""
    PARSE_FAILED = "parse_failed"
    """The parser took too long, or died of the body."""

    TIMEOUT = "timeout"
    """The whole of the exchange took too long."""
    DNS_ERROR = "dns_error"
    """The host's name has no address."""
    CONNECT_ERROR = "connect_error"
    """No connection, or it was lost before an answer."""
    TLS_ERROR = "tls_error"
    """The server's certificate or its TLS can't be trusted."""
    BAD_RESPONSE = "bad_response"
    """The answer is no valid HTTP."""
    BAD_URL = "bad_url"
    """The feed, or a redirect, names an address that is not http or https."""
    REDIRECT_LOOP = "redirect_loop"
    """Redirects that come back, or too many of them."""

    BLOCKED = "blocked"
    """The address is of a network that may not be asked: a private one, this host, a cloud's metadata."""
    NO_ACCESS = "no_access"
    """A file that the feed's access block names can't be used: a password, a certificate."""
    ROBOTS = "robots"
    """A page that robots.txt asks to leave alone."""
    PAYWALL = "paywall"
    """A page that shows only the beginning to those who don't pay."""
    NO_TEXT = "no_text"
    """A page in which no article was found."""

    REFUSED = "refused"
    """401, 403, 407 or 451."""
    NOT_FOUND = "not_found"
    """404; or 410 behind a redirect that is not for good."""
    GONE = "gone"
    """410 of the address itself, or of where it has moved to for good: the publisher asks to stop."""
    RATE_LIMITED = "rate_limited"
    """429: the publisher asks for fewer polls."""
    CLIENT_ERROR = "client_error"
    """Any other 4xx."""
    SERVER_ERROR = "server_error"
    """5xx."""

    @property
    def success(self) -> bool:
        """Whether the feed answered as a feed does."""
        return self in {Outcome.OK, Outcome.NOT_MODIFIED}


_BY_STATUS = {
    304: Outcome.NOT_MODIFIED,
    401: Outcome.REFUSED,
    403: Outcome.REFUSED,
    404: Outcome.NOT_FOUND,
    407: Outcome.REFUSED,
    410: Outcome.GONE,
    429: Outcome.RATE_LIMITED,
    451: Outcome.REFUSED,
}
_BY_CLASS = {2: Outcome.OK, 4: Outcome.CLIENT_ERROR, 5: Outcome.SERVER_ERROR}


def of_status(status: int) -> Outcome:
    """The outcome that an HTTP status stands for; 1xx, 3xx and anything beyond 5xx are no answer to a poll."""
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, Outcome.BAD_RESPONSE)
