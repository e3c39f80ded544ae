#include "eventlog/kafka_cluster/cluster_producer.h"

namespace weft::eventlog {
namespace {

constexpr Duration kServe = 100ms;
constexpr Duration kAbandon = 5s;

// The entry keeps itself alive until its outcome is there.
std::uint64_t tag_of(const ClusterEntryPtr& entry) {
  return reinterpret_cast<std::uintptr_t>(new ClusterEntryPtr(entry));
}

ClusterEntryPtr entry_of(std::uint64_t tag) {
  const std::unique_ptr<ClusterEntryPtr> kept(
      reinterpret_cast<ClusterEntryPtr*>(static_cast<std::uintptr_t>(tag)));
  return *kept;
}

void on_entry_outcome(const KafkaOutcome& outcome) {
  const auto entry = entry_of(outcome.tag);
  entry->offsets[0] = outcome.offset;
  entry->complete(outcome.error == nullptr ? Result<>() : std::unexpected(*outcome.error));
}

}  // namespace

KafkaRecord kafka_record(const PlacedRecord& placed, std::uint64_t tag) {
  const auto& record = *placed.record;
  return {.partition = placed.partition,
          .key = record.key,
          .value = record.value,
          .headers = record.headers,
          .timestamp = record.timestamp,
          .tag = tag};
}

Result<std::unique_ptr<ClusterProducer>> ClusterProducer::open(KafkaProperties properties) {
  properties.emplace_back("enable.idempotence", "true");
  properties.emplace_back("linger.ms", "1");
  std::unique_ptr<ClusterProducer> made(new ClusterProducer());
  TRY(made->client_, KafkaProducer::open(properties, on_entry_outcome));
  made->serving_ = std::jthread([at = made.get()] {
    while (!at->is_over_) at->client_->serve(kServe);
  });
  return made;
}

ClusterProducer::~ClusterProducer() {
  is_over_ = true;
  if (serving_.joinable()) serving_.join();
  if (client_) client_->abandon(kAbandon);
}

Result<> ClusterProducer::send(const ClusterEntryPtr& entry) {
  const auto& placed = entry->records.front();
  TRY(auto* topic, client_->topic(placed.topic));
  const auto tag = tag_of(entry);
  auto sent = client_->send(*topic, kafka_record(placed, tag));
  if (!sent) static_cast<void>(entry_of(tag));
  return sent;
}

}  // namespace weft::eventlog
