#include "eventlog/kafka/handlers/record_checks.h"

#include "eventlog/core/record_fault.h"
#include "eventlog/origin.h"
#include "eventlog/quarantine.h"

namespace weft::kafka {
namespace {

using eventlog::BatchHeader;
using Partition = PreparedProduce::Partition;

// How many refused records of a batch are named in the answer.
constexpr std::size_t kRecordErrorsMax = 100;
// How many records of a batch get a span for their business keys: what a batch costs stays bounded.
constexpr std::size_t kKeyedRecordsMax = 200;

std::optional<TraceContext> sent_trace(const eventlog::RecordView& record) {
  auto headers = record.headers;
  while (auto header = headers.next()) {
    if (header->name == "traceparent")
      return TraceContext::parse(header->value.value_or(std::string_view()));
  }
  return std::nullopt;
}

// Which records of a batch are not stored, by index.
struct Findings {
  std::vector<std::pair<std::int32_t, std::string>> faults;  // with what is wrong
  std::vector<std::int32_t> duplicates;  // events that are in the stream already
  bool empty() const { return faults.empty() && duplicates.empty(); }
};

// False when nobody knows yet whether the event is in the stream: then the batch is refused for
// now.
bool claim_event(Call& call, const eventlog::Stream& stream, const eventlog::RecordView& record,
                 std::int32_t index, Partition& partition, Findings& findings) {
  using Outcome = eventlog::DedupeIndex::Outcome;
  std::string_view source;
  std::string_view id;
  auto headers = record.headers;
  while (auto header = headers.next()) {
    if (header->name == "ce_source") source = header->value.value_or(std::string_view());
    if (header->name == "ce_id") id = header->value.value_or(std::string_view());
  }
  if (source.empty() || id.empty()) return true;
  const auto outcome = call.broker.parts.dedupe->claim(stream, source, id, partition.claims);
  if (outcome == Outcome::Duplicate) findings.duplicates.push_back(index);
  if (outcome != Outcome::UnderWay) return true;
  refuse(partition, KafkaError::RequestTimedOut,
         fmt::format("event {} is being stored by another request: repeat this one", id));
  return false;
}

// Looks at all records. False when the batch itself is refused.
bool look_at_records(Call& call, const BatchHeader& header, std::string_view records,
                     const eventlog::Stream& stream, Partition& partition, Findings& findings) {
  const auto& declared = *stream.declared;
  BatchHeader as_sent = header;
  as_sent.base_offset = 0;
  eventlog::RecordReader reader(as_sent, records);
  eventlog::RecordView record;
  const bool dedupes = declared.dedupe > Duration::zero() && call.broker.parts.dedupe != nullptr &&
                       !header.is_transactional();
  const bool finds_keys = call.broker.parts.spans != nullptr && !declared.business_keys.empty();
  std::vector<contracts::FoundBusinessKey> keys;
  for (std::int32_t index = 0;; ++index) {
    const auto more = reader.next(record);
    if (!more) {
      refuse(partition, KafkaError::InvalidRecord, more.error().message);
      return false;
    }
    if (!*more) return true;
    if (record.offset != index) {
      refuse(partition, KafkaError::InvalidRecord,
             fmt::format("record {} has offset delta {}", index, record.offset));
      return false;
    }
    keys.clear();
    auto reason =
        eventlog::record_fault(declared, record.key, record.value, finds_keys ? &keys : nullptr);
    if (reason) {
      findings.faults.emplace_back(index, std::move(*reason));
      continue;
    }
    if (dedupes && !claim_event(call, stream, record, index, partition, findings)) return false;
    const bool is_dropped = !findings.duplicates.empty() && findings.duplicates.back() == index;
    if (keys.empty() || is_dropped) continue;
    if (partition.keyed.size() < kKeyedRecordsMax) {
      partition.keyed.push_back({index, sent_trace(record), std::move(keys)});
    } else {
      call.broker.metrics.keys_not_recorded.add();
    }
  }
}

// A broken record as the quarantine keeps it: as it was sent, and what is wrong with it.
void put_aside(const Call& call, const eventlog::Stream& stream, std::int32_t partition,
               const eventlog::RecordView& record, const std::string& reason,
               eventlog::BatchBuilder& into) {
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  auto sent = record.headers;
  while (auto header = sent.next()) {
    headers.emplace_back(header->name, header->value.value_or(std::string_view()));
  }
  const auto number = std::to_string(partition);
  headers.emplace_back(eventlog::kQuarantineReason, reason);
  headers.emplace_back(eventlog::kOriginStream, stream.info.settings.name);
  headers.emplace_back(eventlog::kOriginPartition, number);
  headers.emplace_back(eventlog::kQuarantinePrincipal, call.session.principal->id);
  into.add_borrowed(record.timestamp, record.key, record.value, headers);
}

// The batch without its broken records and duplicates, and the broken ones. Absent when these
// cannot be stored there.
std::optional<CheckedBatch> split(Call& call, const BatchHeader& header, std::string_view batch,
                                  std::string_view records, const eventlog::Stream& stream,
                                  const Findings& findings, Partition& partition) {
  eventlog::StreamRef quarantine;
  if (!findings.faults.empty()) {
    quarantine = call.broker.parts.topics.find(call.session.tenant(), stream.declared->quarantine);
    if (!quarantine) return std::nullopt;
  }
  eventlog::BatchOptions options;
  options.codec = eventlog::Codec::Zstd;
  eventlog::BatchBuilder aside(options);
  eventlog::KeptRecords kept;
  BatchHeader as_sent = header;
  as_sent.base_offset = 0;
  eventlog::RecordReader reader(as_sent, records);
  eventlog::RecordView record;
  auto fault = findings.faults.begin();
  auto duplicate = findings.duplicates.begin();
  while (reader.next(record).value_or(false)) {
    if (fault != findings.faults.end() && record.offset == fault->first) {
      put_aside(call, stream, partition.index, record, fault->second, aside);
      ++fault;
    } else if (duplicate != findings.duplicates.end() && record.offset == *duplicate) {
      ++duplicate;
    } else {
      kept.add(reader.raw(), record.timestamp);
    }
  }
  auto stored = eventlog::with_records(batch, kept);
  if (stored && !quarantine) return CheckedBatch{*std::move(stored), {}};
  auto broken = aside.finish();
  if (!stored || !broken || broken->size() > quarantine->info.settings.batch_bytes_max) {
    return std::nullopt;
  }
  partition.quarantine = quarantine->info.id;
  return CheckedBatch{*std::move(stored), *std::move(broken)};
}

void note(Call& call, const eventlog::Stream& stream, const BatchHeader& header,
          const Findings& findings, std::int32_t partition, std::string_view outcome) {
  if (call.broker.parts.rejects == nullptr) return;
  eventlog::Reject reject;
  reject.tenant = call.session.tenant();
  reject.stream = stream.info.settings.name;
  reject.partition = partition;
  reject.door = "kafka";
  reject.principal = call.session.principal->id;
  reject.client = call.session.client_id;
  reject.outcome = outcome;
  reject.sent = static_cast<std::uint64_t>(header.record_count);
  reject.broken = findings.faults.size();
  reject.index = findings.faults.front().first;
  reject.reason = findings.faults.front().second;
  call.broker.parts.rejects->note(std::move(reject));
}

}  // namespace

KafkaError batch_error(const Error& error) {
  switch (error.code) {
    case ErrorCode::DataLoss:
      return KafkaError::CorruptMessage;
    case ErrorCode::Unsupported:
      return KafkaError::UnsupportedCompressionType;
    case ErrorCode::ResourceExhausted:
      return KafkaError::MessageTooLarge;
    default:
      return KafkaError::InvalidRecord;
  }
}

void refuse(Partition& partition, KafkaError error, std::string message) {
  partition.error = error;
  partition.message = std::move(message);
}

CheckedBatch check_records(Call& call, const BatchHeader& header, std::string_view batch,
                           const eventlog::Stream& stream, Partition& partition) {
  thread_local std::string scratch;
  const auto records = eventlog::batch_records(batch, scratch);
  if (!records) {
    refuse(partition, batch_error(records.error()), records.error().message);
    return {};
  }
  Findings findings;
  if (!look_at_records(call, header, *records, stream, partition, findings)) {
    partition.claims = {};
    return {};
  }
  auto& faults = findings.faults;
  std::optional<CheckedBatch> checked;
  if (findings.empty()) {
    checked.emplace();
  } else if (faults.empty() || !stream.declared->quarantine.empty()) {
    checked = split(call, header, batch, *records, stream, findings, partition);
  }
  // A decompressed giant is not kept for the thread's next batch.
  constexpr std::size_t kScratchKept = 4 * 1024 * 1024;
  if (scratch.capacity() > kScratchKept) std::string().swap(scratch);
  if (!faults.empty()) {
    note(call, stream, header, findings, partition.index, checked ? "quarantined" : "refused");
  }
  if (checked) {
    call.broker.metrics.records_quarantined.add(faults.size());
    return *std::move(checked);
  }
  partition.claims = {};
  if (faults.empty()) {
    refuse(partition, KafkaError::KafkaStorageError, "the batch cannot be rebuilt");
    return {};
  }
  call.broker.metrics.records_refused.add(faults.size());
  const auto& [index, reason] = faults.front();
  refuse(partition, KafkaError::InvalidRecord,
         fmt::format("{} of {} records violate the stream's contract; record {}: {}", faults.size(),
                     header.record_count, index, reason));
  if (faults.size() > kRecordErrorsMax) faults.resize(kRecordErrorsMax);
  partition.record_errors = std::move(faults);
  return {};
}

}  // namespace weft::kafka
