// An estate at one moment: all resources of all tenants, immutable and shared. What a feature
// compiles its snapshot from, and what checks look around in. Safe to read from any thread; copying
// is cheap, and a new generation shares every kind that it does not change.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "estate/resource.h"

namespace weft::estate {

// A resource with who manages it: the name of the change sets that it came from ("folder", "api",
// "kafka" …). Pruning removes only what its own manager once applied.
struct Entry {
  ResourcePtr resource;
  std::string managed_by;
  std::uint64_t generation = 0;  // that last changed it
};

class EstateView {
 public:
  EstateView() = default;

  std::uint64_t generation() const { return generation_; }
  std::size_t size() const { return size_; }

  // Null when there is none; valid as long as a view that holds it.
  const Resource* find(std::string_view tenant, std::string_view kind, std::string_view name) const;
  const Resource* find(const ResourceId& id) const { return find(id.tenant, id.kind, id.name); }
  const Entry* find_entry(const ResourceId& id) const;

  // Sorted by tenant, then name.
  std::vector<ResourcePtr> of_kind(std::string_view kind) const;
  std::vector<ResourcePtr> of_kind(std::string_view tenant, std::string_view kind) const;
  // Sorted by kind, tenant, name.
  std::vector<Entry> entries() const;
  std::vector<std::string> tenants() const;

  // Each entry in the order of entries(), without a copy.
  template <class F>
  void for_each(F visit) const {
    for (const auto& [kind, tenants] : kinds_) {
      for (const auto& [tenant, names] : *tenants) {
        for (const auto& [name, entry] : *names) visit(entry);
      }
    }
  }

 private:
  friend class ViewBuilder;
  using Names = std::map<std::string, Entry, std::less<>>;
  using Tenants = std::map<std::string, std::shared_ptr<const Names>, std::less<>>;

  std::map<std::string, std::shared_ptr<const Tenants>, std::less<>> kinds_;
  std::uint64_t generation_ = 0;
  std::size_t size_ = 0;
};

// Makes the next view from one; copies only the names of the kinds and tenants that change.
class ViewBuilder {
 public:
  explicit ViewBuilder(EstateView from = {}) : view_(std::move(from)) {}

  void put(Entry entry);
  void remove(const ResourceId& id);
  EstateView build(std::uint64_t generation) &&;

 private:
  using Opened = std::map<std::string, std::shared_ptr<EstateView::Names>, std::less<>>;

  EstateView::Names& open(const ResourceId& id);

  EstateView view_;
  std::map<std::string, Opened, std::less<>> opened_;  // by kind, then tenant
};

}  // namespace weft::estate
