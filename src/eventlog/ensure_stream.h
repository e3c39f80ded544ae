// A stream as it is declared, whatever there was before.
#pragma once

#include "eventlog/event_log.h"

namespace weft::eventlog {

// Makes the stream, alters it, or leaves it as it is; also where another process makes it at the
// same moment. Errors as create_stream() and alter_stream() have them.
Task<Result<StreamInfo>> ensure_stream(EventLog& log, StreamSettings settings);

}  // namespace weft::eventlog
