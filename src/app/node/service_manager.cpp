#include "app/node/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "runtime/log.h"

namespace weft::app {

void tell_service_manager(std::string_view assignment) {
  const char* given = std::getenv("NOTIFY_SOCKET");
  if (given == nullptr) return;
  std::string_view path = given;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if ((!path.starts_with('/') && !path.starts_with('@')) ||
      path.size() >= sizeof address.sun_path) {
    log_warn("node", "NOTIFY_SOCKET names no socket", {{"path", path}});
    return;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  // A name that begins with @ stands in the abstract namespace.
  if (path.starts_with('@')) address.sun_path[0] = '\0';
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  int door = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  auto sent = ::sendto(door, assignment.data(), assignment.size(), MSG_NOSIGNAL,
                       reinterpret_cast<const sockaddr*>(&address), size);
  if (sent < 0)
    log_warn("node", "the service manager was not told",
             {{"what", assignment}, {"why", std::strerror(errno)}});
  if (door >= 0) ::close(door);
}

}  // namespace weft::app
