#include <libpq-fe.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "storage/postgres_database.h"

namespace weft {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

constexpr std::string_view kHowToWrite =
    "write it postgresql://user:password@host:port/database, with %40 for @, %2F for / and %25 for % "
    "inside of a password, or give the password by itself";

}  // namespace

// The parser's own words quote what it did not understand, which may be the password.
Result<> check_postgres_url(const std::string& url) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) {
    return fail(ErrorCode::InvalidArgument, "does not begin with postgresql://: {}", kHowToWrite);
  }
  char* why = nullptr;
  std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconninfoParse(url.c_str(), &why));
  PQfreemem(why);
  if (!options) return fail(ErrorCode::InvalidArgument, "cannot be read: {}", kHowToWrite);
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    std::string_view name = option->keyword;
    std::string_view value = option->val == nullptr ? "" : option->val;
    bool is_port =
        std::ranges::all_of(value, [](unsigned char c) { return std::isdigit(c) || c == ','; });
    bool is_bad = (name == "port" && !is_port) ||
                  ((name == "host" || name == "dbname") && value.find('@') != value.npos);
    if (is_bad)
      return fail(ErrorCode::InvalidArgument, "its {} cannot be right: {}", name, kHowToWrite);
  }
  return {};
}

}  // namespace weft
