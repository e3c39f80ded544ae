#include "eventlog/rejects.h"

#include <algorithm>
#include <deque>

#include "base/json.h"
#include "base/json_members.h"
#include "base/json_writer.h"
#include "eventlog/ensure_stream.h"
#include "runtime/log.h"

namespace weft::eventlog {
namespace {

constexpr std::int32_t kPartition = 0;
constexpr std::size_t kReasonBytesMax = 500;

std::string text_of_reject(const Reject& reject) {
  JsonWriter out;
  out.object().member("at", to_rfc3339(reject.at)).member("tenant", reject.tenant);
  out.member("stream", reject.stream).member("partition", reject.partition);
  out.member("door", reject.door).member("principal", reject.principal);
  out.member("client", reject.client).member("outcome", reject.outcome);
  out.member("sent", reject.sent).member("broken", reject.broken);
  out.member("index", reject.index).member("reason", reject.reason).end();
  return std::move(out).text();
}

Reject read_reject(const Json& json) {
  Reject reject;
  reject.at = member_time(json, "at").value_or(WallTime());
  reject.tenant = text_of(json, "tenant");
  reject.stream = text_of(json, "stream");
  reject.partition = static_cast<std::int32_t>(member_integer(json, "partition").value_or(-1));
  reject.door = text_of(json, "door");
  reject.principal = text_of(json, "principal");
  reject.client = text_of(json, "client");
  reject.outcome = text_of(json, "outcome");
  reject.sent = member_count(json, "sent").value_or(0);
  reject.broken = member_count(json, "broken").value_or(0);
  reject.index = member_integer(json, "index").value_or(0);
  reject.reason = text_of(json, "reason");
  return reject;
}

}  // namespace

Rejects::Rejects(EventLog& log, Clock& clock, Metrics& metrics)
    : log_(log),
      clock_(clock),
      dropped_(metrics.counter("weft_eventlog_rejects_not_kept_total",
                               "Batches that broke a contract and are counted alone, because too "
                               "many came at once")) {}

void Rejects::note(Reject reject) {
  reject.at = clock_.now();
  if (reject.reason.size() > kReasonBytesMax) reject.reason.resize(kReasonBytesMax);
  const std::lock_guard lock(mutex_);
  if (noted_.size() >= kPerStepMax) {
    dropped_.add();
    return;
  }
  noted_.push_back(std::move(reject));
}

Task<Result<>> Rejects::start() {
  StreamSettings settings;
  settings.name = kRejectsStream;
  settings.retention = std::chrono::hours(24 * 7);
  settings.retention_bytes = std::uint64_t{64} * 1024 * 1024;
  CO_TRY(const auto made, co_await ensure_stream(log_, std::move(settings)));
  stream_ = made.id;
  co_return Result<>();
}

Task<void> Rejects::flush() {
  std::vector<Reject> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(noted_);
  }
  if (taken.empty()) co_return;
  std::vector<NewRecords> entry(1);
  entry[0].stream = stream_;
  entry[0].partition = kPartition;
  for (const auto& reject : taken) {
    auto& record = entry[0].records.emplace_back();
    record.key = reject.tenant + "/" + reject.stream;
    record.value = text_of_reject(reject);
  }
  const auto appended = co_await log_.append(std::move(entry));
  if (!appended) {
    dropped_.add(taken.size());
    log_warn("eventlog", "what broke contracts could not be noted",
             {{"why", appended.error().message}});
  }
}

Task<void> Rejects::run() {
  while (true) {
    const auto slept = co_await clock_.sleep_for(kStep);
    if (!slept) break;
    co_await flush();
  }
}

Task<Result<std::vector<Reject>>> Rejects::latest(std::string tenant, std::string stream,
                                                  std::size_t limit) const {
  constexpr Offset kScannedMax = 10'000;
  const PartitionId id{stream_, kPartition};
  const auto info = log_.partition(id);
  if (!info) co_return std::vector<Reject>();
  std::deque<Reject> found;
  ReadRequest request;
  request.partition = id;
  request.from = std::max(info->start, info->end - kScannedMax);
  while (request.from < info->end) {
    CO_TRY(const auto read, co_await log_.read(request));
    if (read.next <= request.from) break;
    request.from = read.next;
    for (const auto& record : read.records) {
      const auto document = JsonDocument::parse(record.value.value_or(""));
      if (!document) continue;
      auto reject = read_reject(document->root());
      if (reject.tenant != tenant || reject.stream != stream) continue;
      found.push_front(std::move(reject));
      if (found.size() > limit) found.pop_back();
    }
  }
  co_return std::vector<Reject>(std::make_move_iterator(found.begin()),
                                std::make_move_iterator(found.end()));
}

}  // namespace weft::eventlog
