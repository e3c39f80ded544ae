#include "app/node/cluster_node.h"

#include "base/json_members.h"
#include "runtime/log.h"
#include "runtime/run_until_done.h"

namespace weft::app {
namespace {

constexpr std::string_view kDeliveryGroup = "weft-delivery";

void check_stream(const estate::Resource& stream, estate::Findings& findings) {
  const auto& spec = stream.spec();
  const auto refuse = [&](std::string pointer, std::string_view what) {
    findings.errors.push_back(stream.at(
        pointer, fmt::format("{} needs the node's own log; streams.backend is kafka", what)));
  };
  if (spec.find("dedupe") != nullptr) refuse("/spec/dedupe", "dedupe");
  if (text_of(spec, "durability") == "memory") refuse("/spec/durability", "durability: memory");
  if (text_of(spec, "onViolation") == "quarantine")
    refuse("/spec/onViolation", "onViolation: quarantine");
}

void check_quota(const estate::Resource& quota, estate::Findings& findings) {
  if (quota.spec().find("storageBytesMax") == nullptr) return;
  findings.errors.push_back(
      quota.at("/spec/storageBytesMax",
               "what a tenant stores in a cluster is not known here; limit it by the "
               "retention of its streams"));
}

}  // namespace

void ClusterLimits::check(const estate::EstateView& desired, std::span<const estate::PlannedChange>,
                          estate::Findings& findings) {
  for (const auto& stream : desired.of_kind("Stream")) check_stream(*stream, findings);
  for (const auto& quota : desired.of_kind("Quota")) check_quota(*quota, findings);
}

Result<> ShareMember::join(const eventlog::KafkaClusterOptions& cluster, Duration session_timeout) {
  eventlog::ShareGroupOptions options;
  options.group = kDeliveryGroup;
  options.topic = delivery::kCursorsStream;
  options.session_timeout = session_timeout;
  TRY(group_, eventlog::ShareGroup::open(cluster, std::move(options), *this));
  return {};
}

void ShareMember::take(std::vector<std::int32_t> shares) {
  log_info("node", "takes shares of the deliveries",
           {{"shares", fmt::format("{}", fmt::join(shares, ","))}});
  for (const auto share : shares) shares_.take(share);
}

void ShareMember::give_up(std::vector<std::int32_t> shares, bool lost) {
  log_info("node", "gives shares of the deliveries up",
           {{"shares", fmt::format("{}", fmt::join(shares, ","))}, {"lost", lost}});
  run_until_done(shares_.give_up(std::move(shares)));
}

}  // namespace weft::app
