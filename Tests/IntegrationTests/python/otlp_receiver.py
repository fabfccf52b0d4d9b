"""Receives spans by OTLP over HTTP, as oteltap does, and prints each as a line of JSON.

    otlp_receiver.py PORT

Ids are hexadecimal, attributes an object. The first line is "listening".
"""

import asyncio
import json
import sys

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings


def value(any_value):
    return getattr(any_value, any_value.WhichOneof("value"))


def document(span):
    return {
        "trace": span.trace_id.hex(), "span": span.span_id.hex(), "parent": span.parent_span_id.hex(),
        "state": span.trace_state, "flags": span.flags, "name": span.name, "kind": Span.SpanKind.Name(span.kind),
        "start": span.start_time_unix_nano, "end": span.end_time_unix_nano,
        "status": Status.StatusCode.Name(span.status.code), "message": span.status.message,
        "events": [event.name for event in span.events],
        "attributes": {pair.key: value(pair.value) for pair in span.attributes},
    }


async def main(port):
    settings = OtelTapHttpProtobufReceiverSettings(http_port=port)
    async with OtelTapHttpProtobufReceiver(settings) as receiver:
        print("listening", flush=True)
        async for span in receiver.stream_traces():
            print(json.dumps(document(span)), flush=True)


asyncio.run(main(int(sys.argv[1])))
