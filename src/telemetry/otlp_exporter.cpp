#include "telemetry/otlp_exporter.h"

#include <algorithm>
#include <charconv>

#include "runtime/log.h"

namespace weft::telemetry {

namespace {

constexpr std::string_view kTracesPath = "/v1/traces";
constexpr std::string_view kModule = "telemetry";

Result<http::Url> traces_url(std::string_view endpoint) {
  auto url = http::Url::parse(endpoint);
  if (url && url->target == "/") url->target = kTracesPath;
  return url;
}

// Retry-After in seconds (RFC 9110 section 10.2.3); a date counts as absent: receivers send
// seconds.
Duration retry_after_of(const http::ClientResponse& response) {
  auto text = response.find("Retry-After");
  std::uint32_t seconds = 0;
  if (!text) return {};
  auto parsed = std::from_chars(text->data(), text->data() + text->size(), seconds);
  return parsed.ec == std::errc() ? std::chrono::seconds(seconds) : Duration::zero();
}

bool may_work_later(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

bool may_work_later(ErrorCode code) {
  return code == ErrorCode::Unavailable || code == ErrorCode::DeadlineExceeded ||
         code == ErrorCode::IoError || code == ErrorCode::ResourceExhausted ||
         code == ErrorCode::Cancelled;
}

}  // namespace

OtlpResource weft_resource(std::string_view version, std::string_view instance_id) {
  OtlpResource resource;
  resource.scope_version = version;
  resource.attributes = {{"service.name", "weft"}, {"service.version", std::string(version)}};
  if (!instance_id.empty()) {
    resource.attributes.emplace_back("service.instance.id", std::string(instance_id));
  }
  return resource;
}

OtlpExporter::OtlpExporter(TraceStore& store, OtlpSender sender, Clock& clock, Random& random,
                           Metrics& metrics, OtlpExporterOptions options)
    : store_(store),
      sender_(std::move(sender)),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      url_(traces_url(options_.endpoint)),
      exported_(metrics.counter("weft_telemetry_exported_spans_total",
                                "Spans that the OTLP receiver accepted")),
      dropped_(metrics.counter("weft_telemetry_dropped_spans_total",
                               "Spans that were not exported: refused, or the receiver was away "
                               "for too long")),
      failed_attempts_(metrics.counter("weft_telemetry_export_failures_total",
                                       "Attempts to send a batch that failed")) {
  store_.start_export();
}

OtlpExporter::Batch OtlpExporter::next_batch() {
  const auto slices = store_.take_unexported(options_.batch_spans_max);
  Batch batch;
  for (const auto& slice : slices) batch.spans += slice.size();
  if (batch.spans == 0) return batch;
  batch.body = options_.encoding == OtlpEncoding::Json ? otlp_json(slices, options_.resource)
                                                       : otlp_protobuf(slices, options_.resource);
  return batch;
}

void OtlpExporter::count_lost_in_store() {
  const auto lost = store_.stats().spans_unexported;
  dropped_.add(lost - lost_in_store_);
  lost_in_store_ = lost;
}

Task<OtlpExporter::Answer> OtlpExporter::send_once(const Batch& batch) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = *url_;
  request.fields = options_.fields;
  const bool is_json = options_.encoding == OtlpEncoding::Json;
  request.fields.emplace_back("Content-Type",
                              is_json ? "application/json" : "application/x-protobuf");
  request.body = batch.body;
  request.timeout = options_.request_timeout;
  auto response = co_await sender_(std::move(request));

  Answer answer;
  if (!response) {
    answer.verdict = may_work_later(response.error().code) ? Verdict::Later : Verdict::Refused;
    answer.reason = std::move(response.error().message);
    co_return answer;
  }
  answer.reason = fmt::format("status {}", response->status);
  answer.retry_after = retry_after_of(*response);
  if (response->status >= 200 && response->status < 300)
    answer.verdict = Verdict::Accepted;
  else if (!may_work_later(response->status))
    answer.verdict = Verdict::Refused;
  co_return answer;
}

Duration OtlpExporter::backoff(std::uint32_t attempt, Duration retry_after) {
  auto wait = options_.backoff_first;
  for (std::uint32_t i = 1; i < attempt && wait < options_.backoff_max; ++i) wait *= 2;
  wait = std::min(wait, options_.backoff_max);
  // Half of it is chance, so that nodes that lost one receiver do not return to it together.
  const auto half = static_cast<std::uint64_t>(wait.count() / 2 + 1);
  const auto jittered = wait - Duration(static_cast<Duration::rep>(random_.below(half)));
  return std::max(jittered, std::min(retry_after, options_.backoff_max));
}

void OtlpExporter::settle(const Batch& batch, const Answer& answer) {
  if (answer.verdict == Verdict::Accepted) {
    exported_.add(batch.spans);
    if (std::exchange(was_failing_, false)) log_info(kModule, "the OTLP receiver is back");
    return;
  }
  dropped_.add(batch.spans);
  // Once per outage: a receiver that is away must not fill the log.
  if (std::exchange(was_failing_, true)) return;
  log_warn(kModule, "spans were dropped: the OTLP receiver did not take them",
           {{"endpoint", options_.endpoint}, {"reason", answer.reason}});
}

Task<Result<>> OtlpExporter::send_with_retry(Batch batch) {
  for (std::uint32_t attempt = 1;; ++attempt) {
    auto answer = co_await send_once(batch);
    if (answer.verdict != Verdict::Accepted) failed_attempts_.add();
    if (answer.verdict != Verdict::Later || attempt >= options_.attempts_max) {
      settle(batch, answer);
      co_return Result<>();
    }
    auto slept = co_await clock_.sleep_for(backoff(attempt, answer.retry_after));
    if (!slept) {
      interrupted_ = std::move(batch);
      co_return slept;
    }
  }
}

Task<Result<>> OtlpExporter::run() {
  if (!url_) co_return std::unexpected(url_.error());
  for (;;) {
    auto batch = next_batch();
    count_lost_in_store();
    const bool was_full = batch.spans >= options_.batch_spans_max;
    if (batch.spans > 0) CO_CHECK(co_await send_with_retry(std::move(batch)));
    if (!was_full) CO_CHECK(co_await clock_.sleep_for(options_.interval));
  }
}

Task<Result<>> OtlpExporter::flush() {
  if (!url_) co_return std::unexpected(url_.error());
  auto batch = std::exchange(interrupted_, {});
  if (batch.spans == 0) batch = next_batch();
  for (; batch.spans > 0; batch = next_batch()) {
    auto answer = co_await send_once(batch);
    settle(batch, answer);
    if (answer.verdict != Verdict::Accepted) {
      co_return fail(ErrorCode::Unavailable, "the OTLP receiver did not take the last spans: {}",
                     answer.reason);
    }
  }
  count_lost_in_store();
  co_return Result<>();
}

}  // namespace weft::telemetry
