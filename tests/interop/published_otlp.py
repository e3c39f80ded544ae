"""Decodes an ExportTraceServiceRequest from standard input with the published Protobuf classes; prints its spans as JSON.
Run with an interpreter that has opentelemetry-proto."""
import json
import sys

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

request = ExportTraceServiceRequest()
data = sys.stdin.buffer.read()
request.ParseFromString(data)
known = ExportTraceServiceRequest.FromString(data)
known.DiscardUnknownFields()
spans = [{"trace": span.trace_id.hex(), "span": span.span_id.hex(), "parent": span.parent_span_id.hex(), "name": span.name,
          "kind": span.kind, "start": span.start_time_unix_nano, "end": span.end_time_unix_nano,
          "service": next(a.value.string_value for a in each.resource.attributes if a.key == "service.name")}
         for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]
print(json.dumps({"spans": spans, "has_unknown_fields": known.SerializeToString() != request.SerializeToString()}))
