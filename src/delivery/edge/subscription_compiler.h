// The estate's documents of kind Subscription as what the workers carry out. What did not change
// is not parsed again. compile() on the estate's thread.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "delivery/subscription.h"
#include "estate/compiler.h"
#include "estate/secret_source.h"

namespace weft::delivery {

class SubscriptionCompiler {
 public:
  explicit SubscriptionCompiler(const estate::SecretSource& secrets) : secrets_(secrets) {}

  Result<std::vector<SubscriptionRef>> compile(const estate::EstateView& view);
  std::uint64_t compilations() const { return compilations_; }

 private:
  const estate::SecretSource& secrets_;
  std::map<std::string, SubscriptionRef> compiled_;  // by content hash
  std::atomic<std::uint64_t> compilations_{0};
};

}  // namespace weft::delivery
