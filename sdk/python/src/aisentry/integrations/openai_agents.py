"""The OpenAI Agents SDK: a trace processor beside its own."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable, Dict, cast

from .._patching import Patches, Switch, guarded
from .._plain import type_of
from .open_spans import OpenSpans
from .openai_wire import OPERATIONS
from .reading import count, get, plain

_RESPONSES = OPERATIONS["responses"]
_KINDS = {
    "agent": "agent",
    "function": "tool",
    "guardrail": "guardrail",
    "mcp_tools": "span",
    "handoff": "span",
}
_MODEL_CALLS = ("generation", "response")


def install(module: Any, patches: Patches) -> None:
    patches.hook("openai-agents", lambda switch: _hand_over(module, patches, switch))


def _hand_over(module: Any, patches: Patches, switch: Switch) -> None:
    base: Any = import_module("agents.tracing.processor_interface").TracingProcessor
    kind: Any = type("AisentryProcessor", (_Processor, base), {})
    processor: Any = kind(switch)
    provider = (
        module.get_trace_provider()
        if hasattr(module, "get_trace_provider")
        else getattr(module, "GLOBAL_TRACE_PROVIDER", None)
    )

    # A program that sets processors of its own keeps ours, too.
    def setting(original: Callable[..., Any]) -> Callable[..., Any]:
        def set_processors(self: Any, processors: Any) -> Any:
            return original(self, [*processors, processor])

        return set_processors

    module.add_trace_processor(processor)
    multi: Any = type_of(getattr(provider, "_multi_processor", None))
    if hasattr(multi, "set_processors"):
        patches.replace(multi, "set_processors", setting)


class _Processor:
    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._open = OpenSpans()

    def on_trace_start(self, trace: Any) -> None:
        if self._switch.records:
            guarded(self._trace_start, trace)

    def _trace_start(self, trace: Any) -> None:
        fields: Dict[str, Any] = {"name": trace.name}
        session = getattr(trace, "group_id", None)
        if session:
            fields["session_id"] = session
        metadata = getattr(trace, "metadata", None)
        if metadata:
            fields["attributes"] = {"metadata": plain(metadata)}
        self._open.start(trace.trace_id, None, fields, "chain")

    def on_trace_end(self, trace: Any) -> None:
        guarded(self._open.finish, trace.trace_id, {})

    def on_span_start(self, span: Any) -> None:
        if self._switch.records:
            guarded(self._span_start, span)

    def _span_start(self, span: Any) -> None:
        data = span.span_data
        parent = span.parent_id or span.trace_id
        if data.type in ("turn", "task"):
            # They count rounds; what is inside of them says more.
            self._open.pass_by(span.span_id, parent)
            return
        name = getattr(data, "name", None) or data.type
        fields: Dict[str, Any] = {"name": str(name)}
        if data.type == "agent":
            fields["agent_name"] = str(name)
        if data.type in _MODEL_CALLS:
            fields.update(name=f"agents.{data.type}", provider="openai")
            self._open.start(span.span_id, parent, fields, "generation", is_model_call=True)
        else:
            self._open.start(span.span_id, parent, fields, _KINDS.get(data.type, "span"))

    def on_span_end(self, span: Any) -> None:
        guarded(self._span_end, span)

    def _span_end(self, span: Any) -> None:
        fields = _fields(span.span_data)
        error = getattr(span, "error", None)
        if error:
            message = get(error, "message")
            fields.update(status="error", error={"message": str(message), "type": "AgentsError"})
            fields["context"] = get(error, "data")
        self._open.finish(span.span_id, fields)

    def shutdown(self, *arguments: Any, **options: Any) -> None:
        pass

    def force_flush(self) -> None:
        pass


def _fields(data: Any) -> Dict[str, Any]:
    kind = data.type
    if kind == "response":
        answer = getattr(data, "response", None)
        return {
            "prompt": plain(getattr(data, "input", None)),
            **(_RESPONSES.answered(answer) if answer is not None else {}),
        }
    if kind == "generation":
        usage = getattr(data, "usage", None)
        return {
            "prompt": plain(data.input),
            "response": plain(data.output),
            "model": data.model,
            "model_parameters": plain(data.model_config),
            "tokens_input": count(usage, "input_tokens"),
            "tokens_output": count(usage, "output_tokens"),
        }
    if kind == "function":
        return {"input": _read(data.input), "output": plain(data.output)}
    if kind == "handoff":
        return {
            "name": "handoff",
            "input": {"from": data.from_agent},
            "output": {"to": data.to_agent},
        }
    if kind == "guardrail":
        return {"output": {"triggered": data.triggered}}
    if kind == "agent":
        known = {name: getattr(data, name, None) for name in ("tools", "handoffs", "output_type")}
        return {"context": {name: value for name, value in known.items() if value}}
    values = cast(Dict[str, Any], vars(data))
    names = [name for name in values if values[name] is not None]
    told = {name: plain(values[name]) for name in names if name not in ("name", "response")}
    return {"attributes": told} if told else {}


def _read(text: Any) -> Any:
    """A function's arguments, which come as JSON text."""
    import json

    try:
        return json.loads(text) if isinstance(text, str) else plain(text)
    except ValueError:
        return text
