"""What a call costs the caller's thread, beside a bare list append in the same run, and beside the
SDKs of OpenTelemetry, Langfuse and Sentry where they are installed (tests/requirements/bench.txt).

    python bench/overhead.py [calls]

Each records the same call of a model: prompt, answer, tokens, tags. A receiver in a process of its
own answers at once. "steady" leaves the worker time to send between the bursts, as a program does
that also calls models; "flood" logs without a pause.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median
from typing import Any, Callable, Dict, List

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src"))

import aisentry

RECEIVER = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(202)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *arguments): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""

BURST_CALLS = 50
PAUSE_S = 0.02

EVENT: Dict[str, Any] = {
    "model": "gpt-4o",
    "provider": "openai",
    "prompt": [
        {"role": "system", "content": "You are helpful. " * 18},
        {"role": "user", "content": "What is the weather? " * 15},
    ],
    "response": "It is sunny. " * 46,
    "tokens_input": 150,
    "tokens_output": 200,
    "latency_ms": 812.5,
    "finish_reason": "stop",
    "tags": ["beta", "eu"],
    "attributes": {"k": 1},
}


def burst_us(call: Callable[[], object], clock: Callable[[], int]) -> float:
    start = clock()
    for _ in range(BURST_CALLS):
        call()
    return (clock() - start) / BURST_CALLS / 1000


def measure(call: Callable[[], object], calls: int, pause_s: float) -> str:
    wall: List[float] = []
    cpu: List[float] = []
    for _ in range(max(calls // BURST_CALLS // 2, 1)):
        wall.append(burst_us(call, time.perf_counter_ns))
        time.sleep(pause_s)
        cpu.append(burst_us(call, time.thread_time_ns))
        time.sleep(pause_s)
    return f"wall {median(wall):7.2f} us   cpu {median(cpu):7.2f} us   (least wall {min(wall):.2f})"


def opentelemetry(port: int) -> Callable[[], object]:
    import json

    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Discard(SpanExporter):
        """Without the cost of encoding and sending, which is the worker's."""

        def export(self, spans: Any) -> Any:
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Discard()))
    tracer = provider.get_tracer("bench")

    def call() -> None:
        with tracer.start_as_current_span("chat") as span:
            span.set_attribute("gen_ai.request.model", EVENT["model"])
            span.set_attribute("gen_ai.provider.name", EVENT["provider"])
            span.set_attribute("gen_ai.input.messages", json.dumps(EVENT["prompt"]))
            span.set_attribute("gen_ai.output.messages", EVENT["response"])
            span.set_attribute("gen_ai.usage.input_tokens", EVENT["tokens_input"])
            span.set_attribute("gen_ai.usage.output_tokens", EVENT["tokens_output"])
            span.set_attribute("tags", EVENT["tags"])

    return call


def langfuse(port: int) -> Callable[[], object]:
    from langfuse import Langfuse

    client = Langfuse(
        public_key="pk-lf-bench", secret_key="sk-lf-bench", base_url=f"http://127.0.0.1:{port}"
    )
    usage = {"input": EVENT["tokens_input"], "output": EVENT["tokens_output"]}

    def call() -> None:
        client.start_observation(
            name="chat",
            as_type="generation",
            model=EVENT["model"],
            input=EVENT["prompt"],
            output=EVENT["response"],
            usage_details=usage,
            metadata={"tags": EVENT["tags"]},
        ).end()

    return call


def sentry(port: int) -> Callable[[], object]:
    import json

    import sentry_sdk

    sentry_sdk.init(
        dsn=f"http://0123456789abcdef@127.0.0.1:{port}/1",
        traces_sample_rate=1.0,
        default_integrations=False,
    )

    def call() -> None:
        with sentry_sdk.start_transaction(op="gen_ai.chat", name="chat") as span:
            span.set_data("gen_ai.request.model", EVENT["model"])
            span.set_data("gen_ai.request.messages", json.dumps(EVENT["prompt"]))
            span.set_data("gen_ai.response.text", EVENT["response"])
            span.set_data("gen_ai.usage.input_tokens", EVENT["tokens_input"])
            span.set_data("gen_ai.usage.output_tokens", EVENT["tokens_output"])
            span.set_tag("tags", "beta,eu")

    return call


PEERS: Dict[str, Callable[[int], Callable[[], object]]] = {
    "OpenTelemetry": opentelemetry,
    "Langfuse": langfuse,
    "Sentry": sentry,
}


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    receiver = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True)
    assert receiver.stdout is not None
    try:
        port = int(receiver.stdout.readline())
        kept: List[Dict[str, Any]] = []
        print(f"Python {sys.version.split()[0]}, {calls} calls, 1,200 characters of text each")
        print("bare append           ", measure(lambda: kept.append({**EVENT}), calls, 0))
        print(
            "no DSN                ", measure(lambda: aisentry.log_prompt_call(**EVENT), calls, 0)
        )
        aisentry.init(f"http://0123456789abcdef@127.0.0.1:{port}/demo", instrument=False)
        print(
            "log_prompt_call steady",
            measure(lambda: aisentry.log_prompt_call(**EVENT), calls, PAUSE_S),
        )
        aisentry.flush(10)

        def in_span() -> None:
            with aisentry.span("answer"):
                pass

        @aisentry.observe
        def observed(text: str) -> str:
            return text

        print("span                  ", measure(in_span, calls, PAUSE_S))
        print("observe               ", measure(lambda: observed("a text"), calls, PAUSE_S))
        aisentry.flush(10)
        start = time.perf_counter()
        print(
            "log_prompt_call flood ", measure(lambda: aisentry.log_prompt_call(**EVENT), calls, 0)
        )
        aisentry.flush(30)
        seconds = time.perf_counter() - start
        print(f"flood: {calls / seconds:.0f} events/s delivered", aisentry.stats())
        aisentry.close(5)
        for name, begin in PEERS.items():
            try:
                call = begin(port)
            except ImportError:
                print(f"{name:22} is not installed")
                continue
            print(f"{name:22}", measure(call, calls, PAUSE_S))
    finally:
        aisentry.close(1)
        receiver.kill()
        receiver.wait()


if __name__ == "__main__":
    main()
    # The peers' own threads and exit hooks are no part of it.
    sys.stdout.flush()
    os._exit(0)
