#include "estate/kind.h"

namespace weft::estate {

Result<KindSet> KindSet::create(std::vector<Kind> kinds, const SpecCompiler& compiler) {
  KindSet set;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto& kind = kinds[i];
    if (!set.by_name_.emplace(kind.name, i).second) {
      return fail(ErrorCode::AlreadyExists, "kind {} is registered twice", kind.name);
    }
    auto validator = compiler(kind.schema);
    if (!validator) {
      return Failure(std::move(validator).error().within(fmt::format("schema of {}", kind.name)));
    }
    set.validators_.push_back(*std::move(validator));
  }
  set.kinds_ = std::make_shared<const std::vector<Kind>>(std::move(kinds));
  return set;
}

const Kind* KindSet::find(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &(*kinds_)[found->second];
}

const SpecValidator& KindSet::validator(const Kind& kind) const {
  return *validators_[by_name_.find(kind.name)->second];
}

std::vector<std::string> KindSet::names() const {
  std::vector<std::string> names;
  for (const auto& [name, index] : by_name_) names.push_back(name);
  return names;
}

}  // namespace weft::estate
