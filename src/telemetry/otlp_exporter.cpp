#include "telemetry/otlp_exporter.h"

#include <algorithm>
#include <charconv>

#include "runtime/log.h"

namespace weft::telemetry {

namespace {

constexpr std::string_view kModule = "telemetry";

// Many write the whole address of the traces where the receiver's is asked for.
Result<http::Url> url_of(std::string_view endpoint, const ExportWire& wire) {
  auto url = http::Url::parse(endpoint);
  if (!url) return url;
  std::string_view base = url->target;
  if (base.ends_with(wire.path_often_set)) base.remove_suffix(wire.path_often_set.size());
  while (base.ends_with('/')) base.remove_suffix(1);
  url->target = std::string(base).append(wire.path);
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

OtlpExporter::OtlpExporter(OtlpSource& source, OtlpSender sender, Clock& clock, Random& random,
                           Metrics& metrics, OtlpExporterOptions options)
    : source_(source),
      sender_(std::move(sender)),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      wire_(source.wire()),
      url_(url_of(options_.endpoint, wire_)),
      counters_(source.counters(metrics)),
      failed_attempts_(metrics.counter("weft_telemetry_export_failures_total",
                                       "Attempts to send a batch that failed")) {}

bool OtlpExporter::sends_protobuf() const {
  return wire_.protobuf != nullptr && options_.encoding == OtlpEncoding::Protobuf;
}

OtlpExporter::Batch OtlpExporter::next_batch() {
  auto given = source_.next();
  Batch batch{std::move(given.json), given.items, given.has_more};
  if (batch.items > 0 && sends_protobuf())
    batch.body = otlp_protobuf_of(*wire_.protobuf, std::move(batch.body));
  return batch;
}

void OtlpExporter::count_lost_in_source() {
  const auto lost = source_.lost();
  counters_.dropped.add(lost - lost_in_source_);
  lost_in_source_ = lost;
}

Task<OtlpExporter::Answer> OtlpExporter::send_once(const Batch& batch) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = *url_;
  request.fields = options_.fields;
  request.fields.emplace_back("Content-Type",
                              sends_protobuf() ? "application/x-protobuf" : "application/json");
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
  if (response->status == 404) answer.reason.append(": ").append(wire_.not_found_hint);
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
    counters_.exported.add(batch.items);
    if (std::exchange(was_failing_, false))
      log_info(kModule, fmt::format("the {} is back", wire_.receiver));
    return;
  }
  counters_.dropped.add(batch.items);
  // Once per outage: a receiver that is away must not fill the log.
  if (std::exchange(was_failing_, true)) return;
  log_warn(kModule, fmt::format("telemetry was dropped: the {} did not take it", wire_.receiver),
           {{"endpoint", options_.endpoint}, {"path", url_->target}, {"reason", answer.reason}});
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
    count_lost_in_source();
    const bool has_more = batch.has_more;
    if (batch.items > 0) CO_CHECK(co_await send_with_retry(std::move(batch)));
    if (!has_more) CO_CHECK(co_await clock_.sleep_for(options_.interval));
  }
}

Task<Result<>> OtlpExporter::flush() {
  if (!url_) co_return std::unexpected(url_.error());
  auto batch = std::exchange(interrupted_, {});
  if (batch.items == 0) batch = next_batch();
  while (batch.items > 0) {
    auto answer = co_await send_once(batch);
    settle(batch, answer);
    if (answer.verdict != Verdict::Accepted) {
      co_return fail(ErrorCode::Unavailable, "the {} did not take the last of {}: {}",
                     wire_.receiver, url_->target, answer.reason);
    }
    const bool has_more = batch.has_more;
    batch = has_more ? next_batch() : Batch();
  }
  count_lost_in_source();
  co_return Result<>();
}

}  // namespace weft::telemetry
