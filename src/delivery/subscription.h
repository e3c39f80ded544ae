// A subscription as its document declares it, with its secrets revealed: what a worker reads.
// Immutable once built; share it as shared_ptr<const Subscription>. Reference of the document:
// docs/delivery.md.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "delivery/core/filter.h"
#include "delivery/core/retry.h"
#include "delivery/core/signature.h"
#include "estate/kind.h"
#include "estate/resource.h"
#include "estate/secret_source.h"
#include "http/client.h"

namespace weft::delivery {

enum class StartFrom : std::uint8_t { Latest, Earliest };

// What the request's body is: the event in JSON format, or its bare data with the envelope in ce-
// fields.
enum class PayloadMode : std::uint8_t { CloudEvent, Data };

// Which events wait for the one before them to be delivered, or given up.
enum class Ordering : std::uint8_t {
  None,
  Key,        // those of one record key
  Partition,  // all of one partition
};

struct Subscription {
  std::string tenant;
  std::string name;
  std::string owner;
  std::vector<std::string> streams;
  StartFrom from = StartFrom::Latest;
  Filter filter;
  std::string url_text;
  http::Url url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<SigningKey> keys;  // the first is the newest; all of them sign
  PayloadMode payload = PayloadMode::CloudEvent;
  RetryPolicy retry;
  Duration timeout = 15s;
  Ordering ordering = Ordering::None;
  std::uint32_t concurrency = 16;
  bool paused = false;
  // Events older than their stream's ttl become dead letters, instead of being left out.
  bool keeps_expired = false;
};

using SubscriptionRef = std::shared_ptr<const Subscription>;

// The error names the field. Secrets are looked up here, so one that is missing fails the apply.
Result<Subscription> parse_subscription(const estate::Resource& resource,
                                        const estate::SecretSource& secrets);

// The kind "Subscription" for the estate's list of kinds.
estate::Kind subscription_kind();

}  // namespace weft::delivery
