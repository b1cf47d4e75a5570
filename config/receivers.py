"""Receivers of alerts: who is told, of what, and how patiently; read from ``receivers.yaml``."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import pydantic

from config.document import Document, Location, Strict, fault_text, load
from config.errors import ConfigError, Fault
from config.feeds import Address
from config.rule import Pattern, Span

MAX_RECEIVERS = 50
MAX_DEADLINE_S = 24 * 3600.0
MAX_TIMEOUT_S = 300.0
TYPES = ("webhook", "slack", "alertmanager")
Variable = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,100}$")]
Word = Annotated[str, pydantic.Field(min_length=1, max_length=200)]


class Match(Strict):
    """Which alerts a receiver is told of: those that all of this holds for.

    Attributes:
        level: At this level or above; a transition counts by the higher of the two levels it joins.
        dyads: As in the scope of a rule: ``all``, a dyad, or one side.
        rules: Of these rules; empty: of every rule.
        labels: With all of these labels, at these values.
        muted: True lets in what a silence or an inhibition mutes.
        drill: False leaves out the alerts of a drill.
    """

    level: Literal["watch", "warning", "critical"] = "watch"
    dyads: tuple[Pattern, ...] = pydantic.Field(default=("all",), max_length=1000)
    rules: tuple[Word, ...] = pydantic.Field(default=(), max_length=200)
    labels: dict[Word, Word] = pydantic.Field(default={}, max_length=50)
    muted: bool = False
    drill: bool = True

    @pydantic.field_validator("dyads", mode="after")
    @classmethod
    def _some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("at least one")
        return value


class Retry(Strict):
    """How patiently a receiver is tried. Durations are seconds here, and texts such as ``1m`` in the file.

    Attributes:
        first: Wait after the first failure; it doubles with each further one.
        longest: Longest wait between two tries, unless the receiver asks for a longer one.
        deadline: After so long a transition is given up, and becomes a dead letter.
    """

    first: Span = pydantic.Field(default="1s")  # type: ignore[assignment]  # as in the file: validate_default parses it
    longest: Span = pydantic.Field(default="1m")  # type: ignore[assignment]  # as above
    deadline: Span = pydantic.Field(default="10m")  # type: ignore[assignment]  # as above

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Retry:
        if not self.first <= self.longest <= self.deadline <= MAX_DEADLINE_S:
            raise ValueError("first, longest and deadline in growing order, and a deadline of at most 24h")
        return self


class Receiver(Strict):
    """What every receiver has.

    Attributes:
        name: Part of its consumer group, its metrics and its dead letters: renaming one starts it anew.
        match: What it is told of.
        retry: How patiently it is tried.
        timeout: Seconds for one try, everything included.
        concurrency: How many tries run at once; transitions of one alert never do.
        start_at: Where a new receiver begins: with what comes from now on, or with everything that is on the topic.
        allow_http: True lets plain http go to hosts other than this one.
        url_env, url_file: Where the address stands that it is reached at.
    """

    name: str = pydantic.Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    match: Match = Match()
    retry: Retry = Retry()
    timeout: Span = pydantic.Field(default="10s")  # type: ignore[assignment]  # as above
    concurrency: int = pydantic.Field(default=4, ge=1, le=32)
    start_at: Literal["latest", "earliest"] = "latest"
    allow_http: bool = False
    url_env: Variable | None = None
    url_file: Path | None = None

    @pydantic.field_validator("timeout", mode="after")
    @classmethod
    def _bounded(cls, value: float) -> float:
        if value > MAX_TIMEOUT_S:
            raise ValueError(f"a duration of at most {MAX_TIMEOUT_S / 60:g}m")
        return value

    @pydantic.model_validator(mode="after")
    def _one_address(self) -> Receiver:
        _exactly_one(self, "url", "url_env", "url_file")
        return self


class _Addressed(Receiver):
    """A receiver whose address may stand in the file."""

    url: Address | None = None

    @pydantic.field_validator("url", mode="after")
    @classmethod
    def _safe(cls, value: str | None, info: pydantic.ValidationInfo) -> str | None:
        return value if value is None else safe_url(value, allow_http=bool(info.data.get("allow_http")))


class Webhook(_Addressed):
    """A CloudEvent by POST, signed; ``secret_env`` or ``secret_file`` says where the key stands."""

    type: Literal["webhook"]
    secret_env: Variable | None = None
    secret_file: Path | None = None

    @pydantic.model_validator(mode="after")
    def _one_secret(self) -> Webhook:
        _exactly_one(self, "secret_env", "secret_file")
        return self


class Slack(Receiver):
    """A Slack-compatible incoming webhook. Whoever has its address can post: it is a secret."""

    type: Literal["slack"]


class Alertmanager(_Addressed):
    """An Alertmanager, or what speaks its API.

    Attributes:
        url: Where it is, without ``/api/v2/alerts``.
        resend: Seconds after which open alerts are sent again.
        expire_after: Seconds after which Alertmanager may take an alert that is not sent again for resolved.
        generator_url: A link for each alert, with ``{dyad}`` and ``{alert_id}`` filled in; None for none.
    """

    type: Literal["alertmanager"]
    resend: Span = pydantic.Field(default="1m")  # type: ignore[assignment]  # as above
    expire_after: Span = pydantic.Field(default="30m")  # type: ignore[assignment]  # as above
    generator_url: Address | None = None

    @pydantic.model_validator(mode="after")
    def _lasting(self) -> Alertmanager:
        if self.expire_after < 2 * self.resend:
            raise ValueError("expire_after at least twice as long as resend, or open alerts would expire")
        return self


AnyReceiver = Webhook | Slack | Alertmanager


class ReceiversFile(Strict):
    """The whole of ``receivers.yaml``."""

    receivers: tuple[Annotated[AnyReceiver, pydantic.Field(discriminator="type")], ...] = pydantic.Field(
        default=(), max_length=MAX_RECEIVERS
    )


def load_receivers(path: Path) -> tuple[AnyReceiver, ...]:
    """The receivers of ``path``, whose secrets nobody has looked for yet.

    Raises:
        ConfigError: With every fault and its line.
    """
    return check_receivers(load(path))


def check_receivers(document: Document) -> tuple[AnyReceiver, ...]:
    """The receivers of a file that was read.

    Raises:
        ConfigError: With every fault and its line.
    """
    try:
        receivers = ReceiversFile.model_validate(document.data).receivers
    except pydantic.ValidationError as error:
        raise ConfigError([_fault(document, each) for each in error.errors()]) from None
    names = [receiver.name for receiver in receivers]
    repeated = [index for index, name in enumerate(names) if name in names[:index]]
    if repeated:
        raise ConfigError([document.fault(("receivers", index, "name"), "each name once") for index in repeated])
    return receivers


def safe_url(value: str, *, allow_http: bool) -> str:
    """``value``, if it is https, or http to this very machine, or http is allowed.

    Raises:
        ValueError: It is http to elsewhere.
    """
    parts = urlsplit(value)
    if parts.scheme == "http" and not allow_http and not _is_loopback(parts.hostname or ""):
        raise ValueError("a URL of https; http goes to loopback only, unless allow_http is true")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _exactly_one(receiver: Receiver, *keys: str) -> None:
    keys = tuple(key for key in keys if key in type(receiver).model_fields)
    if sum(getattr(receiver, key) is not None for key in keys) != 1:
        raise ValueError(f"exactly one of {', '.join(keys)}")


def _fault(document: Document, error: Any) -> Fault:
    """As any fault, but: pydantic puts the type into the place, and what stands there may hold a secret."""
    place: Location = tuple(error["loc"])
    if len(place) > 2 and place[2] in TYPES:  # noqa: PLR2004  receivers, its index, the type
        place = (*place[:2], *place[3:])
    if error["type"] in {"missing", "extra_forbidden"}:
        return document.fault(place, fault_text(error))
    if len(place) < 3 or "url" in str(place[-1]):  # noqa: PLR2004  as above: a whole receiver
        return document.fault(place, error["msg"].removeprefix("Value error, "))
    return document.fault(place, fault_text(error))
