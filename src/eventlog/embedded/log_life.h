// For simulations of the log: one log that lives several times on a simulated disk. What a life
// consists of, and what must hold of it, is the simulation's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eventlog/embedded/embedded_log.h"
#include "runtime/world.h"

namespace weft::eventlog {

class LogLife {
 protected:
  // `salt`: so that the simulation's choices are not those of the world.
  LogLife(std::uint64_t seed, std::uint64_t salt, LogMutant mutant)
      : world_(seed), chance_(seed ^ salt) {
    options_.folder = "/data/log";
    options_.group_bytes_max = 6 * 1024;
    options_.own_segment_bytes = 4 * 1024;
    options_.small_segments_max = 2;
    options_.disk_reserve_bytes = 0;
    options_.cold_read_threads = 0;  // the simulated disk's files have no descriptors
    options_.executors = LogExecutors{world_.executor(), world_.executor()};
    options_.mutant = mutant;
  }

  std::uint64_t below(std::uint64_t bound) { return chance_.below(bound); }
  bool one_in(std::uint64_t many) { return below(many) == 0; }
  // How long a life lasts. Most are short: what a seed can find lies around its crashes and starts,
  // so many of them tell more than many quiet records. Some are long, so that work of the
  // background over several rounds is there too.
  Duration life_time(Duration longest) {
    const auto limit = one_in(8) ? longest : longest / 8;
    return Duration(static_cast<Duration::rep>(below(static_cast<std::uint64_t>(limit.count()))));
  }
  void violate(std::string what) { violations_.push_back(std::move(what)); }
  std::optional<std::string> verdict() const {
    if (violations_.empty()) return std::nullopt;
    return violations_.front();
  }

  // False when the disk does not let it: last_error_ says why.
  bool open_log() {
    auto opened =
        world_.run(EmbeddedLog::open(world_.disk, world_.clock, world_.random, metrics_, options_));
    if (!opened) {
      last_error_ = opened.error().message;
      return false;
    }
    log_ = *std::move(opened);
    return true;
  }

  // The stream of that name, made if there is none. False when it cannot be made.
  bool ensure(StreamId& id, const StreamSettings& settings) {
    auto known = log_->find_stream(settings.tenant, settings.name);
    if (!known) {
      auto made = world_.run(log_->create_stream(settings));
      if (!made) return false;
      known = *made;
    }
    id = known->id;
    return true;
  }

  // A power failure, a killed process, or a clean end; true for the first two.
  bool end_life() {
    over_ = true;
    auto kind = below(4);
    if (kind == 0 && log_) close();
    world_.disk.lose_power();
    if (kind != 0 && log_) close();
    bool power_fails = kind >= 2;
    log_before_ = std::move(log_);
    world_.crash(power_fails ? CrashKeeps::Random : CrashKeeps::Everything);
    log_before_.reset();
    over_ = false;
    return kind != 0;
  }

  void close() { world_.run(closed()); }

  World world_;
  SeededRandom chance_;
  Metrics metrics_;
  LogOptions options_;
  std::vector<std::string> violations_;
  bool over_ = false;  // tasks of this life end
  std::string last_error_;
  std::unique_ptr<EmbeddedLog> log_;

 private:
  Task<bool> closed() {
    co_await log_->close();
    co_return true;
  }

  std::unique_ptr<EmbeddedLog> log_before_;
};

}  // namespace weft::eventlog
