"""Spans: OpenTelemetry traces of articles, where they are asked for; else nothing is kept and nothing imported.

    fetch ─▶ deliver ─▶ extract ─▶ score
    (root)    its context travels in each message's traceparent

A trace is an article's, and has its id. The first span decides whether the trace is kept; the header tells the others.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from config import trace
from config.errors import BrinkwatchError
from config.trace import Parent

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    from config.settings import Settings

NS = 1_000_000_000
MISSING = (
    "tracing failed: trace_sample_ratio: OpenTelemetry is not installed: pip install 'brinkwatch[otel]', or set it to 0"
)
_wanted: ContextVar[int | None] = ContextVar("trace", default=None)


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when something lasted (Unix time)."""

    begun: float
    ended: float


@dataclass(frozen=True, slots=True)
class Open:
    """A step of a trace that is under way.

    Attributes:
        parent: What the messages say that come of it; None without a trace.
        kept: The OpenTelemetry span; None where none is kept.
    """

    parent: Parent | None
    kept: Any = None

    def end(self, at: float | None = None, attributes: Mapping[str, str | int] | None = None) -> None:
        """It has ended, now or ``at`` (Unix time)."""
        if self.kept is not None:
            self.kept.set_attributes(attributes or {})
            self.kept.end(int((time.time() if at is None else at) * NS))


class _Tracer:
    """This process's tracer; None keeps no spans."""

    provider: TracerProvider | None = None
    tracer: Any = None


def begin(process: str, settings: Settings, processor: SpanProcessor | None = None) -> None:
    """Keep spans from now on, if the settings ask for it.

    Args:
        process: Name of the service in the traces, behind ``brinkwatch-``.
        settings: Say which share of traces is kept.
        processor: Takes the spans; by default they go in batches to where OpenTelemetry's own variables say
            (``OTEL_EXPORTER_OTLP_ENDPOINT``), over HTTP.

    Raises:
        BrinkwatchError: OpenTelemetry is asked for and not installed.
    """
    if not settings.trace_sample_ratio:
        return
    try:
        from config.otel import provider
    except ImportError as error:
        raise BrinkwatchError(f"{MISSING} ({error.name})") from None
    _Tracer.provider = provider(f"brinkwatch-{process}", settings.trace_sample_ratio, _wanted, processor)
    _Tracer.tracer = _Tracer.provider.get_tracer("brinkwatch", version("brinkwatch"))


def end() -> None:
    """Send what is kept, within a bounded time, and keep nothing from now on."""
    provider, _Tracer.provider, _Tracer.tracer = _Tracer.provider, None, None
    if provider is not None:
        provider.shutdown()


def deliver(article_id: str, fetched: Span | None) -> Open:
    """The delivery of an article, behind its fetch."""
    if _Tracer.tracer is None:
        return Open(trace.of_article(article_id))
    root = None
    if fetched is not None:
        root = _root("fetch", article_id, fetched.begun)
        root.end(fetched.ended)
    if root is None or root.parent is None:
        return _root("deliver", article_id, time.time())
    return step("deliver", root.parent, time.time())


def step(name: str, parent: Parent | None, begun: float) -> Open:
    """A step that follows ``parent``, as the message says that it comes in; ``begun`` in Unix time.

    Where no spans are kept, or none of this trace, the parent goes on to the next.
    """
    if _Tracer.tracer is None or parent is None or not parent.sampled:
        return Open(parent)
    from config.otel import context_of

    return _opened(_Tracer.tracer.start_span(name, context_of(parent), start_time=int(begun * NS)))


def _root(name: str, article_id: str, begun: float) -> Open:
    """The first step of an article's trace."""
    wanted = trace.trace_id(article_id)
    if wanted is None:
        return Open(None)
    from opentelemetry.context import Context

    token = _wanted.set(int(wanted, 16))
    try:
        return _opened(_Tracer.tracer.start_span(name, Context(), start_time=int(begun * NS)))
    finally:
        _wanted.reset(token)


def _opened(kept: Any) -> Open:
    said = kept.get_span_context()
    return Open(Parent(f"{said.trace_id:032x}", f"{said.span_id:016x}", said.trace_flags.sampled), kept)
