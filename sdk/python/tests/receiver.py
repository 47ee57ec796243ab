"""A real HTTP server for the tests: takes events as WatchLLM does, or fails as it is told to."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, Mapping, Optional

KEY = "key-of-the-test-receiver"
DEADLINE_S = 20.0


@dataclass(frozen=True)
class Answer:
    """What a request gets instead of being taken."""

    status: int = 202
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"


# Faults below HTTP.
RESET = "reset"
GARBAGE = "garbage"
HANG = "hang"
CLOSE = "close"


@dataclass(frozen=True)
class Request:
    path: str
    headers: Dict[str, str]
    body: bytes
    events: List[Dict[str, Any]]
    at: float
    client: Any


class Receiver:
    """Answers by `script`, one entry a request, and takes everything once it is used up.

    An entry is an Answer, a fault, or a function of the request that returns one (None: take it).
    """

    def __init__(self, context: Optional[ssl.SSLContext] = None) -> None:
        self.script: List[Any] = []
        self.requests: List[Request] = []
        self.taken: List[Dict[str, Any]] = []
        self.connections = 0
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._server = _Server(self)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def dsn(self) -> str:
        return f"http://{KEY}@127.0.0.1:{self.port}/demo"

    def wait(self, reached: Callable[["Receiver"], bool], deadline_s: float = DEADLINE_S) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: reached(self), deadline_s):
                raise AssertionError(
                    f"not reached: {len(self.requests)} requests, {len(self.taken)} events"
                )

    def ids(self) -> List[str]:
        return [event["event_id"] for event in self.taken]

    def close(self) -> None:
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(DEADLINE_S)

    def answer(self, request: Request) -> Any:
        with self._changed:
            self.requests.append(request)
            step = self.script.pop(0) if self.script else None
            if callable(step):
                step = step(request)
            if step is None:
                self.taken += request.events
            self._changed.notify_all()
        return step

    def hang(self) -> None:
        self._ending.wait(DEADLINE_S)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.receiver.connections += 1

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["content-length"]))
        raw = body
        if self.headers.get("content-encoding") == "gzip":
            raw = gzip.decompress(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        events = json.loads(raw)
        request = Request(self.path, headers, body, events, time.monotonic(), self.client_address)
        step = receiver.answer(request)
        if step is None:
            receipt = {
                "accepted": len(events),
                "duplicates": 0,
                "rejected": [],
                "sampled_out": 0,
                "event_ids": [event.get("event_id") for event in events],
            }
            step = Answer(202, {}, json.dumps(receipt).encode())
        if step == HANG:
            receiver.hang()
            self.close_connection = True
        elif step == CLOSE:
            self.close_connection = True
        elif step == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif step == GARBAGE:
            self.wfile.write(b"\x00\xff this is no HTTP \r\n\r\n" * 3)
            self.close_connection = True
        else:
            self.send_response_only(step.status)
            self.send_header("content-length", str(len(step.body)))
            for name, value in step.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(step.body)

    do_CONNECT = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        pass


def problem(status: int, detail: str, **extra: Any) -> Answer:
    body = {"type": "about:blank", "title": "Problem", "status": status, "detail": detail, **extra}
    return Answer(status, {"content-type": "application/problem+json"}, json.dumps(body).encode())
