#include "eventlog/core/record_fault.h"

namespace weft::eventlog {

std::optional<std::string> record_fault(const StreamDeclaration& declared,
                                        std::optional<std::string_view> key,
                                        std::optional<std::string_view> value,
                                        std::vector<contracts::FoundBusinessKey>* keys) {
  const bool compacts = eventlog::compacts(declared.settings.cleanup);
  if (compacts && !key) return "a record of a compacted stream needs a key";
  if (!value) {
    if (compacts) return std::nullopt;
    return "the record has no value";
  }
  const auto violations = declared.violations_of_text(*value, 1, keys);
  if (violations.empty()) return std::nullopt;
  return fault_text(violations.front());
}

std::string fault_text(const contracts::Violation& violation) {
  if (violation.instance.empty()) return violation.message;
  return violation.instance + " " + violation.message;
}

}  // namespace weft::eventlog
