"""What the server was told, as a tree."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

Tell = Callable[[], List[Dict[str, Any]]]


def tree(events: List[Dict[str, Any]]) -> List[Any]:
    """Type and name of each event, with those inside of it: what belongs to what."""

    def below(parent: Any) -> List[Any]:
        return [
            [event["event_type"], event.get("name"), *below(event["span_id"])]
            for event in events
            if event.get("parent_span_id") == parent and event.get("span_id") != parent
        ]

    known = {event.get("span_id") for event in events}
    roots = [event for event in events if event.get("parent_span_id") not in known]
    return [
        [event["event_type"], event.get("name"), *below(event.get("span_id"))] for event in roots
    ]
