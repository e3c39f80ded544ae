#include "eventlog/embedded/log_metrics.h"

namespace weft::eventlog {

LogMetrics::LogMetrics(Metrics& m)
    : appended_bytes(m.counter("weft_log_appended_bytes_total", "Bytes of batches appended.")),
      appended_records(m.counter("weft_log_appended_records_total", "Records appended.")),
      appended_batches(m.counter("weft_log_appended_batches_total", "Batches appended.")),
      duplicates(m.counter("weft_log_duplicate_batches_total", "Batches sent twice, stored once.")),
      refused(m.counter("weft_log_refused_batches_total", "Batches that were not appended.")),
      groups(m.counter("weft_log_groups_total",
                       "Commit groups; batches per group is the group size.")),
      fsyncs(m.counter("weft_log_fsyncs_total", "Syncs of the write-ahead log.")),
      sync_seconds(
          m.histogram("weft_log_sync_seconds", "Time of one sync of the write-ahead log.")),
      queue_requests(
          m.gauge("weft_log_queue_requests", "Append requests that wait for their group.")),
      queue_bytes(m.gauge("weft_log_queue_bytes", "Bytes that wait for their group.")),
      tail_bytes(m.gauge("weft_log_tail_bytes", "Recent batches kept in memory.")),
      stopped(m.gauge("weft_log_stopped", "1 after a failed write or sync: restart to go on.")),
      disk_full(m.gauge("weft_log_disk_full", "1 while appends are refused for lack of space.")),
      segments(m.gauge("weft_log_segments", "Segment files.")),
      wal_files(m.gauge("weft_log_wal_files", "Write-ahead files, not placed yet.")),
      open_files(m.gauge("weft_log_open_files", "Files held open for reading.")),
      placed_bytes(m.counter("weft_log_placed_bytes_total", "Bytes written to segments.")),
      retired_bytes(m.counter("weft_log_retired_bytes_total", "Bytes dropped by retention.")),
      compacted_bytes(m.counter("weft_log_compacted_bytes_total", "Bytes dropped by compaction.")),
      damaged_bytes(
          m.counter("weft_log_damaged_bytes_total", "Damaged bytes found and set aside.")),
      cut_bytes(m.counter("weft_log_cut_bytes_total", "Bytes of a torn tail, cut at recovery.")),
      scrubbed_bytes(m.counter("weft_log_scrubbed_bytes_total", "Bytes that the scrub has read.")),
      scrub_passes(m.counter("weft_log_scrub_passes_total", "Scrubs of all segments that ended.")),
      scrub_damaged(
          m.gauge("weft_log_scrub_damaged_batches", "Batches that the last scrub could not read.")),
      cold_reads(m.counter("weft_log_cold_reads_total", "Reads that had to wait for the disk.")),
      archived_files(m.counter("weft_log_archived_files_total", "Write-ahead files archived.")),
      archive_failures(m.counter("weft_log_archive_failures_total",
                                 "Failed attempts to archive a write-ahead file.")),
      archive_gaps(m.counter("weft_log_archive_gaps_total",
                             "Write-ahead files that the archive lacks: take a new backup.")),
      archive_waiting_bytes(m.gauge("weft_log_archive_waiting_bytes",
                                    "Bytes of write-ahead files that wait for the archive.")) {}

}  // namespace weft::eventlog
