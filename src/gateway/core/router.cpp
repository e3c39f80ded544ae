#include "gateway/core/router.h"

#include <algorithm>
#include <map>
#include <span>
#include <unordered_map>

#include "base/ascii.h"
#include "base/bytes.h"

namespace weft::gateway {

namespace {

constexpr std::size_t kHostBytesMax = 255;

struct MethodRoute {
  std::string method;
  std::size_t route;
};

// Most nodes have a few literal children, which are compared faster than hashed.
constexpr std::size_t kComparedMax = 8;

struct Node {
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> few;
  std::unordered_map<std::string, std::unique_ptr<Node>, StringHash, std::equal_to<>> many;
  std::unique_ptr<Node> parameter;
  std::vector<MethodRoute> methods;       // of a path that ends here
  std::vector<MethodRoute> rest_methods;  // of a "*" that begins here

  const Node* literal(std::string_view segment) const {
    for (const auto& [text, node] : few) {
      if (text == segment) return node.get();
    }
    if (many.empty()) return nullptr;
    auto found = many.find(segment);
    return found == many.end() ? nullptr : found->second.get();
  }

  Node& literal_for(std::string_view segment) {
    if (const auto* found = literal(segment)) return const_cast<Node&>(*found);
    auto made = std::make_unique<Node>();
    auto& node = *made;
    if (few.size() < kComparedMax) {
      few.emplace_back(std::string(segment), std::move(made));
    } else {
      many.emplace(std::string(segment), std::move(made));
    }
    return node;
  }
};

struct HostRoutes {
  std::string name;  // lower case; behind "*." for a wildcard
  bool is_wildcard = false;
  Node root;
};

// "." and "..", with any of their characters percent-encoded.
bool is_dot_segment(std::string_view segment) {
  if (segment.empty() || (segment.front() != '.' && segment.front() != '%')) return false;
  int dots = 0;
  while (!segment.empty()) {
    if (segment.front() == '.') {
      segment.remove_prefix(1);
    } else if (segment.size() >= 3 && segment[0] == '%' && segment[1] == '2' &&
               (segment[2] == 'e' || segment[2] == 'E')) {
      segment.remove_prefix(3);
    } else {
      return false;
    }
    ++dots;
  }
  return dots == 1 || dots == 2;
}

struct Segments {
  // Without constructors, so that a request does not pay for setting all of them to nothing.
  struct Part {
    const char* data;
    std::size_t size;
    operator std::string_view() const { return {data, size}; }
  };
  std::array<Part, kPathSegmentsMax> parts;
  std::size_t count = 0;
  bool is_bad = false;

  explicit Segments(std::string_view path) {
    if (path.empty() || path.front() != '/') {
      is_bad = path != "*";
      return;
    }
    path.remove_prefix(1);
    for (;;) {
      auto slash = path.find('/');
      auto part = path.substr(0, slash);
      if (count == parts.size() || is_dot_segment(part) || part.contains('\\')) {
        is_bad = true;
        return;
      }
      parts[count++] = {part.data(), part.size()};
      if (slash == std::string_view::npos) return;
      path.remove_prefix(slash + 1);
    }
  }
};

const MethodRoute* find_method(const std::vector<MethodRoute>& methods, std::string_view method) {
  const MethodRoute* any = nullptr;
  for (const auto& candidate : methods) {
    if (candidate.method == method) return &candidate;
    if (candidate.method == "*") any = &candidate;
  }
  if (any == nullptr && method == "HEAD") return find_method(methods, "GET");
  return any;
}

// Depth first, most exact first; a branch without the method is remembered and left.
class Search {
 public:
  Search(const Segments& segments, std::string_view method, RouteMatch& match)
      : segments_(segments), method_(method), match_(match) {}

  bool visit(const Node& node, std::size_t depth, std::size_t parameters) {
    if (depth == segments_.count) return end_at(node.methods, parameters);
    std::string_view segment = segments_.parts[depth];
    if (const auto* literal = node.literal(segment)) {
      if (visit(*literal, depth + 1, parameters)) return true;
    }
    if (node.parameter && !segment.empty() && parameters < kPathParametersMax) {
      match_.parameters[parameters] = segment;
      if (visit(*node.parameter, depth + 1, parameters + 1)) return true;
    }
    if (node.rest_methods.empty() || parameters == kPathParametersMax) return false;
    std::string_view last = segments_.parts[segments_.count - 1];
    match_.parameters[parameters] = std::string_view(
        segment.data(), static_cast<std::size_t>(last.data() + last.size() - segment.data()));
    return end_at(node.rest_methods, parameters + 1);
  }

 private:
  bool end_at(const std::vector<MethodRoute>& methods, std::size_t parameters) {
    if (methods.empty()) return false;
    if (const auto* found = find_method(methods, method_)) {
      match_.outcome = RouteMatch::Outcome::Found;
      match_.route = found->route;
      match_.parameter_count = parameters;
      return true;
    }
    match_.outcome = RouteMatch::Outcome::NoMethod;
    for (const auto& other : methods) {
      if (!match_.allow.empty()) match_.allow += ", ";
      match_.allow += other.method;
    }
    return false;
  }

  const Segments& segments_;
  std::string_view method_;
  RouteMatch& match_;
};

Result<std::vector<MethodRoute>*> place(Node& root, const RouteSpec& spec) {
  Segments segments(spec.path);
  if (segments.is_bad || segments.count == 0) {
    return fail(ErrorCode::InvalidArgument, "the path \"{}\" cannot be a route", spec.path);
  }
  Node* node = &root;
  std::size_t parameters = 0;
  for (std::size_t i = 0; i < segments.count; ++i) {
    std::string_view part = segments.parts[i];
    if (part == "*") {
      if (i + 1 != segments.count) {
        return fail(ErrorCode::InvalidArgument, "{}: \"*\" is for the last segment", spec.path);
      }
      return &node->rest_methods;
    }
    bool is_parameter = part.size() > 2 && part.front() == '{' && part.back() == '}';
    if (!is_parameter && part.find_first_of("{}") != std::string_view::npos) {
      return fail(ErrorCode::InvalidArgument, "{}: a parameter is a whole segment", spec.path);
    }
    if (is_parameter && ++parameters > kPathParametersMax) {
      return fail(ErrorCode::InvalidArgument, "{}: more than {} parameters", spec.path,
                  kPathParametersMax);
    }
    if (is_parameter && !node->parameter) node->parameter = std::make_unique<Node>();
    node = is_parameter ? node->parameter.get() : &node->literal_for(part);
  }
  return &node->methods;
}

}  // namespace

struct Router::Table {
  // Exact names first, then wildcards from the longest, then any.
  std::vector<HostRoutes> hosts;

  static int rank(const HostRoutes& host) {
    if (host.name.empty()) return 2;
    return host.is_wildcard ? 1 : 0;
  }

  const HostRoutes* find(std::string_view host) const {
    for (const auto& candidate : hosts) {
      if (candidate.name.empty()) return &candidate;
      if (!candidate.is_wildcard && candidate.name == host) return &candidate;
      if (candidate.is_wildcard && host.size() > candidate.name.size() + 1 &&
          host.ends_with(candidate.name) && host[host.size() - candidate.name.size() - 1] == '.') {
        return &candidate;
      }
    }
    return nullptr;
  }
};

Router::Router() : table_(std::make_unique<Table>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

Result<Router> Router::compile(const std::vector<RouteSpec>& specs) {
  std::map<std::string, HostRoutes> by_host;
  for (const auto& spec : specs) {
    auto host = lower_case(spec.host);
    auto& routes = by_host[host];
    routes.is_wildcard = host.starts_with("*.");
    routes.name = routes.is_wildcard ? host.substr(2) : host;
    TRY(auto* methods, place(routes.root, spec));
    for (const auto& other : *methods) {
      if (other.method != spec.method) continue;
      return fail(ErrorCode::AlreadyExists, "{} {}{} is claimed twice", spec.method,
                  spec.host.empty() ? "" : "//" + spec.host, spec.path);
    }
    methods->push_back({spec.method, spec.route});
  }
  auto table = std::make_unique<Table>();
  for (auto& [name, routes] : by_host) table->hosts.push_back(std::move(routes));
  std::ranges::stable_sort(table->hosts, [](const HostRoutes& a, const HostRoutes& b) {
    if (Table::rank(a) != Table::rank(b)) return Table::rank(a) < Table::rank(b);
    return a.name.size() > b.name.size();
  });
  Router router;
  router.table_ = std::move(table);
  return router;
}

RouteMatch Router::match(std::string_view host, std::string_view method,
                         std::string_view path) const {
  RouteMatch match;
  Segments segments(path);
  if (segments.is_bad) {
    match.outcome = RouteMatch::Outcome::BadPath;
    return match;
  }
  auto colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    host = host.substr(0, colon);
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > kHostBytesMax) return match;
  std::array<char, kHostBytesMax> lower;
  std::ranges::transform(host, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  const auto* routes = table_->find({lower.data(), host.size()});
  if (routes == nullptr || segments.count == 0) return match;
  Search search(segments, method, match);
  search.visit(routes->root, 0, 0);
  return match;
}

}  // namespace weft::gateway
