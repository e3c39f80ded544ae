// Field numbers of opentelemetry/proto/{common,resource,trace,metrics,logs}/v1/*.proto. check:
// table
#include "telemetry/core/otlp_messages.h"

namespace weft::telemetry {

namespace {

extern const WireMessage any_value_wire;
extern const WireMessage key_value_wire;

constexpr WireField kArrayFields[] = {{1, "values", WireKind::Message, true, &any_value_wire}};
constexpr WireMessage kArray{kArrayFields};
constexpr WireField kKeyValueListFields[] = {
    {1, "values", WireKind::Message, true, &key_value_wire}};
constexpr WireMessage kKeyValueList{kKeyValueListFields};
constexpr WireField kAnyValueFields[] = {
    {1, "stringValue", WireKind::Text},
    {2, "boolValue", WireKind::Bool},
    {3, "intValue", WireKind::Int},
    {4, "doubleValue", WireKind::Double},
    {5, "arrayValue", WireKind::Message, false, &kArray},
    {6, "kvlistValue", WireKind::Message, false, &kKeyValueList},
    {7, "bytesValue", WireKind::Base64}};
const WireMessage any_value_wire{kAnyValueFields};
constexpr WireField kKeyValueFields[] = {{1, "key", WireKind::Text},
                                         {2, "value", WireKind::Message, false, &any_value_wire}};
const WireMessage key_value_wire{kKeyValueFields};
constexpr WireField kResourceFields[] = {
    {1, "attributes", WireKind::Message, true, &key_value_wire}};
constexpr WireMessage kResourceWire{kResourceFields};
constexpr WireField kScopeFields[] = {{1, "name", WireKind::Text}, {2, "version", WireKind::Text}};
constexpr WireMessage kScopeWire{kScopeFields};

constexpr WireField kStatusFields[] = {{2, "message", WireKind::Text}, {3, "code", WireKind::Int}};
constexpr WireMessage kStatusWire{kStatusFields};
constexpr WireField kSpanFields[] = {{1, "traceId", WireKind::Hex},
                                     {2, "spanId", WireKind::Hex},
                                     {4, "parentSpanId", WireKind::Hex},
                                     {5, "name", WireKind::Text},
                                     {6, "kind", WireKind::Int},
                                     {7, "startTimeUnixNano", WireKind::Fixed64},
                                     {8, "endTimeUnixNano", WireKind::Fixed64},
                                     {9, "attributes", WireKind::Message, true, &key_value_wire},
                                     {15, "status", WireKind::Message, false, &kStatusWire}};
constexpr WireMessage kSpanWire{kSpanFields};
constexpr WireField kScopeSpansFields[] = {{1, "scope", WireKind::Message, false, &kScopeWire},
                                           {2, "spans", WireKind::Message, true, &kSpanWire}};
constexpr WireMessage kScopeSpans{kScopeSpansFields};
constexpr WireField kResourceSpansFields[] = {
    {1, "resource", WireKind::Message, false, &kResourceWire},
    {2, "scopeSpans", WireKind::Message, true, &kScopeSpans}};
constexpr WireMessage kResourceSpans{kResourceSpansFields};
constexpr WireField kTracesFields[] = {
    {1, "resourceSpans", WireKind::Message, true, &kResourceSpans}};
constexpr WireMessage kTraces{kTracesFields};

constexpr WireField kLogRecordFields[] = {
    {1, "timeUnixNano", WireKind::Fixed64},
    {11, "observedTimeUnixNano", WireKind::Fixed64},
    {2, "severityNumber", WireKind::Int},
    {3, "severityText", WireKind::Text},
    {5, "body", WireKind::Message, false, &any_value_wire},
    {6, "attributes", WireKind::Message, true, &key_value_wire},
    {9, "traceId", WireKind::Hex},
    {10, "spanId", WireKind::Hex}};
constexpr WireMessage kLogRecord{kLogRecordFields};
constexpr WireField kScopeLogsFields[] = {{1, "scope", WireKind::Message, false, &kScopeWire},
                                          {2, "logRecords", WireKind::Message, true, &kLogRecord}};
constexpr WireMessage kScopeLogs{kScopeLogsFields};
constexpr WireField kResourceLogsFields[] = {
    {1, "resource", WireKind::Message, false, &kResourceWire},
    {2, "scopeLogs", WireKind::Message, true, &kScopeLogs}};
constexpr WireMessage kResourceLogs{kResourceLogsFields};
constexpr WireField kLogsFields[] = {{1, "resourceLogs", WireKind::Message, true, &kResourceLogs}};
constexpr WireMessage kLogs{kLogsFields};

constexpr WireField kExemplarFields[] = {{2, "timeUnixNano", WireKind::Fixed64},
                                         {3, "asDouble", WireKind::Double},
                                         {4, "spanId", WireKind::Hex},
                                         {5, "traceId", WireKind::Hex}};
constexpr WireMessage kExemplar{kExemplarFields};
constexpr WireField kNumberPointFields[] = {
    {7, "attributes", WireKind::Message, true, &key_value_wire},
    {2, "startTimeUnixNano", WireKind::Fixed64},
    {3, "timeUnixNano", WireKind::Fixed64},
    {4, "asDouble", WireKind::Double},
    {6, "asInt", WireKind::SignedFixed64},
    {8, "flags", WireKind::Int}};
constexpr WireMessage kNumberPoint{kNumberPointFields};
constexpr WireField kGaugeFields[] = {{1, "dataPoints", WireKind::Message, true, &kNumberPoint}};
constexpr WireMessage kGauge{kGaugeFields};
constexpr WireField kSumFields[] = {{1, "dataPoints", WireKind::Message, true, &kNumberPoint},
                                    {2, "aggregationTemporality", WireKind::Int},
                                    {3, "isMonotonic", WireKind::Bool}};
constexpr WireMessage kSum{kSumFields};
constexpr WireField kHistogramPointFields[] = {
    {9, "attributes", WireKind::Message, true, &key_value_wire},
    {2, "startTimeUnixNano", WireKind::Fixed64},
    {3, "timeUnixNano", WireKind::Fixed64},
    {4, "count", WireKind::Fixed64},
    {5, "sum", WireKind::Double},
    {6, "bucketCounts", WireKind::Fixed64, true},
    {7, "explicitBounds", WireKind::Double, true},
    {8, "exemplars", WireKind::Message, true, &kExemplar}};
constexpr WireMessage kHistogramPoint{kHistogramPointFields};
constexpr WireField kHistogramFields[] = {
    {1, "dataPoints", WireKind::Message, true, &kHistogramPoint},
    {2, "aggregationTemporality", WireKind::Int}};
constexpr WireMessage kHistogram{kHistogramFields};
constexpr WireField kAnyPointFields[] = {{4, "count", WireKind::Fixed64}};
constexpr WireMessage kAnyPoint{kAnyPointFields};
constexpr WireField kOtherKindFields[] = {{1, "dataPoints", WireKind::Message, true, &kAnyPoint}};
constexpr WireMessage kOtherKind{kOtherKindFields};
constexpr WireField kMetricFields[] = {
    {1, "name", WireKind::Text},
    {2, "description", WireKind::Text},
    {3, "unit", WireKind::Text},
    {5, "gauge", WireKind::Message, false, &kGauge},
    {7, "sum", WireKind::Message, false, &kSum},
    {9, "histogram", WireKind::Message, false, &kHistogram},
    {10, "exponentialHistogram", WireKind::Message, false, &kOtherKind},
    {11, "summary", WireKind::Message, false, &kOtherKind}};
constexpr WireMessage kMetric{kMetricFields};
constexpr WireField kScopeMetricsFields[] = {{1, "scope", WireKind::Message, false, &kScopeWire},
                                             {2, "metrics", WireKind::Message, true, &kMetric}};
constexpr WireMessage kScopeMetrics{kScopeMetricsFields};
constexpr WireField kResourceMetricsFields[] = {
    {1, "resource", WireKind::Message, false, &kResourceWire},
    {2, "scopeMetrics", WireKind::Message, true, &kScopeMetrics}};
constexpr WireMessage kResourceMetrics{kResourceMetricsFields};
constexpr WireField kMetricsFields[] = {
    {1, "resourceMetrics", WireKind::Message, true, &kResourceMetrics}};
constexpr WireMessage kMetricsWire{kMetricsFields};

// Of opentelemetry/proto/collector/*/v1/*_service.proto, which are alike but for one name.
constexpr WireField kRejectedSpansFields[] = {{1, "rejectedSpans", WireKind::Int},
                                              {2, "errorMessage", WireKind::Text}};
constexpr WireField kRejectedPointsFields[] = {{1, "rejectedDataPoints", WireKind::Int},
                                               {2, "errorMessage", WireKind::Text}};
constexpr WireField kRejectedLogsFields[] = {{1, "rejectedLogRecords", WireKind::Int},
                                             {2, "errorMessage", WireKind::Text}};
constexpr WireMessage kRejectedSpans{kRejectedSpansFields};
constexpr WireMessage kRejectedPoints{kRejectedPointsFields};
constexpr WireMessage kRejectedLogs{kRejectedLogsFields};
constexpr WireField kTracesAnswerFields[] = {
    {1, "partialSuccess", WireKind::Message, false, &kRejectedSpans}};
constexpr WireField kMetricsAnswerFields[] = {
    {1, "partialSuccess", WireKind::Message, false, &kRejectedPoints}};
constexpr WireField kLogsAnswerFields[] = {
    {1, "partialSuccess", WireKind::Message, false, &kRejectedLogs}};
constexpr WireMessage kTracesAnswer{kTracesAnswerFields};
constexpr WireMessage kMetricsAnswer{kMetricsAnswerFields};
constexpr WireMessage kLogsAnswer{kLogsAnswerFields};
constexpr WireField kRpcStatusFields[] = {{1, "code", WireKind::Int},
                                          {2, "message", WireKind::Text}};
constexpr WireMessage kRpcStatus{kRpcStatusFields};

}  // namespace

std::uint32_t wire_type_of(WireKind kind) {
  switch (kind) {
    case WireKind::Bool:
    case WireKind::Int:
      return kWireVarint;
    case WireKind::Fixed64:
    case WireKind::SignedFixed64:
    case WireKind::Double:
      return kWireFixed64;
    case WireKind::Fixed32:
      return kWireFixed32;
    case WireKind::Text:
    case WireKind::Hex:
    case WireKind::Base64:
    case WireKind::Message:
      return kWireBytes;
  }
  return kWireBytes;
}

const WireMessage& request_message(OtlpSignal signal) {
  switch (signal) {
    case OtlpSignal::Traces:
      return kTraces;
    case OtlpSignal::Metrics:
      return kMetricsWire;
    case OtlpSignal::Logs:
      return kLogs;
  }
  return kTraces;
}

const WireMessage& response_message(OtlpSignal signal) {
  switch (signal) {
    case OtlpSignal::Traces:
      return kTracesAnswer;
    case OtlpSignal::Metrics:
      return kMetricsAnswer;
    case OtlpSignal::Logs:
      return kLogsAnswer;
  }
  return kTracesAnswer;
}

const WireMessage& status_message() {
  return kRpcStatus;
}

}  // namespace weft::telemetry
