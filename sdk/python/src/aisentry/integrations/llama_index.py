"""LlamaIndex: a span handler and an event handler beside the program's own.

Its spans name an object and a method; what they are is told by the object's class.
"""

from __future__ import annotations

from importlib import import_module
from types import AsyncGeneratorType, GeneratorType
from typing import Any, Dict, Optional

from .._model_call import ModelCall, expected
from .._patching import Patches, Switch, guarded
from .._plain import is_a
from .open_spans import OpenSpans
from .openai_wire import usage_of
from .reading import get, many, plain, tool_call

_CALLS = ("chat", "complete", "predict_and_call")


def install(module: Any, patches: Patches) -> None:
    patches.hook("llama-index", lambda switch: _hand_over(module, switch))


def _hand_over(module: Any, switch: Switch) -> None:
    spans: Any = import_module("llama_index.core.instrumentation.span_handlers").BaseSpanHandler
    events: Any = import_module("llama_index.core.instrumentation.event_handlers").BaseEventHandler
    open_spans = OpenSpans()

    class AisentrySpans(spans):  # type: ignore[misc]
        @classmethod
        def class_name(cls) -> str:
            return "AisentrySpans"

        def new_span(self, *args: Any, **kwargs: Any) -> Any:
            return None

        def prepare_to_exit_span(self, *args: Any, **kwargs: Any) -> Any:
            return None

        def prepare_to_drop_span(self, *args: Any, **kwargs: Any) -> Any:
            return None

        def span_enter(
            self,
            id_: Any,
            bound_args: Any,
            instance: Any = None,
            parent_id: Any = None,
            tags: Any = None,
            **kwargs: Any,
        ) -> None:
            if switch.records:
                guarded(_enter, open_spans, id_, bound_args, instance, parent_id)

        def span_exit(
            self,
            id_: Any,
            bound_args: Any,
            instance: Any = None,
            result: Any = None,
            **kwargs: Any,
        ) -> None:
            guarded(_exit, open_spans, id_, result)

        def span_drop(
            self,
            id_: Any,
            bound_args: Any,
            instance: Any = None,
            err: Optional[BaseException] = None,
            **kwargs: Any,
        ) -> None:
            guarded(open_spans.finish, id_, {}, err)

    class AisentryEvents(events):  # type: ignore[misc]
        @classmethod
        def class_name(cls) -> str:
            return "AisentryEvents"

        def handle(self, event: Any, **kwargs: Any) -> None:
            if switch.records:
                guarded(_event, open_spans, event)

    dispatcher = module.get_dispatcher()
    dispatcher.add_span_handler(AisentrySpans())
    dispatcher.add_event_handler(AisentryEvents())


def _enter(spans: OpenSpans, key: Any, bound: Any, instance: Any, parent: Any) -> None:
    # An id is the name, a dash and a UUID.
    name = str(key)[:-37]
    bare = name.rpartition(".")[2]
    kinds = {kind.__name__ for kind in type(instance).__mro__}
    given: Dict[str, Any] = dict(bound.arguments)
    given.pop("self", None)
    given.update(given.pop("kwargs", None) or {})
    if "BaseLLM" in kinds and bare.replace("stream_", "").lstrip("a") in _CALLS[:2]:
        spans.start(key, parent, _asked(name, instance, given), "generation", is_model_call=True)
    elif "BaseEmbedding" in kinds and "embedding" in bare and bare[0] != "_":
        fields: Dict[str, Any] = {"name": name, "prompt": _one(given)}
        model = _model(instance)
        if model is not None:
            fields["model"] = model
        spans.start(key, parent, fields, "embedding", is_model_call=True)
    elif "BaseRetriever" in kinds and bare in ("retrieve", "aretrieve"):
        spans.start(key, parent, {"name": name, "input": _one(given)}, "retrieval")
    elif "BaseTool" in kinds and bare in ("call", "acall"):
        tool = get(instance, "metadata", "name") or name
        spans.start(key, parent, {"name": str(tool), "input": given}, "tool")
    elif bare in ("query", "aquery", "synthesize", "asynthesize", "chat", "achat", "run"):
        kind = "agent" if any("Agent" in kind for kind in kinds) else "chain"
        spans.start(key, parent, {"name": name, "input": _one(given)}, kind)
    else:
        spans.pass_by(key, parent)


def _one(given: Dict[str, Any]) -> Any:
    """The one thing that was given, without its name."""
    values = [value for value in given.values() if value is not None]
    if len(values) != 1:
        return {name: _query(value) for name, value in given.items()}
    return _query(values[0])


def _query(value: Any) -> Any:
    """A query's words, without its vector."""
    words = get(value, "query_str")
    return value if words is None else words


def _model(instance: Any) -> Any:
    model = get(instance, "metadata", "model_name") or getattr(instance, "model", None)
    model = model or getattr(instance, "model_name", None)
    return model if isinstance(model, str) and model != "unknown" else None


def _asked(name: str, instance: Any, given: Dict[str, Any]) -> Dict[str, Any]:
    given.update(zip(("messages" if "chat" in name else "prompt",), given.pop("args", ())))
    messages = given.get("messages")
    prompt = given.get("prompt") if messages is None else [_message(one) for one in messages]
    fields = {
        "name": name,
        "model": _model(instance),
        "model_requested": _model(instance),
        "provider": type(instance).__name__.lower(),
        "prompt": prompt,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _message(message: Any) -> Dict[str, Any]:
    role = get(message, "role")
    content = get(message, "content")
    return {"role": str(getattr(role, "value", role)), "content": plain(content)}


def _exit(spans: OpenSpans, key: Any, result: Any) -> None:
    call = spans.get(key)
    if isinstance(call, ModelCall):
        if isinstance(result, (GeneratorType, AsyncGeneratorType)):
            # The end is an event, when the answer has been read; its request is made only then.
            spans.step_out(key)
            expected.set(call)
            return
        spans.finish(key, _answer(result))
        return
    if call is not None:
        spans.finish(key, {"output": _result(result)})
    else:
        spans.finish(key, {})


def _result(result: Any) -> Any:
    """A reply's text, a tool's output, or whatever it is."""
    nodes = many(result)
    if nodes and get(nodes[0], "node") is not None:
        return [{"text": get(node, "node", "text"), "score": get(node, "score")} for node in nodes]
    for name in ("response", "raw_output", "content"):
        text = get(result, name)
        if is_a(text, (str, int, float, dict, list)):
            return text
    return plain(result)


def _answer(result: Any) -> Dict[str, Any]:
    if is_a(result, list):
        vectors = len(result) if result and is_a(result[0], list) else 1
        return {"attributes": {"embeddings": vectors}}
    message = get(result, "message")
    text = get(message, "content") if message is not None else get(result, "text")
    calls = [
        tool_call(
            get(call, "id"), get(call, "function", "name"), get(call, "function", "arguments")
        )
        for call in many(get(message, "additional_kwargs"), "tool_calls")
    ]
    return {
        "response": text,
        "tool_calls": calls or None,
        **usage_of(get(result, "raw")),
    }


def _event(spans: OpenSpans, event: Any) -> None:
    kind = type(event).__name__
    if kind in ("LLMChatEndEvent", "LLMCompletionEndEvent") and event.response is not None:
        call = spans.get(event.span_id)
        if isinstance(call, ModelCall):
            spans.finish(event.span_id, _answer(event.response))
    elif kind in ("LLMChatInProgressEvent", "LLMCompletionInProgressEvent"):
        call = spans.get(event.span_id)
        if isinstance(call, ModelCall):
            call.first_piece()
