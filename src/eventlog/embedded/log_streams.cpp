#include "eventlog/embedded/log_streams.h"

namespace weft::eventlog {

namespace {

void add_partitions(LogStream& stream) {
  auto wanted = static_cast<std::size_t>(stream.info.settings.partitions);
  while (stream.partitions.size() < wanted) {
    PartitionId id{stream.info.id, static_cast<std::int32_t>(stream.partitions.size())};
    stream.partitions.push_back(std::make_shared<Partition>(id));
  }
}

}  // namespace

LogStreamRef StreamTable::find_locked(StreamId id) const {
  auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

LogStreamRef StreamTable::find(StreamId id) const {
  std::shared_lock lock(mutex_);
  return find_locked(id);
}

LogStreamRef StreamTable::find(std::string_view tenant, std::string_view name) const {
  std::shared_lock lock(mutex_);
  auto found = names_.find(NameView(tenant, name));
  return found == names_.end() ? nullptr : find_locked(found->second);
}

std::shared_ptr<Partition> StreamTable::find(PartitionId id) const {
  std::shared_lock lock(mutex_);
  auto stream = find_locked(id.stream);
  if (!stream || stream->partition(id.partition) == nullptr) return nullptr;
  return stream->partitions[static_cast<std::size_t>(id.partition)];
}

std::vector<LogStreamRef> StreamTable::all() const {
  std::shared_lock lock(mutex_);
  std::vector<LogStreamRef> all;
  all.reserve(streams_.size());
  for (const auto& [id, stream] : streams_) all.push_back(stream);
  return all;
}

void StreamTable::create(const StreamInfo& info) {
  auto stream = std::make_shared<LogStream>();
  stream->info = info;
  add_partitions(*stream);
  reserve_ids(static_cast<std::uint32_t>(info.id) + 1);
  std::unique_lock lock(mutex_);
  if (streams_.contains(info.id)) return;
  names_[Name(info.settings.tenant, info.settings.name)] = info.id;
  streams_[info.id] = std::move(stream);
}

void StreamTable::alter(StreamId id, const StreamSettings& settings) {
  std::unique_lock lock(mutex_);
  auto old = find_locked(id);
  if (!old) return;
  auto stream = std::make_shared<LogStream>(*old);
  stream->info.settings = settings;
  add_partitions(*stream);
  names_.erase(Name(old->info.settings.tenant, old->info.settings.name));
  names_[Name(settings.tenant, settings.name)] = id;
  streams_[id] = std::move(stream);
}

void StreamTable::retire(StreamId id, std::optional<WallTime> since) {
  std::unique_lock lock(mutex_);
  auto old = find_locked(id);
  if (!old) return;
  auto stream = std::make_shared<LogStream>(*old);
  stream->info.retired = since;
  streams_[id] = std::move(stream);
}

void StreamTable::remove(StreamId id) {
  std::unique_lock lock(mutex_);
  auto old = find_locked(id);
  if (!old) return;
  for (const auto& partition : old->partitions) partition->deleted = true;
  names_.erase(Name(old->info.settings.tenant, old->info.settings.name));
  streams_.erase(id);
}

}  // namespace weft::eventlog
