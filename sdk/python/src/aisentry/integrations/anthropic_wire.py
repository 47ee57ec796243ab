"""Anthropic's messages: asked, answered, and streamed in pieces."""

from __future__ import annotations

from typing import Any, Dict, List

from .reading import Operation, count, get, many, parameters, plain, texts_or, tool_call, total


def _asked(body: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "model_requested": body.get("model"),
        "prompt": body.get("messages"),
        "system_prompt": body.get("system"),
        "tool_definitions": body.get("tools"),
        "model_parameters": parameters(body, "model", "messages", "system", "tools"),
    }


def usage_fields(usage: Any) -> Dict[str, Any]:
    """Anthropic counts what it cached apart from its input; here the input is all of it."""
    read = count(usage, "cache_read_input_tokens")
    written = count(usage, "cache_creation_input_tokens")
    return {
        "tokens_input": total(count(usage, "input_tokens"), read, written),
        "tokens_output": count(usage, "output_tokens"),
        "tokens_cache_read": read,
        "tokens_cache_write": written,
        "tokens_cache_write_1h": count(usage, "cache_creation", "ephemeral_1h_input_tokens"),
        "service_tier": get(usage, "service_tier"),
    }


def _answered(answer: Any) -> Dict[str, Any]:
    texts: List[Any] = []
    calls: List[Dict[str, Any]] = []
    reasoning: List[str] = []
    for block in many(answer, "content"):
        kind = get(block, "type")
        if kind == "tool_use":
            calls.append(tool_call(get(block, "id"), get(block, "name"), get(block, "input")))
        elif kind == "thinking":
            reasoning.append(str(get(block, "thinking")))
        elif kind != "redacted_thinking":
            texts.append((get(block, "text") if kind == "text" else None, block))
    return {
        "model": get(answer, "model"),
        "response_id": get(answer, "id"),
        "response": texts_or(texts),
        "reasoning": "".join(reasoning) or None,
        "tool_calls": calls or None,
        "finish_reason": get(answer, "stop_reason"),
        **usage_fields(get(answer, "usage")),
    }


class _Pieces:
    def __init__(self) -> None:
        self._message: Dict[str, Any] = {}
        self._usage: Dict[str, Any] = {}
        self._blocks: Dict[Any, Dict[str, Any]] = {}
        self._stop: Any = None

    def add(self, piece: Any) -> bool:
        kind = get(piece, "type")
        if kind == "message_start":
            message = get(piece, "message")
            self._message = {name: get(message, name) for name in ("id", "model")}
            self._usage.update(plain(get(message, "usage")) or {})
        elif kind == "content_block_start":
            self._blocks[get(piece, "index")] = {
                **(plain(get(piece, "content_block")) or {}),
                "pieces": [],
            }
        elif kind == "content_block_delta":
            delta = get(piece, "delta")
            block = self._blocks.setdefault(get(piece, "index"), {"type": "text", "pieces": []})
            for name in ("text", "partial_json", "thinking"):
                text = get(delta, name)
                if isinstance(text, str):
                    block["pieces"].append(text)
            return True
        elif kind == "message_delta":
            self._stop = get(piece, "delta", "stop_reason") or self._stop
            # What the end says replaces what the beginning said.
            usage: Dict[str, Any] = plain(get(piece, "usage")) or {}
            self._usage.update({name: usage[name] for name in usage if usage[name] is not None})
        return False

    def fields(self) -> Dict[str, Any]:
        content: List[Dict[str, Any]] = []
        for _, block in sorted(self._blocks.items(), key=lambda entry: str(entry[0]).zfill(9)):
            text = "".join(block.pop("pieces"))
            if block.get("type") in ("text", "thinking"):
                block[block["type"]] = (block.get(block["type"]) or "") + text
            elif text:
                block["input"] = tool_call(None, None, text).get("arguments")
            content.append(block)
        return _answered(
            {
                **self._message,
                "content": content,
                "usage": self._usage,
                "stop_reason": self._stop,
            }
        )


OPERATIONS = {"messages": Operation("messages", _asked, _answered, _Pieces)}
