// Which streams a Kafka client can see as topics: those that the estate declares. Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "eventlog/event_log.h"
#include "eventlog/streams.h"

namespace weft::kafka {

class Topics {
 public:
  virtual ~Topics() = default;
  virtual eventlog::StreamRef find(std::string_view tenant, std::string_view name) const = 0;
  virtual std::vector<eventlog::StreamRef> of_tenant(std::string_view tenant) const = 0;
};

// The declared streams, with their contracts.
class CatalogueTopics final : public Topics {
 public:
  explicit CatalogueTopics(const eventlog::StreamCatalogue& streams) : streams_(streams) {}
  eventlog::StreamRef find(std::string_view tenant, std::string_view name) const override {
    return streams_.find(tenant, name);
  }
  std::vector<eventlog::StreamRef> of_tenant(std::string_view tenant) const override {
    return streams_.of_tenant(tenant);
  }

 private:
  const eventlog::StreamCatalogue& streams_;
};

// Whatever is in the log, without contracts: for tests and tools that run without an estate.
class LogTopics final : public Topics {
 public:
  explicit LogTopics(const eventlog::EventLog& log) : log_(log) {}
  eventlog::StreamRef find(std::string_view tenant, std::string_view name) const override;
  std::vector<eventlog::StreamRef> of_tenant(std::string_view tenant) const override;

 private:
  const eventlog::EventLog& log_;
};

}  // namespace weft::kafka
