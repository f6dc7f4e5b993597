"""W3C trace context as text and as OpenTelemetry's object, and the other way round."""

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from airside.log import TRACEPARENT

__all__ = ["Context", "any_context_of", "context_of", "span_context", "traceparent"]


def context_of(trace: str | None) -> Context | None:
    """The context that a traceparent names; None where it is none, or is not to be recorded."""
    if trace is None:
        return None
    context = any_context_of(trace)
    return context if span_context(context).trace_flags.sampled else None


def any_context_of(trace: str) -> Context:
    """The context that a traceparent names, recorded or not; an empty one where it is none."""
    return TraceContextTextMapPropagator().extract({TRACEPARENT: trace}, Context())


def span_context(context: Context) -> SpanContext:
    """What links name."""
    return get_current_span(context).get_span_context()


def traceparent(span: Span) -> str:
    """The traceparent of a span; empty where it is not recorded."""
    carrier: dict[str, str] = {}
    if span.is_recording():
        TraceContextTextMapPropagator().inject(carrier, set_span_in_context(span, Context()))
    return carrier.get(TRACEPARENT, "")
