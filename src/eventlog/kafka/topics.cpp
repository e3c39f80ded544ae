#include "eventlog/kafka/topics.h"

namespace weft::kafka {
namespace {

eventlog::StreamRef without_contract(eventlog::StreamInfo info) {
  auto declared = std::make_shared<eventlog::StreamDeclaration>();
  declared->settings = info.settings;
  auto stream = std::make_shared<eventlog::Stream>();
  stream->info = std::move(info);
  stream->declared = std::move(declared);
  return stream;
}

}  // namespace

eventlog::StreamRef LogTopics::find(std::string_view tenant, std::string_view name) const {
  auto info = log_.find_stream(tenant, name);
  return info ? without_contract(*std::move(info)) : nullptr;
}

std::vector<eventlog::StreamRef> LogTopics::of_tenant(std::string_view tenant) const {
  std::vector<eventlog::StreamRef> found;
  for (auto& info : log_.streams()) {
    if (info.settings.tenant == tenant) found.push_back(without_contract(std::move(info)));
  }
  return found;
}

}  // namespace weft::kafka
