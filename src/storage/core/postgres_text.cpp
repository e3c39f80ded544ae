#include "storage/core/postgres_text.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/bytes.h"

namespace weft::storage {

namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view postgres_word(std::string_view word) {
  if (word == "STRICT") return "";
  if (word == "INTEGER") return "BIGINT";
  if (word == "REAL") return "DOUBLE PRECISION";
  if (word == "BLOB") return "BYTEA";
  if (word == "TEXT") return "TEXT COLLATE \"C\"";
  return word;
}

// The end of what starts at `at`: a quoted text, a word, or one character.
std::size_t token_end(std::string_view sql, std::size_t at) {
  if (sql[at] == '\'' || sql[at] == '"') {
    auto end = sql.find(sql[at], at + 1);
    return end == std::string_view::npos ? sql.size() : end + 1;
  }
  auto end = at + 1;
  if (is_word(sql[at])) {
    while (end < sql.size() && is_word(sql[end])) ++end;
  }
  return end;
}

constexpr int kNumericBase = 10'000;

}  // namespace

std::string postgres_schema(std::string_view sql) {
  std::string out;
  for (std::size_t at = 0; at < sql.size();) {
    auto end = token_end(sql, at);
    out += postgres_word(sql.substr(at, end - at));
    at = end;
  }
  return out;
}

std::size_t highest_parameter(std::string_view sql) {
  std::size_t highest = 0;
  for (std::size_t at = 0; at < sql.size();) {
    auto end = token_end(sql, at);
    if (sql[at] == '$' && end < sql.size()) {
      std::size_t number = 0;
      std::from_chars(sql.data() + end, sql.data() + sql.size(), number);
      highest = std::max(highest, number);
    }
    at = end;
  }
  return highest;
}

ErrorCode postgres_code(std::string_view sqlstate) {
  if (sqlstate == "23505") return ErrorCode::AlreadyExists;
  if (sqlstate == "25006" || sqlstate == "57014") return ErrorCode::Unavailable;
  if (sqlstate == "53300" || sqlstate == "55P03") return ErrorCode::Unavailable;
  auto group = sqlstate.substr(0, 2);
  if (group == "08" || group == "57") return ErrorCode::Unavailable;
  if (group == "23") return ErrorCode::FailedPrecondition;
  if (group == "40") return ErrorCode::Conflict;
  if (group == "53" || group == "54") return ErrorCode::ResourceExhausted;
  if (group == "28") return ErrorCode::PermissionDenied;
  if (group == "58") return ErrorCode::IoError;
  if (group == "XX") return ErrorCode::DataLoss;
  if (group == "0A" || group == "22" || group == "26" || group == "42") {
    return ErrorCode::InvalidArgument;
  }
  return ErrorCode::Internal;
}

Result<std::int64_t> postgres_numeric(std::string_view bytes) {
  auto part = [&](std::size_t index) { return load_be<std::int16_t>(bytes.data() + 2 * index); };
  if (bytes.size() < 8 || bytes.size() != 8 + 2 * static_cast<std::size_t>(part(0))) {
    return fail(ErrorCode::DataLoss, "a numeric of {} bytes is none", bytes.size());
  }
  const auto digits = part(0);
  const auto weight = part(1);
  const auto sign = static_cast<std::uint16_t>(part(2));
  const bool is_whole = digits <= weight + 1;
  if ((sign != 0 && sign != 0x4000) || !is_whole || weight > 4) {
    return fail(ErrorCode::InvalidArgument, "a number is not whole, or beyond 64 bits");
  }
  // Negative, as the smallest number has no positive twin.
  std::int64_t value = 0;
  for (std::int16_t at = 0; at <= weight; ++at) {
    std::int64_t digit = at < digits ? part(4 + static_cast<std::size_t>(at)) : 0;
    if (__builtin_mul_overflow(value, kNumericBase, &value) ||
        __builtin_sub_overflow(value, digit, &value)) {
      return fail(ErrorCode::InvalidArgument, "a number is beyond 64 bits");
    }
  }
  if (sign == 0x4000) return value;
  if (value == std::numeric_limits<std::int64_t>::min()) {
    return fail(ErrorCode::InvalidArgument, "a number is beyond 64 bits");
  }
  return -value;
}

}  // namespace weft::storage
