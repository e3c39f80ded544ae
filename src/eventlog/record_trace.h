// The trace of a record that came without a traceparent, such as most that Kafka clients send. It
// follows from the record's place alone, so that who stored the record and who delivers it speak of
// one trace, though nothing is written into the record. Values; any thread.
#pragma once

#include "base/uuid.h"
#include "eventlog/types.h"
#include "runtime/spans.h"

namespace weft::eventlog {

// The same for the same place; of different places, as different as random ones. The topic id keeps
// the streams of all nodes apart, and a stream from one of its name that was deleted.
TraceContext trace_of_record(const Uuid& topic_id, std::int32_t partition, Offset offset);

}  // namespace weft::eventlog
