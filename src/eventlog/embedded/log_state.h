// What EmbeddedLog holds. Private to embedded/.
#pragma once

#include <memory>
#include <optional>
#include <thread>

#include "eventlog/embedded/embedded_log.h"
#include "eventlog/embedded/log_context.h"
#include "eventlog/embedded/log_maintenance.h"
#include "eventlog/embedded/log_reader.h"
#include "eventlog/embedded/log_recovery.h"
#include "eventlog/embedded/log_scrub.h"
#include "eventlog/embedded/log_writer.h"
#include "runtime/loops.h"
#include "runtime/task_group.h"

namespace weft::eventlog {

// Two loops of the log's own, when no executors were given: loop 0 is the log's, loop 1 the
// background's.
struct LogThreads {
  LogThreads() : loops(2), runner([this] { loops.run(); }) {}
  ~LogThreads() {
    loops.stop();
    runner.join();
  }
  Loops loops;
  std::jthread runner;
};

struct EmbeddedLog::State {
  State(FileSystem& files, Clock& clock, Random& random, Metrics& metrics, LogOptions options)
      : threads(options.executors ? nullptr : std::make_unique<LogThreads>()),
        executors(threads ? LogExecutors{threads->loops.at(0), threads->loops.at(1)}
                          : *options.executors),
        context(files, clock, random, metrics, std::move(options)),
        writer(context, executors.log),
        reader(context),
        maintenance(context, writer, reader, executors.background),
        scrub(context, maintenance),
        log_tasks(executors.log, "log", 1),
        scrub_tasks(executors.background, "log-scrub", 1),
        background_tasks(executors.background, "log-background", 2) {}

  // On the background loop.
  Task<void> end_scrub() {
    scrub_tasks.cancel();
    co_await scrub_tasks.join();
  }

  std::unique_ptr<LogThreads> threads;  // outlives all that runs on it
  LogExecutors executors;
  LogContext context;
  LogWriter writer;
  LogReader reader;
  LogMaintenance maintenance;
  LogScrub scrub;
  TaskGroup log_tasks;
  TaskGroup scrub_tasks;
  TaskGroup background_tasks;
  std::unique_ptr<File> lock;
  RecoveryReport recovery;
  Duration recovery_time{};
  std::atomic<std::uint32_t> next_partition{0};
  bool running = false;
};

}  // namespace weft::eventlog
