# Langfuse's Python SDK of the generation before, which sends to the ingestion API.
import time

from langfuse import Langfuse

langfuse = Langfuse(flush_interval=0.2)
assert langfuse.auth_check()
trace = langfuse.trace(name="trip", user_id="noor", session_id="session-1", input={"q": "Porto"})
span = trace.span(name="plan", input={"a": 1})
generation = span.generation(
    name="ask", model="gpt-4o", input=[{"role": "user", "content": "hi"}]
)
# The creation and the end are sent apart.
time.sleep(0.8)
generation.end(output={"role": "assistant", "content": "ho"}, usage={"input": 100, "output": 20})
span.end(output="done")
trace.update(output="booked")
trace.score(name="quality", value=0.9)
langfuse.flush()
langfuse.shutdown()
