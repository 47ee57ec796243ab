"""Pydantic AI: it tells OpenTelemetry of its agents, model calls and tools; here that is us.

Its agents get a tracer of our own, which stands beside the program's OpenTelemetry and never
within it: to that, our spans are the span that the program was in already.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Dict, Generator, List, Optional, cast

from .._model_call import ModelCall, elsewhere
from .._patching import Patches, Switch, guarded
from .._span import Span
from .reading import get, many, tool_call


def install(module: Any, patches: Patches) -> None:
    patches.hook("pydantic-ai", lambda switch: _hand_over(module, switch))


def _hand_over(module: Any, switch: Switch) -> None:
    api: Any = import_module("opentelemetry.trace")
    instrumented: Any = import_module("pydantic_ai.models.instrumented")
    provider = _provider(api, switch)
    settings = instrumented.InstrumentationSettings(tracer_provider=provider)
    # A program's own choice, made later or for one agent, stands.
    if getattr(module.Agent, "_instrument_default", False) is False:
        module.Agent.instrument_all(settings)


def _provider(api: Any, switch: Switch) -> Any:
    class Provider(api.TracerProvider):  # type: ignore[misc]
        def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
            return tracer

    class Tracer(api.Tracer):  # type: ignore[misc]
        def start_span(self, name: str, *args: Any, **kwargs: Any) -> Any:
            return make(name, kwargs)

        @contextmanager
        def start_as_current_span(
            self, name: str, *args: Any, **kwargs: Any
        ) -> Generator[Any, None, None]:
            span = make(name, kwargs)
            span.enter()
            try:
                with api.use_span(
                    span, end_on_exit=False, record_exception=False, set_status_on_exception=False
                ):
                    yield span
            except BaseException as error:
                span.leave()
                span.failed(error)
                raise
            span.leave()
            span.end()

    class OpenSpan(_Told, api.Span):  # type: ignore[misc]
        pass

    def make(name: str, options: Dict[str, Any]) -> Any:
        outer = api.get_current_span().get_span_context()
        attributes = dict(options.get("attributes") or {})
        return OpenSpan(name, attributes, outer, switch.records)

    def open_call() -> Optional[ModelCall]:
        # Its own tasks carry its span along, but not where this package is.
        made: Any = getattr(api.get_current_span(), "_made", None)
        return made if isinstance(made, ModelCall) else None

    tracer = Tracer()
    elsewhere.append(open_call)
    return Provider()


class _Told:
    """A span as OpenTelemetry's API has it; it becomes an event when it ends."""

    def __init__(self, name: str, attributes: Dict[str, Any], outer: Any, records: bool) -> None:
        self._context = outer
        self._attributes = attributes
        self._error: Optional[BaseException] = None
        self._is_open = True
        operation = attributes.get("gen_ai.operation.name")
        self._operation = str(operation or "")
        self._made: Any = None
        if records:
            self._made = guarded(self._begin, name)

    def _begin(self, name: str) -> Any:
        told = self._attributes
        if self._operation in ("chat", "text_completion", "generate_content"):
            model = told.get("gen_ai.request.model")
            provider = told.get("gen_ai.provider.name") or told.get("gen_ai.system")
            fields = {"name": name, "model": model, "provider": provider}
            return ModelCall({key: value for key, value in fields.items() if value})
        tool = told.get("gen_ai.tool.name")
        if tool is not None:
            return Span({"name": str(tool)}, "tool")
        agent = told.get("gen_ai.agent.name") or told.get("agent_name")
        if agent is not None:
            return Span({"name": str(agent), "agent_name": str(agent)}, "agent")
        return Span({"name": name}, "chain")

    def enter(self) -> None:
        if self._made is not None:
            self._made.enter()

    def leave(self) -> None:
        if self._made is not None:
            self._made.leave()

    def failed(self, error: BaseException) -> None:
        self._error = error
        self.end()

    def end(self, end_time: Any = None) -> None:
        if self._is_open:
            self._is_open = False
            guarded(self._end)

    def _end(self) -> None:
        made = self._made
        if made is None:
            return
        if isinstance(made, ModelCall):
            made.finish(_answer(self._attributes), self._error)
            return
        span = cast(Span, made)
        fields = _agent_fields(self._attributes)
        span.set(**{name: value for name, value in fields.items() if value is not None})
        span.finish(self._error)

    def get_span_context(self) -> Any:
        return self._context

    def is_recording(self) -> bool:
        return self._is_open

    def set_attribute(self, key: str, value: Any) -> None:
        self._attributes[key] = value

    def set_attributes(self, attributes: Any) -> None:
        self._attributes.update(attributes)

    def add_event(self, name: str, *args: Any, **kwargs: Any) -> None:
        pass

    def add_link(self, *args: Any, **kwargs: Any) -> None:
        pass

    def update_name(self, name: str) -> None:
        if isinstance(self._made, Span):
            self._made.set(name=name)

    def set_status(self, *args: Any, **kwargs: Any) -> None:
        pass

    def record_exception(self, exception: BaseException, *args: Any, **kwargs: Any) -> None:
        self._error = exception


def _read(value: Any) -> Any:
    """Attributes hold anything but texts and numbers as JSON text."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _agent_fields(told: Dict[str, Any]) -> Dict[str, Any]:
    arguments = told.get("gen_ai.tool.call.arguments", told.get("tool_arguments"))
    if told.get("gen_ai.tool.name") is not None:
        result = told.get("gen_ai.tool.call.result", told.get("tool_response"))
        return {
            "input": _read(arguments),
            "output": _read(result),
            "tool_call_id": told.get("gen_ai.tool.call.id"),
        }
    messages = _read(told.get("pydantic_ai.all_messages", told.get("all_messages_events")))
    return {"input": _first_user(messages), "output": _read(told.get("final_result"))}


def _first_user(messages: Any) -> Any:
    for message in _list(messages):
        if get(message, "role") == "user":
            texts = [get(part, "content") for part in many(message, "parts")]
            return texts[0] if len(texts) == 1 else texts or get(message, "content")
    return None


def _answer(told: Dict[str, Any]) -> Dict[str, Any]:
    """What the spans say; a watched client library beneath says more."""
    events = _read(told.get("events"))
    asked = _read(told.get("gen_ai.input.messages"))
    answered = _read(told.get("gen_ai.output.messages"))
    many_events = _list(events)
    if many_events:
        asked = [entry for entry in many_events if get(entry, "event.name") != "gen_ai.choice"]
        answered = [
            get(entry, "message")
            for entry in many_events
            if get(entry, "event.name") == "gen_ai.choice"
        ]
    parts = [part for message in _list(answered) for part in many(message, "parts")]
    texts = [get(part, "content") for part in parts if get(part, "type") == "text"]
    calls = [
        tool_call(get(part, "id"), get(part, "name"), get(part, "arguments"))
        for part in parts
        if get(part, "type") == "tool_call"
    ]
    reasons = _read(told.get("gen_ai.response.finish_reasons"))
    return {
        "prompt": asked,
        "system_prompt": _read(told.get("gen_ai.system_instructions")),
        "response": "".join(map(str, texts)) if parts else (answered or None),
        "tool_calls": calls or None,
        "model": told.get("gen_ai.response.model"),
        "model_requested": told.get("gen_ai.request.model"),
        "response_id": told.get("gen_ai.response.id"),
        "finish_reason": reasons[0] if isinstance(reasons, (list, tuple)) and reasons else None,
        "tokens_input": told.get("gen_ai.usage.input_tokens"),
        "tokens_output": told.get("gen_ai.usage.output_tokens"),
        "tokens_cache_read": told.get("gen_ai.usage.details.cache_read_tokens"),
        "tokens_cache_write": told.get("gen_ai.usage.details.cache_write_tokens"),
    }


def _list(value: Any) -> List[Any]:
    return cast(List[Any], value) if isinstance(value, list) else []
