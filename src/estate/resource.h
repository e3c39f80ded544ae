// A resource: one declared thing of the estate (a stream, a route, a client …) as an immutable
// value.
//
//   apiVersion: weft/v1
//   kind: Stream
//   metadata: {name: orders.order.created.v1, tenant: default, owner: shop-team, labels: {},
//   annotations: {}} spec: {…}
//
// Its text is canonical JSON (members sorted by the bytes of their names, no spaces, number lexemes
// as written), its hash the SHA-256 of that text: equal documents have equal hashes, so what was
// compiled from one can be kept under its hash. JSON Pointers into the canonical form and into the
// document that it was loaded from are the same. Values; any thread.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/json.h"
#include "base/result.h"

namespace weft::estate {

inline constexpr std::string_view kApiVersion = "weft/v1";
inline constexpr std::string_view kDefaultTenant = "default";

struct ResourceId {
  std::string tenant;
  std::string kind;
  std::string name;

  auto operator<=>(const ResourceId&) const = default;
  // "Stream orders.order.created.v1", with " in tenant acme" when it is not the default tenant.
  std::string text() const;
};

// 1 to 249 of A-Z a-z 0-9 . _ - and first a letter, digit or underscore: every legal Kafka topic
// name that does not start with a dot or dash.
bool is_resource_name(std::string_view name);
// 1 to 63 of a-z 0-9 - and first a letter or digit.
bool is_tenant_name(std::string_view name);

using StringMap = std::map<std::string, std::string, std::less<>>;

// Where a resource was read; shared by the resources of one document.
using SourcePtr = std::shared_ptr<const SourceDocument>;

class Resource;
using ResourcePtr = std::shared_ptr<const Resource>;

class Resource {
 public:
  // From an envelope that envelope.h has checked, or from text() of an earlier resource.
  // Requires: the envelope is well-formed; otherwise DataLoss.
  static Result<ResourcePtr> from_envelope(const Json& envelope, SourcePtr source = nullptr);
  static Result<ResourcePtr> from_text(std::string canonical_text, SourcePtr source = nullptr);

  const ResourceId& id() const { return id_; }
  const std::string& name() const { return id_.name; }
  const std::string& tenant() const { return id_.tenant; }
  const std::string& kind() const { return id_.kind; }
  const std::string& owner() const { return owner_; }  // empty when none
  const StringMap& labels() const { return labels_; }
  const StringMap& annotations() const { return annotations_; }

  // An object; its values live as long as the resource.
  const Json& spec() const { return *spec_; }
  const Json& root() const { return document_.root(); }
  std::string_view text() const { return document_.text(); }
  const std::string& hash() const { return hash_; }  // 64 hex digits

  // A diagnostic at a place of this resource: file, line and column when it was loaded from a
  // document.
  Diagnostic at(std::string pointer, std::string message) const;
  // At a value of root() or spec().
  Diagnostic at(const Json& value, std::string message) const;

  Resource(const Resource&) = delete;
  Resource& operator=(const Resource&) = delete;

 private:
  Resource() = default;

  ResourceId id_;
  std::string owner_;
  StringMap labels_;
  StringMap annotations_;
  JsonDocument document_;
  const Json* spec_ = nullptr;
  std::string hash_;
  SourcePtr source_;
};

}  // namespace weft::estate
