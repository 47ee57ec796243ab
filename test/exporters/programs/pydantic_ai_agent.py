# Pydantic AI with its own instrumentation.
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
agent = Agent(
    OpenAIChatModel("zai/GLM-5.2"),
    name="forecaster",
    instructions="Be brief.",
)
Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))


@agent.tool_plain
def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return "sunny, 25C"


agent.run_sync("What is the weather in Paris?")
provider.shutdown()
