// The gateway's routes as one immutable value, compiled from the Api and Upstream resources of a
// generation and swapped whole. Any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contracts/openapi.h"
#include "estate/resource.h"
#include "estate/view.h"
#include "gateway/core/router.h"
#include "gateway/publisher.h"
#include "gateway/request_recorder.h"
#include "gateway/upstream_pool.h"

namespace weft::gateway {

struct Route {
  std::string api;
  std::string owner;
  std::string tenant;
  std::string operation;
  std::string host;
  std::string method;
  std::string path;
  bool authenticated = true;
  bool validated = true;
  // Which operation of the document checks requests; valid as long as the document.
  const contracts::OpenApiOperation* contract = nullptr;
  std::shared_ptr<const contracts::OpenApiDocument> document;
  // Exactly one of the two.
  std::optional<PublishBinding> publish;
  std::string upstream;
  std::shared_ptr<const UpstreamPool> pool;
  // Shared with the same route of earlier generations, so that counts go on.
  std::shared_ptr<RouteMetrics> metrics;

  std::string name() const { return api + "/" + operation; }
};

struct RouteTable {
  Router router;
  std::vector<std::shared_ptr<const Route>> routes;  // shared with the table before
};

// The routes of an Api, with the content hashes of the upstreams that they lead to.
struct CompiledApi {
  std::shared_ptr<const contracts::OpenApiDocument> document;
  std::vector<std::shared_ptr<const Route>> routes;
  std::map<std::string, std::string> upstreams;  // name to hash
};

// An Api resource's operations as routes, without pools and metrics. The error names the resource
// and what about it.
Result<std::vector<Route>> routes_of_api(
    const estate::Resource& api, std::shared_ptr<const contracts::OpenApiDocument> document);

// The OpenAPI document of an Api: a mapping, or the text of a file (YAML or JSON).
Result<std::shared_ptr<const contracts::OpenApiDocument>> compile_document(
    const estate::Resource& api);

Result<UpstreamOptions> upstream_options(const estate::Resource& upstream,
                                         Duration default_timeout);

}  // namespace weft::gateway
