"""Google's generateContent and embeddings, in the names of its HTTP API."""

from __future__ import annotations

from typing import Any, Dict, List

from .reading import Operation, count, get, many, parameters, texts_or, tool_call, total


def _asked(body: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "prompt": body.get("contents"),
        "system_prompt": body.get("systemInstruction"),
        "tool_definitions": body.get("tools"),
        "model_parameters": {
            **(body.get("generationConfig") or {}),
            **(
                parameters(
                    body,
                    "contents",
                    "systemInstruction",
                    "tools",
                    "generationConfig",
                    "_url",
                    "_query",
                )
                or {}
            ),
        }
        or None,
    }


def _answered(answer: Any) -> Dict[str, Any]:
    usage = get(answer, "usageMetadata")
    candidates = many(answer, "candidates")
    texts: List[Any] = []
    calls: List[Dict[str, Any]] = []
    reasoning: List[str] = []
    for candidate in candidates:
        for part in many(candidate, "content", "parts"):
            call = get(part, "functionCall")
            if call is not None:
                calls.append(tool_call(get(call, "id"), get(call, "name"), get(call, "args")))
            elif get(part, "thought") is True:
                reasoning.append(str(get(part, "text")))
            else:
                texts.append((get(part, "text"), part))
    thoughts = count(usage, "thoughtsTokenCount")
    blocked = get(answer, "promptFeedback", "blockReason")
    return {
        "model": get(answer, "modelVersion"),
        "response_id": get(answer, "responseId"),
        "response": texts_or(texts),
        "reasoning": "".join(reasoning) or None,
        "tool_calls": calls or None,
        "finish_reason": get(candidates, 0, "finishReason") or blocked,
        "tokens_input": total(
            count(usage, "promptTokenCount"), count(usage, "toolUsePromptTokenCount")
        ),
        "tokens_output": total(count(usage, "candidatesTokenCount"), thoughts),
        "tokens_cache_read": count(usage, "cachedContentTokenCount"),
        "tokens_reasoning": thoughts,
    }


class _Pieces:
    def __init__(self) -> None:
        self._parts: List[Any] = []
        self._last: Dict[str, Any] = {}
        self._finish: Any = None

    def add(self, piece: Any) -> bool:
        for name in ("usageMetadata", "modelVersion", "responseId", "promptFeedback"):
            value = get(piece, name)
            if value is not None:
                self._last[name] = value
        candidate = get(piece, "candidates", 0)
        parts = many(candidate, "content", "parts")
        self._parts += parts
        self._finish = get(candidate, "finishReason") or self._finish
        return bool(parts)

    def fields(self) -> Dict[str, Any]:
        candidate = {"content": {"parts": self._parts}, "finishReason": self._finish}
        return _answered({**self._last, "candidates": [candidate]})


def _embed_asked(body: Dict[str, Any]) -> Dict[str, Any]:
    requests = many(body, "requests")
    return {
        "prompt": [get(request, "content") for request in requests] or get(body, "content"),
    }


def _embed_answered(answer: Any) -> Dict[str, Any]:
    return {"attributes": {"embeddings": len(many(answer, "embeddings")) or 1}}


_GENERATE = Operation("generate_content", _asked, _answered, _Pieces)
_EMBED = Operation("embed_content", _embed_asked, _embed_answered, _Pieces, "embedding")
# By what stands behind the colon of the address.
OPERATIONS = {
    "generateContent": _GENERATE,
    "streamGenerateContent": _GENERATE,
    "embedContent": _EMBED,
    "batchEmbedContents": _EMBED,
}
