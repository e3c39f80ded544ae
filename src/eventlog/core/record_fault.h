// What a stream's contract says of one record: the same for a record that comes over Kafka and for
// one that is looked at again in quarantine. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventlog/streams.h"

namespace weft::eventlog {

// Absent when the record may be stored. One without value is a deletion, which only compacted
// streams know. `keys` as in StreamDeclaration::violations_of_text().
std::optional<std::string> record_fault(const StreamDeclaration& declared,
                                        std::optional<std::string_view> key,
                                        std::optional<std::string_view> value,
                                        std::vector<contracts::FoundBusinessKey>* keys = nullptr);
// "/id must be a number"; at the value itself without a place.
std::string fault_text(const contracts::Violation& violation);

}  // namespace weft::eventlog
