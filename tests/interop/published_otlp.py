"""Decodes an Export…ServiceRequest of the named signal from standard input with the published Protobuf classes; prints what is in it as
JSON. Run with an interpreter that has opentelemetry-proto."""
import json
import sys

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def service(resource):
    return next(a.value.string_value for a in resource.attributes if a.key == "service.name")


def spans(request):
    return [{"trace": span.trace_id.hex(), "span": span.span_id.hex(), "parent": span.parent_span_id.hex(), "name": span.name,
             "kind": span.kind, "start": span.start_time_unix_nano, "end": span.end_time_unix_nano, "service": service(each.resource)}
            for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]


def metrics(request):
    return [{"name": metric.name, "kind": metric.WhichOneof("data"), "service": service(each.resource),
             "points": len(getattr(metric, metric.WhichOneof("data")).data_points)}
            for each in request.resource_metrics for scope in each.scope_metrics for metric in scope.metrics]


def records(request):
    return [{"body": record.body.string_value, "severity": record.severity_number, "time": record.time_unix_nano,
             "scope": scope.scope.name, "service": service(each.resource)}
            for each in request.resource_logs for scope in each.scope_logs for record in scope.log_records]


KINDS = {"traces": (ExportTraceServiceRequest, spans), "metrics": (ExportMetricsServiceRequest, metrics),
         "logs": (ExportLogsServiceRequest, records)}
made, read = KINDS[sys.argv[1]]
request = made()
data = sys.stdin.buffer.read()
request.ParseFromString(data)
known = made.FromString(data)
known.DiscardUnknownFields()
print(json.dumps({"items": read(request), "has_unknown_fields": known.SerializeToString() != request.SerializeToString()}))
