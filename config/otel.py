"""OpenTelemetry as spans are kept with it; imported only where they are, for it is an extra."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter

    from config.trace import Parent

EXPORT_S = 5
"""Bound on one sending of spans; their queue is bounded too, and what does not fit is dropped."""


class _Ids(RandomIdGenerator):
    """Gives a trace the id that is wanted for it."""

    def __init__(self, wanted: ContextVar[int | None]) -> None:
        self._wanted = wanted

    def generate_trace_id(self) -> int:
        """As wanted; else by chance."""
        return self._wanted.get() or super().generate_trace_id()


def provider(
    service: str, ratio: float, wanted: ContextVar[int | None], processor: SpanProcessor | None = None
) -> TracerProvider:
    """A provider of our own: it is not made the process's, for no library is to send spans through it.

    Args:
        service: Its name in the traces.
        ratio: Share of the traces that are kept; by their id, so that each process that begins one decides alike.
        wanted: Holds the id that a new trace is to have.
        processor: Takes the spans; None: OTLP over HTTP.
    """
    made = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(ratio)),
        resource=Resource.create({"service.name": service}),
        id_generator=_Ids(wanted),
        shutdown_on_exit=False,
    )
    made.add_span_processor(processor or BatchSpanProcessor(_exporter(), export_timeout_millis=EXPORT_S * 1000))
    return made


def _exporter() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(timeout=EXPORT_S)


def context_of(parent: Parent) -> Context:
    """The context of a span whose parent is in another process."""
    flags = TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT)
    told = SpanContext(int(parent.trace, 16), int(parent.span, 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(told), Context())
