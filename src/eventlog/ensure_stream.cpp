#include "eventlog/ensure_stream.h"

namespace weft::eventlog {

Task<Result<StreamInfo>> ensure_stream(EventLog& log, StreamSettings settings) {
  auto known = log.find_stream(settings.tenant, settings.name);
  if (!known) {
    auto made = co_await log.create_stream(settings);
    if (made || made.error().code != ErrorCode::AlreadyExists) co_return made;
    known = log.find_stream(settings.tenant, settings.name);
    if (!known) co_return made;
  }
  if (known->settings == settings) co_return *std::move(known);
  co_return co_await log.alter_stream(known->id, std::move(settings));
}

}  // namespace weft::eventlog
