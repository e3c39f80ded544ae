// The documents of one compilation and what in them can be referred to: schema resources by URI,
// anchors, and where each schema stands. Used by one compiler, on one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "contracts/core/dialect.h"

namespace weft::contracts {

class SchemaRegistry {
 public:
  struct Document {
    std::string uri;
    const Json* root = nullptr;
    std::string_view source;  // text for lines; empty when not known
  };
  // A schema with a URI of its own.
  struct Resource {
    std::string uri;  // without fragment
    const Json* root = nullptr;
    std::uint32_t document = 0;
    Dialect dialect;
    std::string dialect_problem;  // why its $schema cannot be followed
    std::map<std::string, const Json*, std::less<>> anchors;
    std::map<std::string, const Json*, std::less<>> dynamic_anchors;
  };
  // Where a schema stands: its resource, and its pointer from the document's root.
  struct Where {
    std::uint32_t resource = 0;
    std::string pointer;
  };

  // The document's root need not be a schema itself (an OpenAPI document); then nothing is indexed
  // but what add_schema() and references lead to.
  explicit SchemaRegistry(const SchemaOptions& options);
  SchemaRegistry(const SchemaRegistry&) = delete;
  SchemaRegistry& operator=(const SchemaRegistry&) = delete;

  // The main document gets number 0. `is_schema`: whether its root is one.
  void add_main(const Json& root, bool is_schema);

  struct Target {
    const Json* schema = nullptr;
    Where where;
  };
  // What a reference in a schema of the resource leads to. The error is a phrase such as "there is
  // no …".
  Result<Target> resolve(std::uint32_t resource, std::string_view reference);
  // A value of the main document by its pointer.
  Result<Target> at_pointer(std::string_view pointer);

  const Resource& resource(std::uint32_t number) const { return resources_[number]; }
  std::size_t resource_count() const { return resources_.size(); }
  const Document& document(std::uint32_t number) const { return documents_[number]; }
  Where where(const Json& schema) const { return where_.at(&schema); }
  std::optional<Where> find_where(const Json& schema) const {
    const auto found = where_.find(&schema);
    return found == where_.end() ? std::nullopt : std::optional(found->second);
  }

  // The name under which $recursiveAnchor is kept among the dynamic anchors.
  static constexpr std::string_view kRecursiveAnchor = "\x01";

 private:
  std::uint32_t add_document(std::string uri, const Json& root, std::string_view source);
  void index_root(std::uint32_t document, const Dialect& inherited);
  void index(const Json& schema, std::uint32_t resource, const std::string& pointer);
  std::uint32_t enter_resource(const Json& schema, std::uint32_t around);
  void add_anchors(const Json& schema, std::uint32_t resource);
  void index_children(const Json& schema, std::uint32_t resource, const std::string& pointer);
  Result<Dialect> dialect_of(std::string_view uri, int depth);
  Result<> apply_vocabularies(const Json& vocabularies, Dialect& dialect) const;
  const Json* find_document(std::string_view uri);
  std::optional<std::uint32_t> find_resource(std::string_view uri);
  Result<Target> follow(std::uint32_t resource, std::string_view pointer);

  const SchemaOptions& options_;
  std::deque<Document> documents_;
  std::deque<Resource> resources_;
  std::map<std::string, std::uint32_t, std::less<>> by_uri_;
  std::unordered_map<const Json*, Where> where_;
  std::map<std::string, JsonDocument, std::less<>> metaschemas_;
};

}  // namespace weft::contracts
