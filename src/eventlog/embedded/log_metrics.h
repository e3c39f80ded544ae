// The log's metrics, looked up once.
#pragma once

#include "runtime/metrics.h"

namespace weft::eventlog {

struct LogMetrics {
  explicit LogMetrics(Metrics& metrics);

  Counter& appended_bytes;
  Counter& appended_records;
  Counter& appended_batches;
  Counter& duplicates;
  Counter& refused;
  Counter& groups;
  Counter& fsyncs;
  Histogram& sync_seconds;
  Gauge& queue_requests;
  Gauge& queue_bytes;
  Gauge& tail_bytes;
  Gauge& stopped;
  Gauge& disk_full;
  Gauge& segments;
  Gauge& wal_files;
  Gauge& open_files;
  Counter& placed_bytes;
  Counter& retired_bytes;
  Counter& compacted_bytes;
  Counter& damaged_bytes;
  Counter& cut_bytes;
  Counter& scrubbed_bytes;
  Counter& scrub_passes;
  Gauge& scrub_damaged;
  Counter& cold_reads;
  Counter& archived_files;
  Counter& archive_failures;
  Counter& archive_gaps;
  Gauge& archive_waiting_bytes;
};

}  // namespace weft::eventlog
