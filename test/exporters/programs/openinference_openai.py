# OpenInference's instrumentation of OpenAI, a streamed answer.
import openai
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)
with using_attributes(session_id="session-1", user_id="noor", tags=["beta"]):
    stream = openai.OpenAI().chat.completions.create(
        model="meta-llama/Llama-3.3-70B-Instruct",
        messages=[{"role": "user", "content": "Count from 1 to 5, comma separated."}],
        stream=True,
        stream_options={"include_usage": True},
    )
    for _ in stream:
        pass
provider.shutdown()
