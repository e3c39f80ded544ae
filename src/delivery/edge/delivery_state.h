// The inside of DeliveryService, shared by its source files.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "delivery/delivery_service.h"
#include "delivery/edge/loop_worker.h"

namespace weft::delivery {

struct DeliveryService::State {
  explicit State(DeliveryParts parts);

  DeliveryContext context;
  std::vector<std::shared_ptr<LoopWorker>> loops;
  std::map<std::string, SubscriptionRef> compiled;  // by content hash; the estate's thread
  std::atomic<std::uint64_t> compilations{0};

  std::size_t loop_of(const std::string& tenant, const std::string& name) const;
  Executor executor(std::size_t loop) const { return context.parts.loops[loop]; }
};

}  // namespace weft::delivery
