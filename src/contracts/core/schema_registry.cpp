#include "contracts/core/schema_registry.h"

#include <array>

#include "contracts/core/metaschemas.h"
#include "contracts/core/uri.h"

namespace weft::contracts {
namespace {

struct KnownDialect {
  std::string_view uri;
  SchemaDialect draft;
};
constexpr std::array<KnownDialect, 5> kDialects = {
    {{"http://json-schema.org/draft-04/schema", SchemaDialect::Draft4},
     {"http://json-schema.org/draft-06/schema", SchemaDialect::Draft6},
     {"http://json-schema.org/draft-07/schema", SchemaDialect::Draft7},
     {"https://json-schema.org/draft/2019-09/schema", SchemaDialect::Draft201909},
     {"https://json-schema.org/draft/2020-12/schema", SchemaDialect::Draft202012}}};

// OpenAPI 3.1's own dialect is 2020-12 with annotations of its own.
constexpr std::string_view kOpenApi31Dialect = "https://spec.openapis.org/oas/3.1/dialect/base";

constexpr std::string_view kSingle[] = {"additionalItems",
                                        "additionalProperties",
                                        "contains",
                                        "contentSchema",
                                        "else",
                                        "if",
                                        "items",
                                        "not",
                                        "propertyNames",
                                        "then",
                                        "unevaluatedItems",
                                        "unevaluatedProperties"};
constexpr std::string_view kLists[] = {"allOf", "anyOf", "oneOf", "prefixItems", "items"};
constexpr std::string_view kMaps[] = {"$defs",        "definitions",       "dependentSchemas",
                                      "dependencies", "patternProperties", "properties"};

std::string child(const std::string& pointer, std::string_view token) {
  return pointer + "/" + escape_pointer_token(token);
}

std::string_view text_member(const Json& schema, std::string_view key) {
  const Json* const value = schema.find(key);
  return value != nullptr && value->is_string() ? value->as_string() : std::string_view();
}

}  // namespace

SchemaRegistry::SchemaRegistry(const SchemaOptions& options) : options_(options) {}

void SchemaRegistry::add_main(const Json& root, bool is_schema) {
  add_document(std::string(uri_without_fragment(options_.uri)), root, options_.source);
  Dialect dialect;
  dialect.draft = options_.dialect;
  if (is_schema) {
    index_root(0, dialect);
  } else {
    resources_.push_back({documents_[0].uri, &root, 0, dialect, {}, {}, {}});
    by_uri_.emplace(documents_[0].uri, 0);
    where_[&root] = {0, ""};
  }
  for (const SchemaDocument& document : options_.documents) {
    const auto number =
        add_document(std::string(uri_without_fragment(document.uri)), document.root, {});
    index_root(number, dialect);
  }
}

std::uint32_t SchemaRegistry::add_document(std::string uri, const Json& root,
                                           std::string_view source) {
  documents_.push_back({std::move(uri), &root, source});
  return static_cast<std::uint32_t>(documents_.size() - 1);
}

void SchemaRegistry::index_root(std::uint32_t document, const Dialect& inherited) {
  const Document& added = documents_[document];
  const auto number = static_cast<std::uint32_t>(resources_.size());
  resources_.push_back({added.uri, added.root, document, inherited, {}, {}, {}});
  // Also reachable by the address that it was given under, whatever its $id says.
  by_uri_.try_emplace(added.uri, number);
  index(*added.root, number, "");
}

// The resource of a schema that may open one of its own with $id; `around` is the one that it
// stands in.
std::uint32_t SchemaRegistry::enter_resource(const Json& schema, std::uint32_t around) {
  Dialect dialect = resources_[around].dialect;
  std::string problem = resources_[around].dialect_problem;
  if (const std::string_view named = text_member(schema, "$schema"); !named.empty()) {
    auto found = dialect_of(named, 0);
    if (found) dialect = *found;
    problem = found ? "" : found.error().message;
  }
  const bool is_root = resources_[around].root == &schema;
  if (is_root) {
    resources_[around].dialect = dialect;
    resources_[around].dialect_problem = problem;
  }
  const std::string_view id = text_member(schema, dialect.id_keyword());
  if (id.empty() || (dialect.ref_hides_siblings() && schema.find("$ref") != nullptr)) return around;
  const std::string_view own = uri_without_fragment(id);
  std::uint32_t resource = around;
  if (!own.empty()) {
    std::string uri(uri_without_fragment(resolve_uri(resources_[around].uri, own)));
    if (is_root) {
      resources_[around].uri = uri;
    } else {
      resource = static_cast<std::uint32_t>(resources_.size());
      resources_.push_back({uri, &schema, resources_[around].document, dialect, problem, {}, {}});
    }
    by_uri_.try_emplace(std::move(uri), resource);
  }
  // Drafts 4 to 7 write an anchor as an id that is only a fragment.
  if (dialect.ref_hides_siblings() && own.size() + 1 < id.size())
    resources_[resource].anchors.try_emplace(std::string(id.substr(own.size() + 1)), &schema);
  return resource;
}

void SchemaRegistry::add_anchors(const Json& schema, std::uint32_t number) {
  Resource& resource = resources_[number];
  if (resource.dialect.is_before(SchemaDialect::Draft201909)) return;
  if (const std::string_view name = text_member(schema, "$anchor"); !name.empty())
    resource.anchors.try_emplace(std::string(name), &schema);
  if (resource.dialect.since(SchemaDialect::Draft202012)) {
    if (const std::string_view name = text_member(schema, "$dynamicAnchor"); !name.empty())
      resource.dynamic_anchors.try_emplace(std::string(name), &schema);
    return;
  }
  const Json* const recursive = schema.find("$recursiveAnchor");
  if (recursive != nullptr && recursive->type() == Json::Type::True && resource.root == &schema)
    resource.dynamic_anchors.try_emplace(std::string(kRecursiveAnchor), &schema);
}

void SchemaRegistry::index(const Json& schema, std::uint32_t resource, const std::string& pointer) {
  // A YAML alias stands in two places; the first one counts.
  if (where_.contains(&schema)) return;
  if (schema.is_object()) resource = enter_resource(schema, resource);
  where_.emplace(&schema, Where{resource, pointer});
  if (!schema.is_object()) return;
  add_anchors(schema, resource);
  index_children(schema, resource, pointer);
}

void SchemaRegistry::index_children(const Json& schema, std::uint32_t resource,
                                    const std::string& pointer) {
  for (const std::string_view keyword : kSingle) {
    const Json* const value = schema.find(keyword);
    if (value != nullptr && (value->is_object() || value->is_bool()))
      index(*value, resource, child(pointer, keyword));
  }
  for (const std::string_view keyword : kLists) {
    const Json* const value = schema.find(keyword);
    if (value == nullptr || !value->is_array()) continue;
    for (std::uint32_t i = 0; i < value->size(); ++i)
      index(value->elements()[i], resource, child(child(pointer, keyword), std::to_string(i)));
  }
  for (const std::string_view keyword : kMaps) {
    const Json* const value = schema.find(keyword);
    if (value == nullptr || !value->is_object()) continue;
    for (const JsonMember& member : value->members())
      if (member.value.is_object() || member.value.is_bool())
        index(member.value, resource, child(child(pointer, keyword), member.key()));
  }
}

const Json* SchemaRegistry::find_document(std::string_view uri) {
  for (const SchemaDocument& document : options_.documents)
    if (uri_without_fragment(document.uri) == uri) return &document.root;
  for (const Document& document : documents_)
    if (document.uri == uri) return document.root;
  for (const Metaschema& metaschema : metaschemas()) {
    if (metaschema.uri != uri) continue;
    const auto [at, is_new] = metaschemas_.try_emplace(std::string(uri));
    if (is_new) {
      auto parsed = JsonDocument::parse(std::string(metaschema.text));
      ENSURE(parsed.has_value(), "the built-in meta-schemas are JSON");
      at->second = *std::move(parsed);
    }
    return &at->second.root();
  }
  return nullptr;
}

Result<Dialect> SchemaRegistry::dialect_of(std::string_view uri, int depth) {
  constexpr int kMetaschemasMax = 8;
  const std::string_view plain = uri_without_fragment(uri);
  Dialect dialect;
  dialect.draft = options_.dialect;
  for (const KnownDialect& known : kDialects) {
    if (known.uri != plain) continue;
    dialect.draft = known.draft;
    return dialect;
  }
  if (plain == kOpenApi31Dialect) return dialect;
  const Json* const metaschema = depth < kMetaschemasMax ? find_document(plain) : nullptr;
  if (metaschema == nullptr)
    return fail(ErrorCode::NotFound, "the dialect {} is not known and not among the documents",
                uri);
  const std::string_view own = text_member(*metaschema, "$schema");
  if (!own.empty() && uri_without_fragment(own) != plain) {
    TRY(dialect, dialect_of(own, depth + 1));
  }
  const Json* const vocabularies = metaschema->find("$vocabulary");
  if (vocabularies != nullptr) CHECK(apply_vocabularies(*vocabularies, dialect));
  return dialect;
}

Result<> SchemaRegistry::apply_vocabularies(const Json& vocabularies, Dialect& dialect) const {
  dialect.applicator = dialect.unevaluated = dialect.validation = false;
  for (const JsonMember& member : vocabularies.members()) {
    const std::string_view uri = member.key();
    const std::size_t slash = uri.find("/vocab/");
    const std::string_view name =
        uri.starts_with("https://json-schema.org/draft/") && slash != std::string_view::npos
            ? uri.substr(slash + 7)
            : "";
    if (name == "applicator")
      dialect.applicator = true;
    else if (name == "unevaluated")
      dialect.unevaluated = true;
    else if (name == "validation")
      dialect.validation = true;
    else if (name == "format-assertion")
      dialect.format_assertion = true;
    else if (name == "format" && member.value.type() == Json::Type::True)
      dialect.format_assertion = true;
    else if (name.empty() && member.value.type() == Json::Type::True)
      return fail(ErrorCode::Unsupported, "the vocabulary {} is required and not known", uri);
  }
  // In 2019-09 the applicator vocabulary holds the unevaluated keywords.
  if (dialect.is_before(SchemaDialect::Draft202012)) dialect.unevaluated = dialect.applicator;
  return {};
}

std::optional<std::uint32_t> SchemaRegistry::find_resource(std::string_view uri) {
  if (const auto known = by_uri_.find(uri); known != by_uri_.end()) return known->second;
  const Json* const root = find_document(uri);
  if (root == nullptr) return std::nullopt;
  Dialect dialect;
  dialect.draft = options_.dialect;
  index_root(add_document(std::string(uri), *root, {}), dialect);
  const auto found = by_uri_.find(uri);
  return found == by_uri_.end() ? std::nullopt : std::optional(found->second);
}

Result<SchemaRegistry::Target> SchemaRegistry::resolve(std::uint32_t number,
                                                       std::string_view reference) {
  const std::string uri = resolve_uri(resources_[number].uri, reference);
  const std::string_view plain = uri_without_fragment(uri);
  const auto found = plain == resources_[number].uri ? std::optional(number) : find_resource(plain);
  if (!found)
    return fail(ErrorCode::NotFound, "{} is not among the documents that were given", plain);
  const std::string fragment = uri_fragment(uri);
  if (fragment.empty() || fragment.starts_with('/')) return follow(*found, fragment);
  const Resource& resource = resources_[*found];
  auto anchor = resource.anchors.find(fragment);
  if (anchor == resource.anchors.end()) {
    anchor = resource.dynamic_anchors.find(fragment);
    if (anchor == resource.dynamic_anchors.end())
      return fail(ErrorCode::NotFound, "there is no anchor '{}' in {}", fragment,
                  plain.empty() ? "the schema" : plain);
  }
  return Target{anchor->second, where_.at(anchor->second)};
}

Result<SchemaRegistry::Target> SchemaRegistry::at_pointer(std::string_view pointer) {
  return follow(0, pointer);
}

// Goes down token by token, for a schema on the way may open another resource.
Result<SchemaRegistry::Target> SchemaRegistry::follow(std::uint32_t number,
                                                      std::string_view pointer) {
  const Json* at = resources_[number].root;
  Where where = where_.at(at);
  std::string_view rest = pointer;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('/', 1), rest.size());
    const Json* const next = at->at_pointer(rest.substr(0, end));
    if (next == nullptr) return fail(ErrorCode::NotFound, "there is nothing at {}", pointer);
    at = next;
    where.pointer += rest.substr(0, end);
    if (const auto known = where_.find(at); known != where_.end()) where = known->second;
    rest.remove_prefix(end);
  }
  // Under a keyword that the dialect does not know, nothing was indexed.
  if (!where_.contains(at)) {
    index(*at, where.resource, where.pointer);
    where = where_.at(at);
  }
  return Target{at, where};
}

}  // namespace weft::contracts
