#include "delivery/delivery_service.h"

namespace weft::delivery {

Task<Result<http::ClientResponse>> ClientSender::send(http::ClientRequest request) {
  return client_.send(std::move(request));
}

}  // namespace weft::delivery
