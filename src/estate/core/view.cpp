#include "estate/view.h"

#include <set>

namespace weft::estate {

const Entry* EstateView::find_entry(const ResourceId& id) const {
  auto kind = kinds_.find(id.kind);
  if (kind == kinds_.end()) return nullptr;
  auto tenant = kind->second->find(id.tenant);
  if (tenant == kind->second->end()) return nullptr;
  auto entry = tenant->second->find(id.name);
  return entry == tenant->second->end() ? nullptr : &entry->second;
}

const Resource* EstateView::find(std::string_view tenant, std::string_view kind,
                                 std::string_view name) const {
  const auto* entry = find_entry({std::string(tenant), std::string(kind), std::string(name)});
  return entry == nullptr ? nullptr : entry->resource.get();
}

std::vector<ResourcePtr> EstateView::of_kind(std::string_view kind) const {
  std::vector<ResourcePtr> found;
  auto tenants = kinds_.find(kind);
  if (tenants == kinds_.end()) return found;
  for (const auto& [tenant, names] : *tenants->second) {
    for (const auto& [name, entry] : *names) found.push_back(entry.resource);
  }
  return found;
}

std::vector<ResourcePtr> EstateView::of_kind(std::string_view tenant, std::string_view kind) const {
  std::vector<ResourcePtr> found;
  auto tenants = kinds_.find(kind);
  if (tenants == kinds_.end()) return found;
  auto names = tenants->second->find(tenant);
  if (names == tenants->second->end()) return found;
  for (const auto& [name, entry] : *names->second) found.push_back(entry.resource);
  return found;
}

std::vector<Entry> EstateView::entries() const {
  std::vector<Entry> all;
  all.reserve(size_);
  for_each([&](const Entry& entry) { all.push_back(entry); });
  return all;
}

std::vector<std::string> EstateView::tenants() const {
  std::set<std::string> found;
  for (const auto& [kind, tenants] : kinds_) {
    for (const auto& [tenant, names] : *tenants) found.insert(tenant);
  }
  return {found.begin(), found.end()};
}

EstateView::Names& ViewBuilder::open(const ResourceId& id) {
  auto& names = opened_[id.kind][id.tenant];
  if (names) return *names;
  names = std::make_shared<EstateView::Names>();
  auto kind = view_.kinds_.find(id.kind);
  if (kind == view_.kinds_.end()) return *names;
  auto tenant = kind->second->find(id.tenant);
  if (tenant != kind->second->end()) *names = *tenant->second;
  return *names;
}

void ViewBuilder::put(Entry entry) {
  const auto& id = entry.resource->id();
  auto [at, is_new] = open(id).insert_or_assign(id.name, std::move(entry));
  if (is_new) ++view_.size_;
}

void ViewBuilder::remove(const ResourceId& id) {
  view_.size_ -= open(id).erase(id.name);
}

EstateView ViewBuilder::build(std::uint64_t generation) && {
  for (auto& [kind, tenants] : opened_) {
    auto next = std::make_shared<EstateView::Tenants>();
    if (auto old = view_.kinds_.find(kind); old != view_.kinds_.end()) *next = *old->second;
    for (auto& [tenant, names] : tenants) {
      if (names->empty()) {
        next->erase(tenant);
      } else {
        next->insert_or_assign(tenant, std::move(names));
      }
    }
    if (next->empty()) {
      view_.kinds_.erase(kind);
    } else {
      view_.kinds_.insert_or_assign(kind, std::move(next));
    }
  }
  view_.generation_ = generation;
  return std::move(view_);
}

}  // namespace weft::estate
