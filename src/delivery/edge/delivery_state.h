// The inside of DeliveryService, shared by its source files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "delivery/delivery_service.h"
#include "delivery/edge/loop_worker.h"
#include "delivery/edge/subscription_compiler.h"

namespace weft::delivery {

struct DeliveryService::State {
  explicit State(DeliveryParts parts);

  DeliveryContext context;
  std::vector<std::shared_ptr<LoopWorker>> loops;
  SubscriptionCompiler compiler;

  void stop();
  std::size_t loop_of(const std::string& tenant, const std::string& name) const;
  Executor executor(std::size_t loop) const { return context.parts.loops[loop]; }
};

}  // namespace weft::delivery
