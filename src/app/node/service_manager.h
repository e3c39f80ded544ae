// Tells the program that started this process as a service how it is doing: the datagrams of
// sd_notify(3), which systemd and others understand.
#pragma once

#include <string_view>

namespace weft::app {

// Sends an assignment such as "READY=1" to the socket that NOTIFY_SOCKET names; does nothing
// without one. A message that cannot be sent is logged.
void tell_service_manager(std::string_view assignment);

}  // namespace weft::app
