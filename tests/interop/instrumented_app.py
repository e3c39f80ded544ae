"""A small application with the OpenTelemetry SDK. Run with an interpreter that has it; prints its trace id as JSON."""
import json
import logging
import sys

from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

endpoint, key = sys.argv[1:3]
resource = Resource.create({"service.name": "crm"})
how = {"headers": {"x-api-key": key}, "compression": Compression.Gzip}

tracers = TracerProvider(resource=resource)
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint + "/v1/traces", **how)))
trace.set_tracer_provider(tracers)
reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint + "/v1/metrics", **how))
meters = MeterProvider(resource=resource, metric_readers=[reader])
metrics.set_meter_provider(meters)
loggers = LoggerProvider(resource=resource)
loggers.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(endpoint + "/v1/logs", **how)))
set_logger_provider(loggers)
logger = logging.getLogger("crm.orders")
logger.addHandler(LoggingHandler(logger_provider=loggers))

meter = metrics.get_meter("crm")
with trace.get_tracer("crm").start_as_current_span("import order", attributes={"weft.business_key": "SO-00004711"}) as span:
    meter.create_counter("crm.orders").add(3, {"channel": "web"})
    meter.create_histogram("crm.import.duration", unit="s").record(0.2)
    with trace.get_tracer("crm").start_as_current_span("reserve stock") as child:
        child.set_status(trace.StatusCode.ERROR, "no stock")
    logger.error("no stock left", extra={"weft.business_key": "SO-00004711"})
    found = format(span.get_span_context().trace_id, "032x")
tracers.shutdown()
meters.shutdown()
loggers.shutdown()
print(json.dumps({"trace": found}))
