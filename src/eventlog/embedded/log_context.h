// What the parts of one embedded log share. Lives as long as the log.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/uuid.h"
#include "eventlog/embedded/file_cache.h"
#include "eventlog/embedded/log_metrics.h"
#include "eventlog/embedded/log_options.h"
#include "eventlog/embedded/log_streams.h"
#include "runtime/clock.h"
#include "runtime/disk.h"
#include "runtime/random.h"

namespace weft::eventlog {

struct LogContext {
  LogContext(FileSystem& file_system, Clock& the_clock, Random& the_random, Metrics& registry,
             LogOptions settings)
      : files(file_system),
        clock(the_clock),
        random(the_random),
        metrics(registry),
        options(std::move(settings)),
        cache(files, options.open_files_max, metrics.open_files) {}

  FileSystem& files;
  Clock& clock;
  Random& random;
  LogMetrics metrics;
  const LogOptions options;
  FileCache cache;
  StreamTable streams;
  Uuid cluster;
  std::atomic<bool> stopped{false};    // a write or sync failed: no more writes in this process
  std::atomic<bool> disk_full{false};  // less than the reserve is free
  std::atomic<bool> closing{false};
  std::atomic<std::size_t> sealed_files{0};  // write-ahead files that wait for their placement
  std::atomic<std::uint64_t> wal_room{0};    // bytes left in the file that is written

  std::string wal_folder() const { return options.folder + "/wal"; }
  std::string segment_folder() const { return options.folder + "/segments"; }
  std::string quarantine_folder() const { return options.folder + "/quarantine"; }
  std::string manifest_path() const { return options.folder + "/MANIFEST"; }
  // Names within the log's folder.
  static std::string wal_name(std::uint64_t sequence) {
    return fmt::format("wal/{:016x}.wal", sequence);
  }
  static std::string segment_name(std::uint64_t segment) {
    return fmt::format("segments/{:016x}.segment", segment);
  }
  std::string path_of(std::string_view name) const {
    return fmt::format("{}/{}", options.folder, name);
  }
  std::string wal_path(std::uint64_t sequence) const { return path_of(wal_name(sequence)); }
  std::string wal_spare_path() const { return wal_folder() + "/spare"; }
  std::string segment_path(std::uint64_t segment) const { return path_of(segment_name(segment)); }
};

}  // namespace weft::eventlog
