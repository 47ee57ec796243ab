"""Random export requests, made by Google's protobuf library from OpenTelemetry's own definitions.

Arguments: a seed and how many. A line each: signal, protobuf as base64, the same message as JSON.
"""

import base64
import random
import sys

from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
ID_BYTES = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}
# An id or a name is always there: an item without them is rejected, by whatever encoding.
REQUIRED = {"trace_id", "span_id", "name", "resource_spans", "resource_logs", "resource_metrics"}
ALPHABET = "abz09 _.\u00e4\u20ac\U0001f600\"\\\n\x00"
DEPTH_MAX = 14

rng = random.Random(int(sys.argv[1]))


def text():
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(1, 12)))


def integer(bits, signed):
    edge = [0, 1, 2**31 - 1, 2**53 - 1, 2**53 + 1, 2 ** (bits - signed) - 1, rng.getrandbits(bits - signed)]
    value = rng.choice([one for one in edge if one < 2 ** (bits - signed)])
    return -value if signed and rng.random() < 0.3 else value


def number():
    return rng.choice([0.0, 1.5, -2.25, 1e300, 5e-324, float("nan"), float("inf"), rng.random()])


def scalar(field):
    kinds = {
        Field.TYPE_STRING: text,
        Field.TYPE_BOOL: lambda: rng.random() < 0.5,
        Field.TYPE_DOUBLE: number,
        Field.TYPE_INT32: lambda: integer(32, 1),
        Field.TYPE_SINT32: lambda: integer(32, 1),
        Field.TYPE_UINT32: lambda: integer(32, 0),
        Field.TYPE_FIXED32: lambda: integer(32, 0),
        Field.TYPE_INT64: lambda: integer(64, 1),
        Field.TYPE_SFIXED64: lambda: integer(64, 1),
        Field.TYPE_UINT64: lambda: integer(64, 0),
        Field.TYPE_FIXED64: lambda: integer(64, 0),
        Field.TYPE_ENUM: lambda: rng.choice(field.enum_type.values).number,
        Field.TYPE_BYTES: lambda: rng.randbytes(ID_BYTES.get(field.name, rng.randrange(6))),
    }
    return kinds[field.type]()


def fill(message, depth=0):
    chosen = {oneof.name: rng.choice(oneof.fields).name for oneof in message.DESCRIPTOR.oneofs}
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof is not None and chosen[oneof.name] != field.name:
            continue
        if field.name not in REQUIRED and rng.random() < 0.25:
            continue
        if field.message_type is not None:
            if depth == DEPTH_MAX:
                continue
            if field.is_repeated:
                for _ in range(rng.randrange(1, 3)):
                    fill(getattr(message, field.name).add(), depth + 1)
            else:
                getattr(message, field.name).SetInParent()
                fill(getattr(message, field.name), depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).extend(scalar(field) for _ in range(rng.randrange(4)))
        else:
            setattr(message, field.name, scalar(field))


for at in range(int(sys.argv[2])):
    signal = rng.choice(list(REQUESTS))
    request = REQUESTS[signal]()
    fill(request)
    wire = base64.b64encode(request.SerializeToString()).decode()
    print(signal, wire, MessageToJson(request, indent=None), sep="\t")
