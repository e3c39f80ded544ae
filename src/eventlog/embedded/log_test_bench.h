// Helpers of the log's own tests: a log over real files or over a simulated disk, and batches to
// append.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "eventlog/core/record_batch.h"
#include "eventlog/embedded/embedded_log.h"
#include "runtime/run_until_done.h"

namespace weft::eventlog {

// A folder that disappears with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "weft-log-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline StreamSettings stream_named(std::string name, std::int32_t partitions = 1) {
  StreamSettings settings;
  settings.name = std::move(name);
  settings.partitions = partitions;
  settings.retention = Duration::zero();
  return settings;
}

inline std::string batch_of(const std::vector<std::string>& values, BatchOptions options = {},
                            std::int64_t unix_ms = 1'700'000'000'000) {
  BatchBuilder builder(options);
  for (const auto& value : values) builder.add(unix_ms, std::nullopt, value);
  return builder.finish().value();
}

inline std::string sequenced(std::int64_t producer, std::int16_t epoch, std::int32_t sequence,
                             const std::vector<std::string>& values) {
  BatchOptions options;
  options.producer_id = producer;
  options.producer_epoch = epoch;
  options.base_sequence = sequence;
  return batch_of(values, options);
}

inline std::vector<BatchToAppend> one_batch(PartitionId partition, std::string batch) {
  std::vector<BatchToAppend> batches;
  batches.push_back({partition, std::move(batch)});
  return batches;
}

inline std::vector<NewRecords> one_record(StreamId stream, std::string value,
                                          std::optional<std::string> key = std::nullopt,
                                          std::int32_t partition = -1) {
  NewRecords records;
  records.stream = stream;
  records.partition = partition;
  NewRecord record;
  record.key = std::move(key);
  record.value = std::move(value);
  records.records.push_back(std::move(record));
  std::vector<NewRecords> entry;
  entry.push_back(std::move(records));
  return entry;
}

inline std::vector<std::string> values_of(const std::vector<Record>& records) {
  std::vector<std::string> values;
  for (const auto& record : records) values.push_back(record.value.value_or("(null)"));
  return values;
}

// A log over real files, its callers on this thread.
class LogOnDisk {
 public:
  explicit LogOnDisk(std::string folder) { options.folder = std::move(folder); }
  ~LogOnDisk() { close(); }

  Result<> open() {
    auto opened = run(EmbeddedLog::open(files, clock, random, metrics, options));
    if (!opened) return std::unexpected(opened.error());
    log = *std::move(opened);
    return {};
  }
  void close() {
    if (log) run(log->close());
    log.reset();
  }
  void reopen() {
    close();
    auto opened = open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
  }

  template <class T>
  T run(Task<T> task) {
    return run_until_done(loop, std::move(task));
  }

  StreamId create(std::string name, std::int32_t partitions = 1) {
    return run(log->create_stream(stream_named(std::move(name), partitions))).value().id;
  }
  AppendedBatch append(PartitionId partition, std::string batch) {
    return run(log->append(one_batch(partition, std::move(batch)))).at(0);
  }
  Offset append(StreamId stream, std::string value) {
    return run(log->append(one_record(stream, std::move(value)))).value().at(0).first_offset;
  }
  std::vector<std::string> values(PartitionId partition, Offset from = 0) {
    std::vector<std::string> all;
    for (;;) {
      ReadRequest request;
      request.partition = partition;
      request.from = from;
      auto result = run(log->read(request));
      if (!result) return {"error: " + result.error().message};
      for (auto& value : values_of(result->records)) all.push_back(std::move(value));
      if (result->next >= result->partition.end) return all;
      from = result->next;
    }
  }

  IoContext loop;
  PosixFileSystem files;
  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  LogOptions options;
  std::unique_ptr<EmbeddedLog> log;
};

}  // namespace weft::eventlog
