// The kinds that the gateway declares: Upstream and Api. Reference: docs/gateway.md.
//
//   kind: Upstream                      kind: Api
//   spec:                               spec:
//     targets:                            version: 1.0.0
//       - http://10.0.0.5:8080            openapi: ${file:orders.openapi.yaml}
//                                         authentication: apiKey
//                                         operations:
//                                           createOrder: {publish: {stream:
//                                           orders.order.created.v1, key: /orderId}} getOrder:
//                                           {upstream: orders-service}
#pragma once

#include <vector>

#include "estate/kind.h"

namespace weft::gateway {

std::vector<estate::Kind> gateway_kinds();

}  // namespace weft::gateway
