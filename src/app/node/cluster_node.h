// What a node needs where its streams are in a Kafka cluster that several nodes share.
#pragma once

#include <memory>
#include <vector>

#include "delivery/delivery_shares.h"
#include "estate/compiler.h"
#include "eventlog/kafka_cluster/share_group.h"

namespace weft::app {

// Refuses what a cluster cannot do (docs/cluster.md): streams with `dedupe`, with
// `durability: memory` or with `onViolation: quarantine`, and quotas of storage.
class ClusterLimits final : public estate::EstateCheck {
 public:
  std::string_view name() const override { return "cluster-limits"; }
  void check(const estate::EstateView& desired, std::span<const estate::PlannedChange> changes,
             estate::Findings& findings) override;
};

// The node's place among those that share deliveries.
class ShareMember final : public eventlog::ShareHolder {
 public:
  explicit ShareMember(delivery::DeliveryShares& shares) : shares_(shares) {}

  Result<> join(const eventlog::KafkaClusterOptions& cluster, Duration session_timeout);
  // Blocks until nothing is delivered any more. Not on a loop that delivers.
  void leave() { group_.reset(); }

  void take(std::vector<std::int32_t> shares) override;
  void give_up(std::vector<std::int32_t> shares, bool lost) override;

 private:
  delivery::DeliveryShares& shares_;
  std::unique_ptr<eventlog::ShareGroup> group_;
};

}  // namespace weft::app
