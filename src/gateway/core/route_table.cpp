#include "gateway/core/route_table.h"

#include "base/document.h"
#include "base/json_members.h"

namespace weft::gateway {
namespace {

IdempotencyRule rule_of(const Json& operation) {
  auto text = text_of(operation, "idempotency", "required");
  if (text == "optional") return IdempotencyRule::Optional;
  return text == "none" ? IdempotencyRule::None : IdempotencyRule::Required;
}

PublishBinding binding_of(const estate::Resource& api, const std::string& operation,
                          const Json& spec) {
  const auto& publish = *spec.find("publish");
  PublishBinding binding;
  binding.tenant = api.tenant();
  binding.route = api.name() + "/" + operation;
  binding.stream = text_of(publish, "stream");
  binding.event_type = text_of(publish, "type", binding.stream);
  binding.source = text_of(publish, "source", "/apis/" + api.name());
  binding.key_pointer = member_text(publish, "key");
  binding.subject_pointer = member_text(publish, "subject");
  if (const auto* status = publish.find("status"))
    binding.status = static_cast<int>(status->as_int64().value_or(201));
  binding.idempotency = rule_of(spec);
  return binding;
}

// Hosts as declared; one empty name, for any host, when none is.
std::vector<std::string> hosts_of(const estate::Resource& api) {
  std::vector<std::string> hosts;
  if (const auto* declared = api.spec().find("hosts")) {
    for (const auto& host : declared->elements()) hosts.emplace_back(host.as_string());
  }
  if (hosts.empty()) hosts.emplace_back();
  return hosts;
}

Result<> bind(Route& route, const estate::Resource& api, const Json* operation) {
  if (operation != nullptr && operation->find("publish") != nullptr) {
    if (route.method != "POST" && route.method != "PUT") {
      return fail(ErrorCode::InvalidArgument, "operation {} is {}: only POST and PUT can publish",
                  route.operation, route.method);
    }
    route.publish = binding_of(api, route.operation, *operation);
    return {};
  }
  route.upstream = text_of(operation == nullptr ? api.spec() : *operation, "upstream",
                           text_of(api.spec(), "upstream"));
  if (!route.upstream.empty()) return {};
  return fail(
      ErrorCode::InvalidArgument,
      "operation {} ({} {}) is bound to nothing: name it under spec.operations with upstream or "
      "publish, or give spec.upstream",
      route.operation, route.method, route.path);
}

// Operations that spec.operations names and the document does not have.
Result<> check_names(const estate::Resource& api, const contracts::OpenApiDocument& document) {
  const auto* named = api.spec().find("operations");
  if (named == nullptr) return {};
  for (const auto& member : named->members()) {
    auto known = std::any_of(document.operations().begin(), document.operations().end(),
                             [&](const auto& operation) { return operation.id == member.key(); });
    if (!known)
      return fail(ErrorCode::InvalidArgument,
                  "spec.operations names {}, which is no operationId of the document",
                  member.key());
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const contracts::OpenApiDocument>> compile_document(
    const estate::Resource& api) {
  const auto& declared = *api.spec().find("openapi");
  contracts::SchemaOptions options;
  if (!declared.is_string()) {
    TRY(auto document, contracts::OpenApiDocument::compile(declared, options));
    return std::make_shared<const contracts::OpenApiDocument>(std::move(document));
  }
  TRY(auto parsed,
      parse_documents(api.name() + ".openapi.yaml", std::string(declared.as_string())));
  if (parsed.size() != 1)
    return fail(ErrorCode::InvalidArgument, "spec.openapi must hold one document");
  TRY(auto document, contracts::OpenApiDocument::compile(parsed[0].root(), options));
  return std::make_shared<const contracts::OpenApiDocument>(std::move(document));
}

Result<std::vector<Route>> routes_of_api(
    const estate::Resource& api, std::shared_ptr<const contracts::OpenApiDocument> document) {
  CHECK(check_names(api, *document));
  const auto* named = api.spec().find("operations");
  auto base = text_of(api.spec(), "basePath");
  std::vector<Route> routes;
  for (const auto& operation : document->operations()) {
    for (const auto& host : hosts_of(api)) {
      Route route;
      route.api = api.name();
      route.owner = api.owner();
      route.tenant = api.tenant();
      route.operation = operation.id.empty()
                            ? operation.method + " " + std::string(operation.path.text())
                            : operation.id;
      route.host = host;
      route.method = operation.method;
      route.path = base + std::string(operation.path.text());
      route.authenticated = text_of(api.spec(), "authentication", "apiKey") == "apiKey";
      route.validated = text_of(api.spec(), "validation", "requests") == "requests";
      route.contract = &operation;
      route.document = document;
      CHECK(bind(route, api, named == nullptr ? nullptr : named->find(operation.id)));
      routes.push_back(std::move(route));
    }
  }
  return routes;
}

Result<UpstreamOptions> upstream_options(const estate::Resource& upstream,
                                         Duration default_timeout) {
  UpstreamOptions options;
  options.name = upstream.name();
  options.response_timeout = default_timeout;
  auto timeout = text_of(upstream.spec(), "timeout");
  if (!timeout.empty()) {
    TRY(options.response_timeout, parse_duration(timeout));
  }
  for (const auto& target : upstream.spec().find("targets")->elements()) {
    TRY(auto parsed, UpstreamTarget::parse(target.as_string()));
    options.targets.push_back(std::move(parsed));
  }
  return options;
}

}  // namespace weft::gateway
