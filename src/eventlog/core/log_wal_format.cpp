#include "eventlog/core/log_wal_format.h"

#include "eventlog/core/log_fields.h"

namespace weft::eventlog {

namespace {

constexpr std::string_view kWalMagic = "WEFTWAL\n";
constexpr std::size_t kHeaderUsed = 96;  // what the header's checksum covers

constexpr std::size_t kEntryLength = 4;
constexpr std::size_t kEntryPosition = 8;
constexpr std::size_t kEntryDurable = 16;
constexpr std::size_t kEntryEpoch = 24;
constexpr std::size_t kEntryKind = 28;

std::size_t padded(std::size_t size) {
  return (size + kWalAlignment - 1) / kWalAlignment * kWalAlignment;
}

// The payload comes first, so that the length need not be known when the payload is summed.
std::uint32_t entry_checksum(std::uint32_t payload_crc, std::string_view header) {
  return crc32c(header.substr(kEntryLength, kWalEntryHeaderBytes - kEntryLength), payload_crc);
}

}  // namespace

std::string encode_wal_header(const WalFileHeader& header) {
  std::string bytes(kWalMagic);
  FieldWriter fields(bytes);
  fields.number(kWalFormat);
  fields.uuid(header.cluster);
  fields.number(header.sequence);
  fields.number(header.first_position);
  fields.number(header.epoch);
  fields.number(header.leader_epoch);
  fields.number(header.created_ms);
  fields.number(header.key_id);
  fields.number(header.tenant_id);
  fields.number(static_cast<std::uint32_t>(header.state));
  fields.number(header.previous_end);
  bytes.resize(kHeaderUsed, '\0');
  fields.number(crc32c(bytes));
  bytes.resize(kWalHeaderBytes, '\0');
  return bytes;
}

Result<WalFileHeader> decode_wal_header(std::string_view bytes) {
  if (bytes.size() < kHeaderUsed + 4 || !bytes.starts_with(kWalMagic)) {
    return fail(ErrorCode::DataLoss, "no write-ahead log header");
  }
  if (load_be<std::uint32_t>(bytes.data() + kHeaderUsed) != crc32c(bytes.substr(0, kHeaderUsed))) {
    return fail(ErrorCode::DataLoss, "the header's checksum differs");
  }
  FieldReader fields(bytes.substr(kWalMagic.size()));
  auto format = fields.number<std::uint32_t>();
  if (format > kWalFormat) {
    return fail(
        ErrorCode::FailedPrecondition,
        "written by a newer version: write-ahead log format {}, this program reads up to {}",
        format, kWalFormat);
  }
  WalFileHeader header;
  header.cluster = fields.uuid();
  header.sequence = fields.number<std::uint64_t>();
  header.first_position = fields.number<std::uint64_t>();
  header.epoch = fields.number<std::uint32_t>();
  header.leader_epoch = fields.number<std::int32_t>();
  header.created_ms = fields.number<std::int64_t>();
  header.key_id = fields.number<std::uint64_t>();
  header.tenant_id = fields.number<std::uint64_t>();
  header.state = static_cast<WalFileState>(fields.number<std::uint32_t>());
  header.previous_end = fields.number<std::uint64_t>();
  return header;
}

std::size_t claimed_wal_entry_bytes(std::string_view bytes, WalPosition position) {
  if (bytes.size() < kWalEntryHeaderBytes) return 0;
  if (load_be<std::uint64_t>(bytes.data() + kEntryPosition) != position) return 0;
  return padded(kWalEntryHeaderBytes + load_be<std::uint32_t>(bytes.data() + kEntryLength));
}

std::optional<WalEntry> read_wal_entry(std::string_view bytes, WalPosition position,
                                       std::uint32_t epoch_min, WalCheck check) {
  auto size = claimed_wal_entry_bytes(bytes, position);
  if (size == 0 || size > bytes.size()) return std::nullopt;
  WalEntry entry;
  entry.position = position;
  entry.durable = load_be<std::uint64_t>(bytes.data() + kEntryDurable);
  entry.epoch = load_be<std::uint32_t>(bytes.data() + kEntryEpoch);
  entry.kind = static_cast<WalKind>(bytes[kEntryKind]);
  entry.payload =
      bytes.substr(kWalEntryHeaderBytes, load_be<std::uint32_t>(bytes.data() + kEntryLength));
  entry.bytes = size;
  if (entry.epoch < epoch_min || entry.durable > position) return std::nullopt;
  if (check == WalCheck::WithoutChecksum) return entry;
  auto crc = entry_checksum(crc32c(entry.payload), bytes.substr(0, kWalEntryHeaderBytes));
  if (crc != load_be<std::uint32_t>(bytes.data())) return std::nullopt;
  return entry;
}

std::optional<std::int64_t> read_time_mark(const WalEntry& entry) {
  if (entry.kind != WalKind::Marker || entry.payload.size() < 8) return std::nullopt;
  return load_be<std::int64_t>(entry.payload.data());
}

std::string encode_time_mark(std::int64_t unix_ms) {
  std::string payload;
  append_be(payload, unix_ms);
  return payload;
}

Result<std::vector<WalItem>> read_wal_items(const WalEntry& entry) {
  std::vector<WalItem> items;
  FieldReader fields(entry.payload);
  while (!fields.rest().empty()) {
    WalItem item;
    item.partition = fields.partition();
    auto size = fields.number<std::uint32_t>();
    fields.number<std::uint32_t>();
    item.position =
        entry.position + kWalEntryHeaderBytes + entry.payload.size() - fields.rest().size();
    item.batch = fields.take(size);
    if (!fields.ok()) return fail(ErrorCode::DataLoss, "malformed entry at {}", entry.position);
    items.push_back(item);
  }
  return items;
}

void WalGroup::start(WalPosition position, std::uint32_t epoch) {
  if (buffer_.capacity() > kKeepCapacity) buffer_ = std::string();
  buffer_.clear();
  done_.clear();
  first_ = position;
  epoch_ = epoch;
  bytes_ = 0;
  buffered_ = 0;
}

void WalGroup::append(std::string_view bytes) {
  buffer_ += bytes;
}

void WalGroup::refer(std::string_view bytes) {
  done_.push_back({buffered_, buffer_.size() - buffered_, {}});
  buffered_ = buffer_.size();
  done_.push_back({0, 0, bytes});
}

void WalGroup::begin_entry(WalKind kind) {
  kind_ = kind;
  header_at_ = buffer_.size();
  parts_before_ = done_.size();
  payload_bytes_ = 0;
  payload_crc_ = 0;
  buffer_.append(kWalEntryHeaderBytes, '\0');
}

WalPosition WalGroup::add_batch(PartitionId partition, std::string_view batch) {
  auto at = buffer_.size();
  buffer_.append(kWalItemHeaderBytes, '\0');
  store_be(buffer_.data() + at, static_cast<std::uint32_t>(partition.stream));
  store_be(buffer_.data() + at + 4, partition.partition);
  store_be(buffer_.data() + at + 8, static_cast<std::uint32_t>(batch.size()));
  payload_crc_ = crc32c({buffer_.data() + at, kWalItemHeaderBytes}, payload_crc_);
  payload_crc_ = crc32c(batch, payload_crc_);
  if (batch.size() < kCopyBelow) {
    append(batch);
  } else {
    refer(batch);
  }
  payload_bytes_ += kWalItemHeaderBytes + batch.size();
  return position() + kWalEntryHeaderBytes + payload_bytes_ - batch.size();
}

void WalGroup::add_payload(std::string_view payload) {
  append(payload);
  payload_crc_ = crc32c(payload, payload_crc_);
  payload_bytes_ += payload.size();
}

void WalGroup::end_entry() {
  char* header = buffer_.data() + header_at_;
  store_be(header + kEntryLength, static_cast<std::uint32_t>(payload_bytes_));
  store_be(header + kEntryPosition, position());
  store_be(header + kEntryDurable, first_);
  store_be(header + kEntryEpoch, epoch_);
  header[kEntryKind] = static_cast<char>(kind_);
  store_be(header, entry_checksum(payload_crc_, {header, kWalEntryHeaderBytes}));
  auto size = padded(kWalEntryHeaderBytes + payload_bytes_);
  buffer_.append(size - kWalEntryHeaderBytes - payload_bytes_, '\0');
  bytes_ += size;
}

void WalGroup::drop_entry() {
  if (done_.size() > parts_before_) {
    buffered_ = done_[parts_before_].at;
    done_.resize(parts_before_);
  }
  buffer_.resize(header_at_);
}

std::span<const std::string_view> WalGroup::parts(std::string_view prefix) {
  views_.clear();
  if (!prefix.empty()) views_.push_back(prefix);
  for (const auto& part : done_) {
    auto view =
        part.outside.empty() ? std::string_view(buffer_).substr(part.at, part.size) : part.outside;
    if (!view.empty()) views_.push_back(view);
  }
  auto rest = std::string_view(buffer_).substr(buffered_);
  if (!rest.empty()) views_.push_back(rest);
  return views_;
}

}  // namespace weft::eventlog
