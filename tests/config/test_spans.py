"""Spans: what is kept of an article's way, where it is asked for; sent for real, over HTTP on loopback."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from samples import article, signal

from config import spans, trace
from config.settings import load_settings
from config.spans import Span
from pipeline.extraction.engine import Extraction
from pipeline.kafka.message import Message
from pipeline.records import encode
from pipeline.records.topics import Topics
from pipeline.transforms.extract import Suspects, _end, work

ARTICLE = "4bf92f3577b34da6a3ce929d0e0e4736"
TOPICS = Topics("t")


@pytest.fixture
def kept():
    """Spans that were kept, all of them, in order of their ends."""
    exporter = InMemorySpanExporter()
    spans.begin("test", load_settings(trace_sample_ratio=1.0), SimpleSpanProcessor(exporter))
    yield exporter
    spans.end()


class Extractor:
    """Gives one signal an article."""

    def extract(self, articles, **_):
        return [Extraction(a.article_id, "signals", (signal(article_id=a.article_id),), 1, 1) for a in articles]


def test_one_article_is_one_trace_from_its_fetch_on(kept):
    """Each step's parent is the one before, across messages; the trace's id is the article's."""
    delivered = spans.deliver(ARTICLE, Span(10.0, 11.0))
    message = Message(
        TOPICS.articles.name, 0, 0, 0, b"k", encode(article(article_id=ARTICLE)), trace.header(delivered.parent)
    )
    delivered.end()
    outcome = work(Extractor(), [message], TOPICS, Suspects())
    _end(outcome.steps)
    (written,) = outcome.outgoing
    scored = spans.step("score", trace.parent_of(written.headers), time.time())
    scored.end()
    fetch, deliver, extract, score = kept.get_finished_spans()
    assert [each.name for each in (fetch, deliver, extract, score)] == ["fetch", "deliver", "extract", "score"]
    assert {f"{each.context.trace_id:032x}" for each in (fetch, deliver, extract, score)} == {ARTICLE}
    assert fetch.parent is None
    assert [each.parent.span_id for each in (deliver, extract, score)] == [
        each.context.span_id for each in (fetch, deliver, extract)
    ]
    assert (fetch.start_time, fetch.end_time) == (10 * spans.NS, 11 * spans.NS)
    assert dict(extract.attributes) == {"outcome": "signals", "signals": 1}


def test_what_is_not_sampled_costs_no_span(kept):
    """The first decides: a message that says no has none, and its header goes on as it is."""
    parent = trace.of_article(ARTICLE)
    step = spans.step("extract", parent, 1.0)
    step.end()
    assert step.parent == parent
    assert kept.get_finished_spans() == ()


def test_off_nothing_is_imported():
    """OpenTelemetry is an extra: without the setting it must cost neither memory nor an error."""
    program = (
        "import sys, connectors.deliver, pipeline.transforms.extract, pipeline.transforms.score\n"
        "from config import spans\n"
        "from config.settings import load_settings\n"
        "spans.begin('test', load_settings())\n"
        f"spans.deliver('{ARTICLE}', None).end()\n"
        "spans.end()\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "[]", done.stderr


class Collector(BaseHTTPRequestHandler):
    """Takes traces as a collector of OpenTelemetry does."""

    taken: list[ExportTraceServiceRequest]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert self.path == "/v1/traces"
        self.taken.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Nothing."""


def test_spans_reach_a_collector(monkeypatch):
    """By OTLP over HTTP, to where OpenTelemetry's own variable says; those that wait are sent at the end."""
    Collector.taken = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    try:
        spans.begin("connect", load_settings(trace_sample_ratio=1.0))
        spans.deliver(ARTICLE, Span(1.0, 2.0)).end()
    finally:
        spans.end()
        server.shutdown()
        server.server_close()
    resources = [resource for request in Collector.taken for resource in request.resource_spans]
    names = {a.value.string_value for r in resources for a in r.resource.attributes if a.key == "service.name"}
    sent = [span for r in resources for scope in r.scope_spans for span in scope.spans]
    assert names == {"brinkwatch-connect"}
    assert sorted(span.name for span in sent) == ["deliver", "fetch"]
    assert {span.trace_id.hex() for span in sent} == {ARTICLE}
