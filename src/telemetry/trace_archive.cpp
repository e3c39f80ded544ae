#include "telemetry/trace_archive.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "runtime/log.h"
#include "runtime/run_until_done.h"

namespace weft::telemetry {

namespace {

constexpr std::uint32_t kFrameMagic = 0x31535457;  // "WTS1"
constexpr std::uint64_t kSegmentBytesLeast = 64 * 1024;
constexpr std::uint64_t kSegmentBytesMost = 4 * 1024 * 1024;
constexpr std::uint64_t kSegmentsWanted = 16;
constexpr std::size_t kFramePayloadMax = 1024 * 1024;
constexpr std::string_view kPrefix = "traces-";
constexpr std::string_view kSuffix = ".seg";

struct FrameHead {
  std::uint32_t magic = kFrameMagic;
  std::uint32_t checksum = 0;  // CRC-32C of what follows this member, the payload included
  std::uint32_t bytes = 0;     // of the payload
  std::uint32_t spans = 0;
  std::int64_t end_max = 0;
};
static_assert(sizeof(FrameHead) == 24);

std::uint32_t checksum_of(const FrameHead& head, std::string_view payload) {
  const char* from = reinterpret_cast<const char*>(&head.bytes);
  const auto size = sizeof head - 2 * sizeof(std::uint32_t);
  return crc32c(payload, crc32c({from, size}));
}

// What one frame holds, or absent when it is cut or damaged.
struct Frame {
  FrameHead head;
  std::string_view payload;
  std::size_t size() const { return sizeof head + payload.size(); }
};

std::optional<Frame> frame_at(std::string_view text) {
  Frame frame;
  if (text.size() < sizeof frame.head) return {};
  std::memcpy(&frame.head, text.data(), sizeof frame.head);
  if (frame.head.magic != kFrameMagic || frame.head.bytes > text.size() - sizeof frame.head)
    return {};
  frame.payload = text.substr(sizeof frame.head, frame.head.bytes);
  if (checksum_of(frame.head, frame.payload) != frame.head.checksum) return {};
  return frame;
}

// Each span of a payload: its trace's id, the size of what SpanChunk holds of it, and that.
template <class Visit>
void for_each_stored(std::string_view payload, Visit visit) {
  constexpr std::size_t kFixed = sizeof(TraceId) + sizeof(std::uint32_t);
  while (payload.size() >= kFixed) {
    TraceId id;
    std::uint32_t size;
    std::memcpy(id.data(), payload.data(), id.size());
    std::memcpy(&size, payload.data() + id.size(), sizeof size);
    payload.remove_prefix(kFixed);
    if (size > payload.size()) return;
    visit(id, payload.substr(0, size));
    payload.remove_prefix(size);
  }
}

Result<std::string> read_bytes(File& file, std::uint64_t bytes) {
  std::string text(bytes, '\0');
  TRY(auto got, run_until_done(file.read_at({text.data(), text.size()}, 0)));
  text.resize(got);
  return text;
}

std::optional<std::uint64_t> number_in(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return {};
  name = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return {};
  return number;
}

void sort_ids(std::vector<std::uint32_t>& ids) {
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

std::uint32_t id_head(const TraceId& id) {
  return load_be<std::uint32_t>(id.data());
}

TraceArchive::TraceArchive(FileSystem& files, TraceArchiveOptions options)
    : files_(files),
      options_(std::move(options)),
      segment_bytes_(std::clamp(options_.bytes_max / kSegmentsWanted, kSegmentBytesLeast,
                                kSegmentBytesMost)) {}

Result<std::unique_ptr<TraceArchive>> TraceArchive::open(FileSystem& files,
                                                         TraceArchiveOptions options) {
  std::unique_ptr<TraceArchive> archive(new TraceArchive(files, std::move(options)));
  const auto& folder = archive->options_.folder;
  CHECK(run_until_done(files.create_directories(folder)));
  TRY(auto names, run_until_done(files.list(folder)));
  std::erase_if(names, [](const std::string& name) { return !number_in(name); });
  std::ranges::sort(names, {}, [](const std::string& name) { return *number_in(name); });
  for (const auto& name : names) {
    TRY(auto segment, archive->load(name));
    archive->segments_.push_back(std::move(segment));
  }
  // Only the newest can have been cut short by the end of its process.
  if (!archive->segments_.empty()) {
    auto& newest = archive->segments_.back();
    CHECK(run_until_done(newest.file->truncate(newest.bytes)));
    archive->is_writable_ = true;
  }
  return archive;
}

Result<TraceSegment> TraceArchive::load(const std::string& name) {
  TraceSegment segment;
  segment.path = options_.folder + "/" + name;
  segment.number = *number_in(name);
  TRY(auto file, run_until_done(files_.open(segment.path, OpenMode::ReadWrite)));
  segment.file = std::move(file);
  TRY(auto size, run_until_done(segment.file->size()));
  TRY(auto text, read_bytes(*segment.file, std::min(size, 2 * kSegmentBytesMost)));
  std::string_view rest = text;
  while (auto frame = frame_at(rest)) {
    segment.end_max = std::max(segment.end_max, frame->head.end_max);
    for_each_stored(frame->payload, [&](const TraceId& id, std::string_view) {
      segment.ids->push_back(id_head(id));
    });
    rest.remove_prefix(frame->size());
  }
  segment.bytes = text.size() - rest.size();
  if (segment.bytes < size) {
    log_warn("telemetry", "the end of a file of traces is damaged; it is left out",
             {{"file", segment.path}, {"bytes", size - segment.bytes}});
  }
  sort_ids(*segment.ids);
  return segment;
}

Result<> TraceArchive::roll() {
  TraceSegment next;
  next.number = segments_.empty() ? 1 : segments_.back().number + 1;
  next.path = fmt::format("{}/{}{:010}{}", options_.folder, kPrefix, next.number, kSuffix);
  TRY(auto file, run_until_done(files_.open(next.path, OpenMode::CreateNew)));
  next.file = std::move(file);
  segments_.push_back(std::move(next));
  is_writable_ = true;
  return {};
}

Result<> TraceArchive::append(std::span<const SpanSlice> slices) {
  std::string payload;
  FrameHead head;
  head.end_max = std::numeric_limits<std::int64_t>::min();
  std::vector<std::uint32_t> ids;
  auto write = [&]() -> Result<> {
    if (head.spans == 0) return {};
    if (!is_writable_ || segments_.back().bytes + sizeof head + payload.size() > segment_bytes_)
      CHECK(roll());
    auto& segment = segments_.back();
    head.bytes = static_cast<std::uint32_t>(payload.size());
    head.checksum = checksum_of(head, payload);
    const std::string_view parts[] = {{reinterpret_cast<const char*>(&head), sizeof head}, payload};
    auto written = run_until_done(segment.file->write_at(parts, segment.bytes));
    if (!written) {
      is_writable_ = false;  // what the file holds behind its end is unknown
      return written;
    }
    segment.bytes += sizeof head + payload.size();
    segment.end_max = std::max(segment.end_max, head.end_max);
    // Readers may hold the list as it was.
    auto all = std::make_shared<std::vector<std::uint32_t>>(*segment.ids);
    std::ranges::sort(ids);
    const auto middle = all->insert(all->end(), ids.begin(), ids.end());
    std::inplace_merge(all->begin(), middle, all->end());
    all->erase(std::unique(all->begin(), all->end()), all->end());
    segment.ids = std::move(all);
    payload.clear();
    ids.clear();
    head = FrameHead{};
    head.end_max = std::numeric_limits<std::int64_t>::min();
    return {};
  };
  // A frame is no longer than half a segment, so that a small archive has segments of its size.
  const auto payload_max = std::min<std::size_t>(kFramePayloadMax, segment_bytes_ / 2);
  for (const auto& slice : slices) {
    for (auto i = slice.first; i < slice.last; ++i) {
      const auto entry = slice.chunk->entry(i);
      const auto bytes = slice.chunk->bytes(i);
      payload.append(entry.trace_id.data(), entry.trace_id.size());
      payload.append(reinterpret_cast<const char*>(&entry.size), sizeof entry.size);
      payload += bytes;
      ids.push_back(id_head(entry.trace_id));
      head.end_max = std::max(head.end_max, slice.chunk->head(i).end);
      ++head.spans;
      if (payload.size() >= payload_max) CHECK(write());
    }
  }
  return write();
}

Result<> TraceArchive::remove_oldest() {
  auto path = segments_.front().path;
  dropped_.push_back(segments_.front().ids);
  if (dropped_.size() > kSegmentsWanted) dropped_.pop_front();
  segments_.pop_front();
  if (segments_.empty()) is_writable_ = false;
  return run_until_done(files_.remove(path));
}

Result<> TraceArchive::trim(WallTime now) {
  const auto oldest = (now - options_.age_max).time_since_epoch().count();
  auto is_old = [&](const TraceSegment& segment) {
    return options_.age_max > Duration::zero() && segment.end_max < oldest;
  };
  while (!segments_.empty() &&
         ((segments_.size() > 1 && bytes() > options_.bytes_max) || is_old(segments_.front()))) {
    CHECK(remove_oldest());
  }
  return {};
}

bool TraceArchive::has_dropped(std::uint32_t head) const {
  return std::ranges::any_of(
      dropped_, [&](const auto& ids) { return std::ranges::binary_search(*ids, head); });
}

std::vector<TraceSegment> TraceArchive::snapshot() const {
  return {segments_.rbegin(), segments_.rend()};
}

std::uint64_t TraceArchive::bytes() const {
  std::uint64_t total = 0;
  for (const auto& segment : segments_) total += segment.bytes;
  return total;
}

Result<std::vector<SpanSlice>> TraceArchive::read(const TraceSegment& segment) const {
  TRY(auto text, read_bytes(*segment.file, segment.bytes));
  std::vector<SpanSlice> slices;
  std::shared_ptr<SpanChunk> chunk;
  auto seal = [&] {
    if (chunk) slices.push_back({chunk, 0, chunk->count()});
  };
  std::string_view rest = text;
  for (auto frame = frame_at(rest); frame; frame = frame_at(rest)) {
    for_each_stored(frame->payload, [&](const TraceId& id, std::string_view bytes) {
      if (chunk && chunk->append_stored(id, bytes)) return;
      seal();
      chunk = std::make_shared<SpanChunk>();
      chunk->append_stored(id, bytes);
    });
    rest.remove_prefix(frame->size());
  }
  seal();
  return slices;
}

}  // namespace weft::telemetry
