#include "http/kept_connection.h"

#include "runtime/net.h"

namespace weft::http {

bool is_alive(net::Stream& idle) {
  char byte;
  auto count = idle.try_read({&byte, 1});
  return !count && count.error().code == ErrorCode::Unavailable;
}

}  // namespace weft::http
