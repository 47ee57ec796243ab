# OpenInference's instrumentation of LangChain, an agent of LangGraph with a tool.
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
LangChainInstrumentor().instrument(tracer_provider=provider)


@tool
def get_weather(city: str) -> str:
    """Get the weather in a city."""
    return "sunny, 25C"


agent = create_react_agent(ChatOpenAI(model="zai/GLM-5.2"), [get_weather])
agent.invoke({"messages": [("user", "What is the weather in Paris?")]})
provider.shutdown()
