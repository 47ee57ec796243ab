"""Google GenAI: its one HTTP client, where every way of generating content ends."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional, Tuple, cast

from .._model_call import ModelCall
from .._patching import Patches
from .._snapshot import freeze
from .._tee import AsyncTee, Tee
from .around import requests_around
from .gemini_wire import OPERATIONS
from .reading import Operation, request_of

METHODS = ("request", "async_request", "request_streamed", "async_request_streamed")


def install(module: Any, patches: Patches) -> None:
    for name in ("BaseApiClient", "ApiClient"):
        kind = getattr(module, name, None)
        if kind is not None:
            watch_client(kind, patches)
            return


def watch_client(owner: Any, patches: Patches) -> None:
    for name in METHODS:
        if hasattr(owner, name):
            patches.replace(owner, name, watching)


class _Watch:
    def __init__(self, operation: Operation, model: str, body: Dict[str, Any]) -> None:
        asked, _ = freeze(operation.asked(body))
        known = {name: value for name, value in asked.items() if value is not None}
        self.operation = operation
        self._pieces = operation.pieces()
        self._model = model
        self._call = ModelCall(
            {
                "name": f"google.{operation.name}",
                "provider": "google",
                "model_requested": model,
                **known,
            },
            operation.kind,
        )

    def failed(self, error: BaseException) -> None:
        self._call.finish({"model": self._model}, error)

    def answered(self, result: Any) -> Any:
        if hasattr(result, "__anext__"):
            return AsyncTee(result, self.piece, self.end)
        if hasattr(result, "__next__"):
            return Tee(result, self.piece, self.end)
        self._done(self.operation.answered(_json(result)), None)

    def _done(self, fields: Dict[str, Any], error: Optional[BaseException]) -> None:
        fields["model"] = fields.get("model") or self._model
        self._call.finish(fields, error)

    def piece(self, piece: Any) -> None:
        if self._pieces.add(_json(piece)):
            self._call.first_piece()

    def end(self, error: Optional[BaseException], is_whole: bool) -> None:
        fields = self._pieces.fields()
        if not is_whole and error is None and not fields.get("finish_reason"):
            fields["attributes"] = {"stream": "not read to its end"}
        self._done(fields, error)


def _json(result: Any) -> Any:
    """Newer versions hand on the body's text, older ones what it says."""
    if isinstance(result, Mapping):
        return cast(Any, result)
    body = getattr(result, "body", result)
    return json.loads(body) if isinstance(body, (str, bytes)) and body else {}


def _begin(client: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Optional[_Watch]:
    path = str(kwargs.get("path", args[1] if len(args) > 1 else ""))
    address, _, action = path.partition("?")[0].rpartition(":")
    operation = OPERATIONS.get(action)
    if operation is None:
        return None
    body = kwargs.get("request_dict", args[2] if len(args) > 2 else None)
    return _Watch(operation, address.rpartition("models/")[2], request_of(body))


# One of the client's four ways to send a request, watched.
watching = requests_around(_begin)
