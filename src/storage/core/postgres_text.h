// How the seam's SQL and values are written for PostgreSQL. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/database.h"

namespace weft::storage {

// A migration's text with PostgreSQL's words: STRICT goes, INTEGER is BIGINT, REAL is DOUBLE
// PRECISION, BLOB is BYTEA, TEXT compares by its bytes. Words in capitals outside of quotes only.
std::string postgres_schema(std::string_view sql);

// The highest n of a $n outside of quotes; 0 without any.
std::size_t highest_parameter(std::string_view sql);

// The code of a SQLSTATE. Class 40 (serialization, deadlock) is Conflict: the caller tries again.
ErrorCode postgres_code(std::string_view sqlstate);

// The whole number in a `numeric` of the binary protocol, which SUM answers.
Result<std::int64_t> postgres_numeric(std::string_view bytes);

}  // namespace weft::storage
