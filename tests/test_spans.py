"""Lines of log and spans say what they are about, and go nowhere unless somebody asked for it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from production import V2, Home, write_otio

from flows.about import working_on
from flows.progress import Silent
from flows.spans import Stepped, exported, span, traced

pytest.importorskip("opentelemetry.sdk")


def kept_by(exporter: Any) -> dict[str, Any]:
    return {found.name: found for found in exporter.get_finished_spans()}


def test_steps_lie_in_the_run_and_pieces_in_their_step_whichever_thread_does_them() -> None:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()

    def piece(name: str) -> None:
        with working_on(name, take="e" * 64, file="1-T01.wav"), span("inside", {}):
            pass

    with exported(memory), traced("cut", {"run": 3}, Silent()) as progress:
        progress.step("Cleaning takes", 2)
        piece("clean here")
        thread = threading.Thread(target=piece, args=("clean there",))
        thread.start()
        thread.join()
        progress.step("Listening to takes", 1)
        with pytest.raises(KeyError), span("listen", {}):
            raise KeyError("what was said")
    found = kept_by(memory)
    run, step = found["run cut"], found["Cleaning takes"]
    assert run.parent is None
    assert run.attributes["roomtone.run"] == 3
    assert step.parent.span_id == run.context.span_id
    for name in ("clean here", "clean there"):
        assert found[name].parent.span_id == step.context.span_id
        assert found[name].attributes["roomtone.take"] == "e" * 64
    assert found["inside"].parent.span_id == found["clean there"].context.span_id
    assert found["listen"].parent.span_id == found["Listening to takes"].context.span_id
    assert not found["listen"].status.is_ok
    assert "what was said" not in "".join(item.to_json() for item in found.values())
    assert {item.resource.attributes["service.name"] for item in found.values()} == {"roomtone"}


def test_without_a_collector_there_are_no_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    quiet = Silent()
    with exported() as asked, traced("cut", {}, quiet) as progress:
        assert not asked
        assert progress is quiet
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with traced("cut", {}, quiet) as progress:
        assert progress is quiet
    Stepped(quiet).step("Cleaning takes", 1)


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector on the loopback: its address, and what it is sent, path and body."""
    sent: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", sent
    server.shutdown()
    server.server_close()


def test_a_worker_sends_the_spans_of_a_run_and_logs_each_take(
    film: Path, tmp_path: Path, collector: tuple[str, list[tuple[str, bytes]]]
) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    address, sent = collector
    home = Home(tmp_path / "home", {"OTEL_EXPORTER_OTLP_ENDPOINT": address})
    cut = write_otio(tmp_path / "v2.otio", V2[:1])
    words = ("--media", film / "sound", "--out", tmp_path / "out", "--recipe", "bypass")
    home.run("clean", cut, *words, "--queue")
    ran = home.run("work", "--once", "--log-json")
    assert ran.code == 0, ran.err
    spans = {}
    for path, body in sent:
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                spans |= {item.name: item for item in scope.spans}
    run, step, take = (spans[name] for name in ("run cut", "Cleaning takes", "clean"))
    assert step.parent_span_id == run.span_id
    assert take.parent_span_id == step.span_id
    told = {item.key: item.value for item in take.attributes}
    assert told["roomtone.file"].string_value == "1-T01.wav"
    lines = [json.loads(line) for line in ran.err.splitlines()]
    assert {line["run"] for line in lines} == {1}
    (cleaned,) = (line for line in lines if line["message"] == "1-T01.wav is cleaned")
    assert cleaned["take"] == told["roomtone.take"].string_value
    assert cleaned["asset"] == told["roomtone.asset"].string_value
    assert (cleaned["file"], cleaned["step"]) == ("1-T01.wav", "Cleaning takes")
    (heard,) = (line for line in lines if line["message"] == "1-T01.wav is listened to")
    assert heard["asset"] == cleaned["asset"]


def test_a_line_says_what_its_thread_is_at(capsys: pytest.CaptureFixture[str]) -> None:
    from cli.logs import log_lines

    logger = logging.getLogger("roomtone")
    before = (logger.handlers, logger.level)
    log_lines(as_json=True, level=logging.INFO)
    with working_on("clean", take="t", asset="a"), working_on("listen", asset="b"):
        logging.getLogger("roomtone.runs").info("here")
    logging.getLogger("roomtone.runs").info("there")
    logger.handlers, logger.level = before
    here, there = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (here["take"], here["asset"]) == ("t", "b")
    assert not {"take", "asset"} & set(there)
