#include "app/node/kinds.h"

#include <iterator>

#include "app/node/spec_advice.h"
#include "contracts/json_schema.h"
#include "delivery/subscription.h"
#include "eventlog/streams.h"
#include "gateway/kinds.h"
#include "identity/kinds.h"

namespace weft::app {
namespace {

class CompiledSpec final : public estate::SpecValidator {
 public:
  CompiledSpec(JsonDocument text, contracts::JsonSchema schema)
      : text_(std::move(text)), schema_(std::move(schema)) {}

  std::vector<estate::SpecIssue> validate(const Json& spec) const override {
    std::vector<estate::SpecIssue> issues;
    for (auto& violation : schema_.violations(spec)) {
      auto message = spec_advice(text_.root(), violation);
      issues.push_back({std::move(violation.instance), std::move(message)});
    }
    return issues;
  }

 private:
  JsonDocument text_;
  contracts::JsonSchema schema_;
};

Result<std::unique_ptr<estate::SpecValidator>> compile_spec(std::string_view schema) {
  TRY(auto document, JsonDocument::parse(std::string(schema)));
  TRY(auto compiled, contracts::JsonSchema::compile(document.root()));
  return std::make_unique<CompiledSpec>(std::move(document), std::move(compiled));
}

}  // namespace

Result<estate::KindSet> all_kinds() {
  std::vector<estate::Kind> all;
  for (auto family :
       {identity::identity_kinds(), eventlog::eventlog_kinds(), gateway::gateway_kinds()}) {
    std::move(family.begin(), family.end(), std::back_inserter(all));
  }
  all.push_back(delivery::subscription_kind());
  return estate::KindSet::create(std::move(all), compile_spec);
}

}  // namespace weft::app
