"""A stand-in for a model provider: answers each request with the next recorded answer."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, List

EXCHANGES = Path(__file__).resolve().parent / "frameworks" / "exchanges"


def recorded(name: str) -> List[Dict[str, Any]]:
    """The answers of one recording, in order."""
    document = json.loads((EXCHANGES / f"{name}.json").read_text(encoding="utf-8"))
    return [exchange["response"] for exchange in document["exchanges"]]


class Provider:
    def __init__(self) -> None:
        self._answers: List[Dict[str, Any]] = []
        self._lock = threading.Lock()
        # Set when other answers are.
        self.changed = threading.Event()
        # Paths and bodies of what was asked.
        self.asked: List[Any] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def will_answer(self, *names: str) -> None:
        """The recordings that come next; the last answer is repeated."""
        self.will_give([answer for name in names for answer in recorded(name)])

    def will_give(self, answers: List[Dict[str, Any]]) -> None:
        with self._lock:
            self._answers = list(answers)
            self.asked.clear()
            self.changed.set()
            self.changed = threading.Event()

    def will_hang(self) -> None:
        """The next request has no answer, until another one is set."""
        self.will_give([{"hangs": True}])

    def next(self, path: str, body: Any) -> Dict[str, Any]:
        with self._lock:
            self.asked.append((path, body))
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)


def _handler(provider: Provider) -> Any:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("content-length") or 0))
            answer = provider.next(self.path, json.loads(text or b"null"))
            if "hangs" in answer:
                provider.changed.wait(20)
                return
            body = answer["text"] if "text" in answer else json.dumps(answer["body"])
            sent = body.encode("utf-8")
            self.send_response(answer["status"])
            self.send_header("content-type", answer["content_type"])
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
