#include "eventlog/core/log_manifest.h"

#include "eventlog/core/log_commands.h"
#include "eventlog/core/log_fields.h"

namespace weft::eventlog {

namespace {

constexpr std::uint32_t kFormatWithRetired = 2;
constexpr std::uint32_t kFormatWithTransactions = 3;
constexpr std::string_view kManifestMagic = "WEFTMAN\n";
constexpr std::size_t kStreamBytes = 64;
constexpr std::size_t kPartitionBytes = 28;
constexpr std::size_t kEpochBytes = 12;
constexpr std::size_t kProducerBytes = 27;
constexpr std::size_t kOpenBytes = 18;
constexpr std::size_t kAbortedBytes = 24;
constexpr std::size_t kCleanMarkBytes = 16;

void write_producer(FieldWriter& fields, const ManifestProducer& producer) {
  fields.partition(producer.partition);
  fields.number(producer.id);
  fields.number(producer.state.epoch);
  fields.number(producer.state.last_ms);
  fields.number(producer.state.count);
  for (std::size_t i = 0; i < producer.state.count; ++i) {
    const auto& batch = producer.state.batches[i];
    fields.number(batch.first_sequence);
    fields.number(batch.last_sequence);
    fields.number(batch.base_offset);
  }
}

ManifestProducer read_producer(FieldReader& fields) {
  ManifestProducer producer;
  producer.partition = fields.partition();
  producer.id = fields.number<std::int64_t>();
  producer.state.epoch = fields.number<std::int16_t>();
  producer.state.last_ms = fields.number<std::int64_t>();
  auto count = std::min<std::size_t>(fields.number<std::uint8_t>(), ProducerState::kBatchesKept);
  producer.state.count = static_cast<std::uint8_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& batch = producer.state.batches[i];
    batch.first_sequence = fields.number<std::int32_t>();
    batch.last_sequence = fields.number<std::int32_t>();
    batch.base_offset = fields.number<std::int64_t>();
  }
  return producer;
}

void write_partition(FieldWriter& fields, const ManifestPartition& partition) {
  fields.partition(partition.id);
  fields.number(partition.start);
  fields.number(partition.next);
  fields.number(static_cast<std::uint32_t>(partition.epochs.size()));
  for (const auto& epoch : partition.epochs) {
    fields.number(epoch.epoch);
    fields.number(epoch.start);
  }
  const auto& transactions = partition.transactions;
  fields.number(static_cast<std::uint32_t>(transactions.open().size()));
  for (const auto& [producer_id, open] : transactions.open()) {
    fields.number(producer_id);
    fields.number(open.epoch);
    fields.number(open.first);
  }
  fields.number(static_cast<std::uint32_t>(transactions.aborted().size()));
  for (const auto& aborted : transactions.aborted()) {
    fields.number(aborted.producer_id);
    fields.number(aborted.first);
    fields.number(aborted.last);
  }
  fields.number(static_cast<std::uint32_t>(partition.cleaned.all().size()));
  for (const auto& mark : partition.cleaned.all()) {
    fields.number(mark.end);
    fields.number(mark.unix_ms);
  }
  fields.number(partition.first_segment);
}

TransactionIndex read_transactions(FieldReader& fields) {
  TransactionIndex::Open open;
  for (auto left = fields.count(kOpenBytes); left > 0; --left) {
    auto producer_id = fields.number<std::int64_t>();
    auto epoch = fields.number<std::int16_t>();
    open[producer_id] = {epoch, fields.number<std::int64_t>()};
  }
  std::vector<AbortedTransaction> aborted(fields.count(kAbortedBytes));
  for (auto& each : aborted) {
    each.producer_id = fields.number<std::int64_t>();
    each.first = fields.number<std::int64_t>();
    each.last = fields.number<std::int64_t>();
  }
  TransactionIndex transactions;
  transactions.restore(std::move(open), std::move(aborted));
  return transactions;
}

CleanMarks read_cleaned(FieldReader& fields) {
  std::vector<CleanMark> marks(fields.count(kCleanMarkBytes));
  for (auto& mark : marks) {
    mark.end = fields.number<std::int64_t>();
    mark.unix_ms = fields.number<std::int64_t>();
  }
  return CleanMarks(std::move(marks));
}

ManifestPartition read_partition(FieldReader& fields, std::uint32_t format) {
  ManifestPartition partition;
  partition.id = fields.partition();
  partition.start = fields.number<std::int64_t>();
  partition.next = fields.number<std::int64_t>();
  partition.epochs.resize(fields.count(kEpochBytes));
  for (auto& epoch : partition.epochs) {
    epoch.epoch = fields.number<std::int32_t>();
    epoch.start = fields.number<std::int64_t>();
  }
  if (format >= kFormatWithTransactions) {
    partition.transactions = read_transactions(fields);
    partition.cleaned = read_cleaned(fields);
    partition.first_segment = fields.number<std::uint64_t>();
  }
  return partition;
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
  std::string bytes(kManifestMagic);
  FieldWriter fields(bytes);
  fields.number(kManifestFormat);
  fields.uuid(manifest.cluster);
  fields.number(manifest.wal_sequence);
  fields.number(manifest.wal_position);
  fields.number(manifest.state_position);
  fields.number(manifest.epoch);
  fields.number(manifest.leader_epoch);
  fields.number(manifest.next_stream);
  fields.number(manifest.producer_ids_reserved);
  fields.number(manifest.next_segment);
  fields.number(static_cast<std::uint32_t>(manifest.segments.size()));
  for (auto segment : manifest.segments) fields.number(segment);
  fields.number(static_cast<std::uint32_t>(manifest.streams.size()));
  for (const auto& stream : manifest.streams) {
    write_stream(fields, stream);
    write_retired(fields, stream.retired);
  }
  fields.number(static_cast<std::uint32_t>(manifest.partitions.size()));
  for (const auto& partition : manifest.partitions) write_partition(fields, partition);
  fields.number(static_cast<std::uint32_t>(manifest.producers.size()));
  for (const auto& producer : manifest.producers) write_producer(fields, producer);
  fields.number(crc32c(bytes));
  return bytes;
}

Result<Manifest> decode_manifest(std::string_view bytes) {
  if (bytes.size() < kManifestMagic.size() + 8 || !bytes.starts_with(kManifestMagic)) {
    return fail(ErrorCode::DataLoss, "the manifest is not one of Weft's");
  }
  auto body = bytes.substr(0, bytes.size() - 4);
  if (load_be<std::uint32_t>(bytes.data() + body.size()) != crc32c(body)) {
    return fail(ErrorCode::DataLoss, "the manifest's checksum differs");
  }
  FieldReader fields(body.substr(kManifestMagic.size()));
  auto format = fields.number<std::uint32_t>();
  if (format > kManifestFormat) {
    return fail(ErrorCode::FailedPrecondition,
                "written by a newer version: manifest format {}, this program reads up to {}",
                format, kManifestFormat);
  }
  Manifest manifest;
  manifest.cluster = fields.uuid();
  manifest.wal_sequence = fields.number<std::uint64_t>();
  manifest.wal_position = fields.number<std::uint64_t>();
  manifest.state_position = fields.number<std::uint64_t>();
  manifest.epoch = fields.number<std::uint32_t>();
  manifest.leader_epoch = fields.number<std::int32_t>();
  manifest.next_stream = fields.number<std::uint32_t>();
  manifest.producer_ids_reserved = fields.number<std::int64_t>();
  manifest.next_segment = fields.number<std::uint64_t>();
  manifest.segments.resize(fields.count(8));
  for (auto& segment : manifest.segments) segment = fields.number<std::uint64_t>();
  manifest.streams.resize(fields.count(kStreamBytes));
  for (auto& stream : manifest.streams) {
    stream = read_stream(fields);
    if (format >= kFormatWithRetired) stream.retired = read_retired(fields);
  }
  manifest.partitions.resize(fields.count(kPartitionBytes - 4));
  for (auto& partition : manifest.partitions) partition = read_partition(fields, format);
  manifest.producers.resize(fields.count(kProducerBytes));
  for (auto& producer : manifest.producers) producer = read_producer(fields);
  if (!fields.ok()) return fail(ErrorCode::DataLoss, "the manifest is malformed");
  return manifest;
}

}  // namespace weft::eventlog
