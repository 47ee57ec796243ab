# Langfuse's Python SDK of the OpenTelemetry generation.
from langfuse import get_client, propagate_attributes

pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

langfuse = get_client()
assert langfuse.auth_check()
with langfuse.start_as_current_observation(name="trip", as_type="agent", input={"q": f"data:image/png;base64,{pixel}"}) as trip:
    with propagate_attributes(user_id="noor", session_id="session-1", tags=["beta"]):
        with langfuse.start_as_current_observation(
            name="ask",
            as_type="generation",
            model="gpt-4o",
            model_parameters={"temperature": 0.1},
            input=[{"role": "user", "content": "hi"}],
        ) as generation:
            generation.update(
                output={"role": "assistant", "content": "ho"},
                usage_details={"input": 100, "output": 20},
                cost_details={"total": 0.5},
            )
            generation.score(name="tone", value=0.7)
        with langfuse.start_as_current_observation(name="look", as_type="tool", input={"a": 1}) as tool:
            tool.update(output="found")
    trip.update(output="booked")
langfuse.shutdown()
