"""Spans of runs, steps and takes for OpenTelemetry, where somebody asked for them; else nothing.

They are exported where OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) names a collector and
the extra `otel` is installed. They carry names of steps and files, numbers and hashes, and nothing
of what was said. A collector that does not answer costs a run some seconds at its end, and is no
fault of it.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flows.progress import Progress

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

LOG = logging.getLogger("roomtone.spans")
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PATIENCE_S = 3
"""How long a collector may take to answer."""


class _Exporting:
    """An export that goes on. run: the number of the run's span. at: the context of the step."""

    def __init__(self, provider: TracerProvider) -> None:
        self.tracer = provider.get_tracer("roomtone")
        self.run = 0
        self.at: Any = None


_LOCK = threading.Lock()
_now: list[_Exporting] = []


@contextmanager
def exported(exporter: SpanExporter | None = None) -> Iterator[bool]:
    """Export the spans of the block, where that was asked for; gives whether they are.

    exporter: to use instead of the one that the environment asks for. One export at a time goes on
    in a process: inside another one nothing is begun.
    """
    with _LOCK:
        provider = None if _now else _provider(exporter)
        if provider is not None:
            _now.append(_Exporting(provider))
    try:
        yield provider is not None
    finally:
        if provider is not None:
            with _LOCK:
                _now.clear()
            provider.force_flush(PATIENCE_S * 1000)
            provider.shutdown()


@contextmanager
def span(name: str, facts: Mapping[str, str | int]) -> Iterator[None]:
    """A span of the block, below the one that the thread is in, or below the step at hand."""
    if not _now:
        yield
        return
    from opentelemetry import trace

    here = _now[0]
    # Threads that do pieces of a step are in no span; the one that began it is in the run's.
    inside = trace.get_current_span().get_span_context().span_id not in (0, here.run)
    told = {f"roomtone.{key}": value for key, value in facts.items()}
    with here.tracer.start_as_current_span(
        name,
        None if inside else here.at,
        attributes=told,
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield
        except BaseException as fault:
            # What it says may name people; its kind does not.
            made.set_status(trace.StatusCode.ERROR, type(fault).__name__)
            raise


class Stepped:
    """Progress each step of which is a span, until the next one begins."""

    def __init__(self, inner: Progress) -> None:
        self._inner = inner
        self._span: Any = None

    def step(self, name: str, total: int) -> None:
        """A step begins."""
        self.end()
        if _now:
            from opentelemetry import trace

            here = _now[0]
            self._span = here.tracer.start_span(name, attributes={"roomtone.pieces": total})
            here.at = trace.set_span_in_context(self._span)
        self._inner.step(name, total)

    def advance(self, name: str, done: int = 1) -> None:
        """Pieces of a step are done."""
        self._inner.advance(name, done)

    def say(self, text: str) -> None:
        """Something a person should read."""
        self._inner.say(text)

    def end(self) -> None:
        """The last step is over."""
        if self._span is not None:
            self._span.end()
            self._span = None
        if _now:
            _now[0].at = None


@contextmanager
def traced(kind: str, facts: Mapping[str, str | int], progress: Progress) -> Iterator[Progress]:
    """A run of that kind as a span with its steps, where spans are asked for.

    Gives the progress that the run is to tell of.
    """
    with exported() as asked:
        if not asked and not _now:
            yield progress
            return
        with span(f"run {kind}", facts):
            _begun()
            stepped = Stepped(progress)
            try:
                yield stepped
            finally:
                stepped.end()


def _begun() -> None:
    """Note that the thread is in the span of a run."""
    from opentelemetry import trace

    _now[0].run = trace.get_current_span().get_span_context().span_id


def _provider(exporter: SpanExporter | None) -> TracerProvider | None:
    """What makes spans, or None where nobody asked for them, or they can't be had."""
    if exporter is None and not _asked():
        return None
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(timeout=PATIENCE_S)
    except ImportError:
        LOG.warning(
            "A collector is set in the environment, but OpenTelemetry is not installed: "
            "pip install 'roomtone[otel]'."
        )
        return None
    from flows.workspace import code_version

    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "roomtone"}
    resource = Resource.create({**named, "service.version": code_version()})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _asked() -> bool:
    off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not off and any(os.environ.get(name) for name in ENDPOINTS)
