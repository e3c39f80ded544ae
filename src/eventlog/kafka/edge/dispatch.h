// The table of APIs: what is served in which versions, what is advertised, and by what function.
// Drives dispatch, ApiVersions and docs/kafka-compatibility.md.
#pragma once

#include <span>

#include "eventlog/kafka/edge/broker.h"

namespace weft::kafka {

enum class Access : std::uint8_t { Anybody, Authenticated };

struct Api {
  ApiId id;
  // Clients are told this as the first version: 0 for Produce, see below.
  std::int16_t advertised_first = 0;
  Access access = Access::Authenticated;
  // Reads the request behind its header and answers into the call. InvalidArgument: malformed.
  Task<Result<>> (*run)(Call& call, Reader& body) = nullptr;
  std::string_view remark;  // for the documentation
};

// Sorted by key.
std::span<const Api> apis();
const Api* find_api(std::int16_t key);

// Markdown table of the above.
std::string api_table_markdown();

}  // namespace weft::kafka
