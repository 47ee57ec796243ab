"""The clients of OpenAI, Anthropic and others whose libraries share one base: `request` sees all.

Every helper of theirs ends in the client's `request`: create, parse, stream, with_raw_response and
with_streaming_response. It is watched there; what it returns stays the object that it was.
"""

from __future__ import annotations

import inspect
from functools import wraps
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from .._limits import STREAM_PIECES_MAX
from .._model_call import ModelCall, open_streams
from .._patching import Patches, guarded
from .._snapshot import freeze
from .._tee import AsyncTee, Tee
from .anthropic_wire import OPERATIONS as ANTHROPIC
from .around import requests_around
from .body import Body, answer_of, pieces_of
from .openai_wire import OPERATIONS as OPENAI
from .reading import Operation, provider_of, request_of


def install(module: Any, patches: Patches) -> None:
    for name in ("SyncAPIClient", "AsyncAPIClient"):
        patches.replace(getattr(module, name), "request", watching)


class Watch:
    """One request to a provider, from its start to the end of its answer."""

    def __init__(self, client: Any, operation: Operation, body: Dict[str, Any]) -> None:
        library = type(client).__module__.partition(".")[0]
        provider = provider_of(getattr(client, "base_url", ""), library)
        if provider == library and "Azure" in type(client).__name__:
            provider = "azure"
        asked = operation.asked(body)
        if body.get("stream"):
            # It is recorded when the answer has been read: what was asked may have changed by then.
            asked, _ = freeze(asked)
        self._operation = operation
        # Until the answer says which one it was.
        self._model = asked.get("model_requested")
        self._pieces = operation.pieces()
        self._count = 0
        self._body: Optional[Body] = None
        self._call = ModelCall(
            {"name": f"{library}.{operation.name}", "provider": provider, **_present(asked)},
            operation.kind,
        )

    def failed(self, error: BaseException) -> None:
        self._done({}, error)

    def answered(self, result: Any) -> None:
        """What `request` returned: an answer, a stream, or an HTTP response that is read later."""
        if hasattr(result, "_iterator") and hasattr(result, "response"):
            self._follow(result)
        elif hasattr(result, "http_response"):
            self._raw(result)
        else:
            self._done(self._operation.answered(result))

    def _done(self, fields: Dict[str, Any], error: Optional[BaseException] = None) -> None:
        fields["model"] = fields.get("model") or self._model
        self._call.finish(fields, error)

    def _follow(self, stream: Any) -> None:
        source = stream._iterator
        kind = AsyncTee if hasattr(source, "__anext__") else Tee
        tee: Any = kind(source, self._piece, self._end)
        stream._iterator = tee
        after(stream, "close", lambda _: tee.abandon())

    def _piece(self, piece: Any) -> None:
        self._count += 1
        if self._count <= STREAM_PIECES_MAX and self._pieces.add(piece):
            self._call.first_piece()

    def _end(self, error: Optional[BaseException], is_whole: bool) -> None:
        fields = self._pieces.fields()
        if not is_whole and error is None and not fields.get("finish_reason"):
            fields["attributes"] = {"stream": "not read to its end"}
        self._done(fields, error)

    def _raw(self, response: Any) -> None:
        if self._read(response):
            return
        open_streams.add(self)
        self._body = Body(response.http_response, self._call.first_piece)
        after(response, "parse", lambda parsed: self._parsed(parsed))
        after(response, "close", lambda _: self._closed(response))

    def _read(self, response: Any) -> bool:
        # Set once the body is in memory; asking for it otherwise would read it, or raise.
        content = getattr(response.http_response, "_content", None)
        if content is None:
            return False
        self._done(self._fields_of(content))
        return True

    def _fields_of(self, content: bytes) -> Dict[str, Any]:
        answer = answer_of(content)
        if answer is not None:
            return self._operation.answered(answer)
        is_answer = [self._pieces.add(piece) for piece in pieces_of(content)]
        return self._pieces.fields() if any(is_answer) else {}

    def _parsed(self, parsed: Any) -> None:
        if hasattr(parsed, "_iterator"):
            # It is read by pieces from here on.
            self._body = None
            self._follow(parsed)

    def _closed(self, response: Any) -> None:
        if not self._read(response):
            self.abandon()

    def abandon(self) -> None:
        """Its body was read, or not, past what gives answers and pieces: as text, lines, bytes."""
        if self._count > 0:
            return
        body, self._body = self._body, None
        content = b"" if body is None else body.content()
        fields = self._fields_of(content)
        if body is None or not body.is_whole:
            fields["attributes"] = {"response": "not read to its end" if content else "not read"}
        self._done(fields)


def after(owner: Any, name: str, then: Callable[[Any], None]) -> None:
    """Calls `then` with what this one object's method returned."""
    method = getattr(owner, name, None)
    if method is None:
        return
    if inspect.iscoroutinefunction(method):

        @wraps(method)
        async def follow(*args: Any, **kwargs: Any) -> Any:
            result = await method(*args, **kwargs)
            guarded(then, result)
            return result

        setattr(owner, name, follow)
        return

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        guarded(then, result)
        return result

    setattr(owner, name, call)


def _present(fields: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _begin(client: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Optional[Watch]:
    options: Any = kwargs.get("options", args[1] if len(args) > 1 else None)
    if str(getattr(options, "method", "")).lower() != "post":
        return None
    path = str(options.url).partition("?")[0].rstrip("/")
    for operations in (OPENAI, ANTHROPIC):
        for ending, operation in operations.items():
            if path == ending or path.endswith("/" + ending):
                return Watch(client, operation, request_of(options.json_data))
    return None


# `request` of a sync or async client, watched.
watching = requests_around(_begin)
