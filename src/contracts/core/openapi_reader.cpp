#include "contracts/core/openapi_reader.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/json_writer.h"
#include "contracts/core/uri.h"

namespace weft::contracts {
namespace {

constexpr std::string_view kMethods[] = {"get",     "put",  "post",  "delete",
                                         "options", "head", "patch", "trace"};

// Described by the protocol, not by parameters (OpenAPI 3.1 section 4.8.12.2).
bool is_ignored_header(std::string_view name) {
  auto lower = lower_case(name);
  return lower == "accept" || lower == "content-type" || lower == "authorization";
}

}  // namespace

OpenApiReader::OpenApiReader(const Json& root, const SchemaOptions& options)
    : root_(root), options_(options) {}

OpenApiReader::Located OpenApiReader::child(const Located& at, std::string_view key) {
  return {at.value == nullptr ? nullptr : at.value->find(key),
          at.pointer + "/" + escape_pointer_token(key)};
}

Result<OpenApiReader::Located> OpenApiReader::resolved(Located at) const {
  constexpr int kHopsMax = 20;
  for (int hop = 0; hop < kHopsMax; ++hop) {
    const Located ref = child(at, "$ref");
    if (ref.value == nullptr) return at;
    if (!ref.value->is_string() || !ref.value->as_string().starts_with("#/"))
      return wrong(ref,
                   "must refer to a place in this document, such as #/components/parameters/Limit");
    std::string pointer = uri_fragment(ref.value->as_string());
    const Json* const target = root_.at_pointer(pointer);
    if (target == nullptr) return wrong(ref, fmt::format("there is nothing at {}", pointer));
    at = {target, std::move(pointer)};
  }
  return wrong(at, "refers to itself");
}

std::string OpenApiReader::text(const Located& at, std::string_view key) {
  const Json* const value = at.value->find(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

bool OpenApiReader::flag(const Located& at, std::string_view key, bool otherwise) {
  const Json* const value = at.value->find(key);
  return value != nullptr && value->is_bool() ? value->as_bool() : otherwise;
}

Failure OpenApiReader::wrong(const Located& at, std::string_view problem) const {
  std::string_view source = options_.source;
  if (source.empty() && !root_.raw().empty())
    source = {root_.raw().data() - root_.offset(), root_.offset() + root_.raw().size()};
  std::string line;
  if (at.value != nullptr && !source.empty()) {
    const TextPosition place = position_at(source, at.value->offset());
    line = fmt::format(" (line {}, column {})", place.line, place.column);
  }
  return fail(ErrorCode::InvalidArgument, "OpenAPI at #{}{}: {}", at.pointer, line, problem);
}

namespace {

// The rules of all bodies when they are the same, and each body is read.
std::string rules_of(const std::vector<BodyType>& bodies) {
  std::string rules;
  for (const BodyType& body : bodies) {
    if (!is_json_media(body.media) || !body.schema) return {};
    std::string own = body.schema->rules();
    if (&body != &bodies.front() && own != rules) return {};
    rules = std::move(own);
  }
  return rules;
}

}  // namespace

Result<OpenApiDocument> OpenApiReader::run() {
  OpenApiDocument out;
  CHECK(read_head(out));
  compiler_.emplace(root_, options_, false);
  const Located paths = child({&root_, ""}, "paths");
  if (paths.value != nullptr) {
    if (!paths.value->is_object()) return wrong(paths, "must be an object of paths");
    for (const JsonMember& member : paths.value->members()) {
      if (!member.key().starts_with("x-"))
        CHECK(read_path(out, member.key(), child(paths, member.key())));
    }
  }
  TRY(const auto program, compiler_->finish());
  for (const PendingSchema& p : pending_) {
    *p.into = SchemaCompiler::schema(program, p.block);
    CHECK(settle(*program, p));
  }
  for (const auto& parts : with_bodies_) parts->body_rules = rules_of(parts->bodies);
  return out;
}

// How a parameter's text is read follows from the types that its schema accepts.
Result<> OpenApiReader::settle(const Program& program, const PendingSchema& pending) const {
  if (pending.parameter == nullptr) return {};
  Parameter& parameter = *pending.parameter;
  parameter.types = accepted_types(program, pending.block);
  parameter.element_types = accepted_element_types(program, pending.block);
  const bool is_open = parameter.types == kAllTypes;
  parameter.is_array = !is_open && (parameter.types & type_bit(Json::Type::Array)) != 0;
  if (parameter.types == type_bit(Json::Type::Object))
    return wrong(pending.at,
                 "objects as parameters are not supported; use content with a JSON type");
  return {};
}

Result<> OpenApiReader::read_head(OpenApiDocument& out) {
  const Located top{&root_, ""};
  if (!root_.is_object()) return wrong(top, "must be an object");
  const std::string version = text(top, "openapi");
  if (version.starts_with("3.0."))
    options_.dialect = SchemaDialect::OpenApi30;
  else if (version.starts_with("3.1."))
    options_.dialect = SchemaDialect::Draft202012;
  else
    return wrong(top, "must have the member openapi with version 3.0.x or 3.1.x");
  const Located info = child(top, "info");
  if (info.value == nullptr || !info.value->is_object())
    return wrong(top, "must have the member info");
  out.title_ = text(info, "title");
  out.version_ = text(info, "version");
  return {};
}

Result<> OpenApiReader::read_path(OpenApiDocument& out, std::string_view path, const Located& at) {
  auto parsed = PathTemplate::parse(path);
  if (!parsed) return wrong(at, parsed.error().message);
  TRY(Located item, resolved(at));
  if (!item.value->is_object()) return wrong(item, "must be an object");
  PathContext context{item, *std::move(parsed), {}, {}};
  TRY(context.parameters, list(item, "parameters"));
  TRY(context.servers, servers(item));
  for (const OpenApiOperation& other : out.operations_)
    if (other.path.text() != path && other.path.has_shape_of(context.path))
      return wrong(at, fmt::format("matches the same paths as {}", other.path.text()));
  for (const std::string_view method : kMethods) {
    const Located operation = child(item, method);
    if (operation.value != nullptr) CHECK(read_operation(out, context, method, operation));
  }
  return {};
}

Result<> OpenApiReader::read_operation(OpenApiDocument& out, const PathContext& path,
                                       std::string_view method, const Located& operation) {
  if (!operation.value->is_object()) return wrong(operation, "must be an object");
  auto parts = std::make_shared<RequestValidator::Parts>();
  CHECK(read_parameters(path, operation, *parts));
  CHECK(read_body(operation, *parts));
  if (parts->has_body) with_bodies_.push_back(parts);
  TRY(auto urls, servers(operation));
  if (urls.empty()) urls = path.servers;
  if (urls.empty()) {
    TRY(urls, servers({&root_, ""}));
  }
  std::string id = text(operation, "operationId");
  if (!id.empty() && !ids_.insert(id).second)
    return wrong(child(operation, "operationId"), fmt::format("the id '{}' is used twice", id));
  TRY(auto more, extensions(operation, path.item));
  std::string upper(method);
  for (char& c : upper) c = static_cast<char>(c - ('a' - 'A'));
  out.operations_.push_back({std::move(upper), path.path, std::move(id), text(operation, "summary"),
                             flag(operation, "deprecated"), std::move(urls), operation.pointer,
                             RequestValidator(parts), std::move(more)});
  return {};
}

Result<std::vector<OpenApiReader::Located>> OpenApiReader::list(const Located& owner,
                                                                std::string_view keyword) const {
  std::vector<Located> out;
  const Located all = child(owner, keyword);
  if (all.value == nullptr) return out;
  if (!all.value->is_array()) return wrong(all, "must be a list");
  for (std::uint32_t i = 0; i < all.value->size(); ++i) {
    TRY(auto element, resolved({&all.value->elements()[i], all.pointer + "/" + std::to_string(i)}));
    if (!element.value->is_object()) return wrong(element, "must be an object");
    out.push_back(std::move(element));
  }
  return out;
}

Result<std::vector<std::string>> OpenApiReader::servers(const Located& owner) const {
  TRY(const auto entries, list(owner, "servers"));
  std::vector<std::string> urls;
  for (const Located& entry : entries) urls.push_back(text(entry, "url"));
  return urls;
}

// The operation's own members win over its path's, those over the document's.
Result<JsonDocument> OpenApiReader::extensions(const Located& operation,
                                               const Located& item) const {
  JsonWriter w;
  std::set<std::string_view> seen;
  w.object();
  for (const Json* const level : {operation.value, item.value, &root_})
    for (const JsonMember& member : level->members())
      if (member.key().starts_with("x-") && seen.insert(member.key()).second)
        w.member(member.key(), member.value);
  return JsonDocument::parse(w.end().text(), {.depth_max = kJsonDepthMax});
}

Result<> OpenApiReader::read_parameters(const PathContext& path, const Located& operation,
                                        RequestValidator::Parts& parts) {
  TRY(auto all, list(operation, "parameters"));
  const auto key = [](const Located& p) { return text(p, "in") + ":" + text(p, "name"); };
  std::set<std::string> own;
  for (const Located& parameter : all)
    if (!own.insert(key(parameter)).second) return wrong(parameter, "is there twice");
  for (const Located& parameter : path.parameters)
    if (!own.contains(key(parameter))) all.push_back(parameter);

  parts.parameters.reserve(all.size());  // schemas are filled in by address
  std::set<std::string, std::less<>> captured;
  for (const Located& at : all) {
    if (text(at, "in") == "header" && is_ignored_header(text(at, "name"))) continue;
    Parameter& parameter = parts.parameters.emplace_back();
    CHECK(read_parameter(path, at, parameter));
    if (parameter.in == Parameter::In::Path) captured.insert(parameter.name);
  }
  for (const std::string& name : path.path.names())
    if (!captured.contains(name))
      return wrong(operation,
                   fmt::format("the path has {{{}}}, but no parameter describes it", name));
  return {};
}

Result<> OpenApiReader::read_parameter(const PathContext& path, const Located& at, Parameter& out) {
  const std::string in = text(at, "in");
  out.name = text(at, "name");
  out.place = "#" + at.pointer;
  out.required = flag(at, "required");
  out.allow_empty = flag(at, "allowEmptyValue");
  if (out.name.empty()) return wrong(at, "a parameter needs a name");
  if (in == "path") {
    const auto& names = path.path.names();
    const auto found = std::find(names.begin(), names.end(), out.name);
    if (found == names.end())
      return wrong(at, fmt::format("the path {} has no {{{}}}", path.path.text(), out.name));
    if (!out.required) return wrong(at, "a path parameter must have required: true");
    out.in = Parameter::In::Path;
    out.capture = static_cast<std::size_t>(found - names.begin());
  } else if (in == "query") {
    out.in = Parameter::In::Query;
  } else if (in == "header") {
    out.in = Parameter::In::Header;
  } else if (in == "cookie") {
    out.in = Parameter::In::Cookie;
  } else {
    return wrong(at, "in must be path, query, header or cookie");
  }
  const Located schema = child(at, "schema");
  const Located content = child(at, "content");
  if (content.value != nullptr) return read_content_parameter(at, content, out);
  return schema.value == nullptr ? Result<>() : read_style(at, schema, out);
}

// Sections 4.8.12.2 and 4.8.12.4: what stands between the values of an array.
Result<> OpenApiReader::read_style(const Located& at, const Located& schema, Parameter& out) {
  const bool is_form = out.in == Parameter::In::Query || out.in == Parameter::In::Cookie;
  const std::string given = text(at, "style");
  const std::string style = !given.empty() ? given : is_form ? "form" : "simple";
  const bool is_query = out.in == Parameter::In::Query;
  if (style == "spaceDelimited" && is_query)
    out.separator = "%20";
  else if (style == "pipeDelimited" && is_query)
    out.separator = "|";
  else if (style != (is_form ? "form" : "simple"))
    return wrong(at, fmt::format("the style {} is not supported here", style));
  out.explode = is_form && flag(at, "explode", style == "form");
  return add_schema(schema, out.schema, &out);
}

Result<> OpenApiReader::read_content_parameter(const Located& at, const Located& content,
                                               Parameter& out) {
  if (!content.value->is_object() || content.value->size() != 1)
    return wrong(at, "content of a parameter must have one media type");
  const std::string_view media = content.value->members()[0].key();
  if (!is_json_media(media_essence(media))) return {};
  out.is_json = true;
  const Located schema = child(child(content, media), "schema");
  return schema.value == nullptr ? Result<>() : add_schema(schema, out.schema, nullptr);
}

Result<> OpenApiReader::read_body(const Located& operation, RequestValidator::Parts& parts) {
  const Located at = child(operation, "requestBody");
  if (at.value == nullptr) return {};
  TRY(const Located body, resolved(at));
  if (!body.value->is_object()) return wrong(body, "must be an object");
  const Located content = child(body, "content");
  if (content.value == nullptr || !content.value->is_object())
    return wrong(body, "must have the member content");
  parts.has_body = true;
  parts.body_required = flag(body, "required");
  parts.body_place = "#" + body.pointer;
  parts.bodies.reserve(content.value->size());
  for (const JsonMember& member : content.value->members()) {
    BodyType& type = parts.bodies.emplace_back();
    type.media = media_essence(member.key());
    const Located schema = child(child(content, member.key()), "schema");
    if (schema.value != nullptr) CHECK(add_schema(schema, type.schema, nullptr));
  }
  return {};
}

Result<> OpenApiReader::add_schema(const Located& schema, std::optional<JsonSchema>& into,
                                   Parameter* parameter) {
  TRY(const BlockId block, compiler_->add(schema.pointer));
  pending_.push_back({schema, &into, parameter, block});
  return {};
}

std::uint8_t accepted_types(const Program& program, BlockId id, int depth) {
  constexpr int kDepthMax = 16;
  const Block& block = program.blocks[id];
  std::uint8_t types = block.types;
  if (depth >= kDepthMax) return types;
  for (std::uint32_t at = block.first[kAny]; at < block.first[kLast]; ++at) {
    const Instruction& i = program.code[at];
    std::uint8_t possible = kAllTypes;
    if (i.op == Op::Call) possible = accepted_types(program, i.a, depth + 1);
    if (i.op == Op::AnyOf || i.op == Op::OneOf) {
      possible = 0;
      for (std::uint32_t n = 0; n < i.b; ++n)
        possible |= accepted_types(program, program.lists[i.a + n], depth + 1);
    }
    if (i.op == Op::Values) {
      const ValueSet& set = program.values[i.a];
      possible = set.simple_types;
      if (!set.strings.names().empty()) possible |= type_bit(Json::Type::String);
      for (const JsonDocument& other : set.others) possible |= type_bit(other.root().type());
    }
    types &= possible;
  }
  return types;
}

std::uint8_t accepted_element_types(const Program& program, BlockId id, int depth) {
  constexpr int kDepthMax = 16;
  const Block& block = program.blocks[id];
  std::uint8_t types = kAllTypes;
  if (depth >= kDepthMax) return types;
  for (std::uint32_t at = block.first[kArrays]; at < block.first[kObjects]; ++at)
    if (program.code[at].op == Op::Items && program.code[at].b == 0)
      types &= accepted_types(program, program.code[at].a);
  for (std::uint32_t at = block.first[kAny]; at < block.first[kLast]; ++at)
    if (program.code[at].op == Op::Call)
      types &= accepted_element_types(program, program.code[at].a, depth + 1);
  return types;
}

}  // namespace weft::contracts
