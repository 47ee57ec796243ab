# OpenLLMetry's instrumentations of OpenAI and Anthropic.
import anthropic
import openai
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)
AnthropicInstrumentor().instrument(tracer_provider=provider)
weather = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}
question = [{"role": "user", "content": "What is the weather in Paris?"}]
openai.OpenAI().chat.completions.create(
    model="zai/GLM-5.2", messages=question, tools=[weather], temperature=0.5
)
anthropic.Anthropic().messages.create(
    model="claude-haiku-4-5",
    max_tokens=100,
    system="Think step by step.",
    messages=[{"role": "user", "content": "Who is the youngest?"}],
)
provider.shutdown()
