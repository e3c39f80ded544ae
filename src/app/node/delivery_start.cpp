// How a node delivers: alone over its own log, or with the other nodes of a cluster.
#include "app/node/node_parts.h"
#include "app/settings/streams_settings.h"
#include "runtime/log.h"

namespace weft::app {
namespace {

// A record of the log tells of all of them at times, so there is a largest number.
Result<std::uint32_t> unsettled_max(const Settings& settings) {
  constexpr std::int64_t kMost = 65'536;
  auto number = settings.number("delivery.unsettledMax");
  if (number >= 1 && number <= kMost) return static_cast<std::uint32_t>(number);
  return fail(ErrorCode::InvalidArgument, "delivery.unsettledMax: must be from 1 to {}, not {}",
              kMost, number);
}

}  // namespace

Task<Result<>> Node::Parts::open_delivery() {
  sender.emplace(client);
  delivery::DeliveryParts parts{*log, *sender, secrets, clock, random, metrics, &traces, {}, {}};
  for (std::size_t i = 0; i < loops.size(); ++i) parts.loops.push_back(loops.at(i));
  parts.ttl_of = [this](eventlog::StreamId stream) { return streams->ttl(stream); };
  CO_TRY(parts.limits.unsettled_max, unsettled_max(settings));
  parts.limits.delivered_shown_max =
      static_cast<std::size_t>(settings.number("delivery.recentMax"));
  if (!cluster) {
    own_delivery.emplace(std::move(parts));
    delivery = &*own_delivery;
    co_return co_await own_delivery->start();
  }
  CO_TRY(auto shares, streams_shares(settings));
  CO_TRY(shares, co_await delivery::prepare_shares(*log, parts.limits, shares));
  shared_delivery.emplace(std::move(parts), shares, 2 * settings.time("streams.sessionTimeout"));
  delivery = &*shared_delivery;
  co_return Result<>();
}

estate::Compiler& Node::Parts::delivery_compiler() {
  if (own_delivery) return *own_delivery;
  return *shared_delivery;
}

Result<> Node::Parts::start_delivery() {
  if (!roles.has(Role::Worker)) return {};
  if (shared_delivery) {
    TRY(auto options, cluster_options(settings));
    share_member.emplace(*shared_delivery);
    return share_member->join(options, settings.time("streams.sessionTimeout"));
  }
  for (std::size_t i = 0; i < loops.size(); ++i) {
    loop_chores.push_back(std::make_unique<TaskGroup>(loops.at(i), "delivery", 1));
    boost::asio::post(loops.at(i), [this, i] { loop_chores[i]->spawn(own_delivery->run(i)); });
  }
  return {};
}

// What the other nodes get is given up here and now; the node's own drains with its loops.
Task<void> Node::Parts::stop_delivery() {
  if (own_delivery) own_delivery->stop();
  if (!share_member) co_return;
  std::function<Result<bool>()> leave = [this] {
    share_member->leave();
    return true;
  };
  auto left = co_await stream_turns.run<bool>(std::move(leave));
  if (!left) log_warn("node", "the shares were not given up", {{"why", left.error().message}});
}

Result<> Node::Parts::open_cluster() {
  if (!settings.text("backup.archive").empty()) {
    return fail(ErrorCode::InvalidArgument,
                "backup.archive: the records are in the cluster of streams.brokers, which this "
                "node cannot archive; take the setting away");
  }
  TRY(auto options, cluster_options(settings));
  TRY(cluster, eventlog::KafkaClusterLog::open(std::move(options), clock));
  log = cluster.get();
  return {};
}

}  // namespace weft::app
