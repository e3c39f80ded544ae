// Which route a request takes: by host, path template and method, compiled into an immutable table
// that all loops share. Pure; any thread.
//
// Hosts: a name, "*.name" for every name below it, or "" for any; the most exact one decides alone.
// Templates: "/orders/{id}/lines"; a last segment "*" takes the rest of the path. A literal segment
// goes before a parameter, a parameter before "*". Methods: a name, or "*" for any.
//
// Paths are compared as sent: percent-encoded, case-sensitive. A path with dot segments, encoded
// ones included, is refused, since upstreams resolve them and would serve another path than the one
// judged.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::gateway {

struct RouteSpec {
  std::string host;
  std::string method;
  std::string path;
  std::size_t route = 0;  // the caller's number for it
};

inline constexpr std::size_t kPathParametersMax = 16;
inline constexpr std::size_t kPathSegmentsMax = 64;

struct RouteMatch {
  enum class Outcome : std::uint8_t { Found, NoPath, NoMethod, BadPath };
  Outcome outcome = Outcome::NoPath;
  std::size_t route = 0;
  // Values of the template's parameters in its order, still percent-encoded; "*" last, without
  // slash.
  std::array<std::string_view, kPathParametersMax> parameters;
  std::size_t parameter_count = 0;
  std::string allow;  // for NoMethod: "GET, POST"

  std::span<const std::string_view> values() const {
    return std::span(parameters).first(parameter_count);
  }
};

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // AlreadyExists when two specs claim the same host, path and method; InvalidArgument for a
  // template that cannot be read.
  static Result<Router> compile(const std::vector<RouteSpec>& specs);

  // `host` as sent, with or without port. HEAD takes the route of GET where it has none of its own.
  RouteMatch match(std::string_view host, std::string_view method, std::string_view path) const;

 private:
  struct Table;
  std::unique_ptr<const Table> table_;
};

}  // namespace weft::gateway
