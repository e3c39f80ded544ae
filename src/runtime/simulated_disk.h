// A disk for simulation: nothing written is safe until sync(), no name until sync_directory(). At
// crash() a random part of the rest survives: single sectors, out of order, with names that lead to
// empty files. Faults come from a plan; everything follows from the seed.
//
// Used on one thread, the one that runs the clock. Files may outlive the file system.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "runtime/clock.h"
#include "runtime/core/simulated_image.h"
#include "runtime/disk.h"

namespace weft {

// Probabilities are between 0 and 1, drawn for each operation.
struct DiskFaults {
  double read_fails = 0;
  // IoError after a random prefix was written, possibly nothing or everything.
  double write_fails = 0;
  // IoError; what was not synced is then partly on the medium and partly lost for ever, though it
  // still reads as written and the next sync succeeds, as on Linux.
  double sync_fails = 0;
  // create, rename, remove, sync_directory: IoError, nothing happened.
  double name_fails = 0;
  // remove alone.
  double remove_fails = 0;
  // Each operation takes a random time between these; zero takes none. Operations that run at the
  // same time may so end in another order.
  Duration delay_min{};
  Duration delay_max{};
  // Sum of the files' sizes; a write beyond fills what is left, then fails with ResourceExhausted.
  std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max();
};

struct DiskCounters {
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t syncs = 0;
  std::uint64_t name_changes = 0;
  std::uint64_t directory_syncs = 0;
  // Those that change something or make it durable: the points at which losing power matters.
  std::uint64_t steps() const { return writes + syncs + name_changes + directory_syncs; }
};

class SimulatedFileSystem final : public FileSystem {
 public:
  SimulatedFileSystem(Clock& clock, std::uint64_t seed);
  ~SimulatedFileSystem() override;

  Task<Result<std::unique_ptr<File>>> open(std::string path, OpenMode mode) override;
  Task<Result<>> create_directories(std::string path) override;
  Task<Result<std::vector<std::string>>> list(std::string path) override;
  Task<Result<>> rename(std::string from, std::string to) override;
  Task<Result<>> remove(std::string path) override;
  Task<Result<>> sync_directory(std::string path) override;
  Task<Result<std::uint64_t>> free_bytes(std::string path) override;
  Task<Result<std::unique_ptr<File>>> lock(std::string path) override;

  void set_faults(DiskFaults faults);
  const DiskCounters& counters() const;

  // Loses what the seed decides (or all, or nothing) of what was not synced. Files opened before,
  // and locks, are dead from now on: Unavailable. New ones work at once.
  void crash(CrashKeeps keeps = CrashKeeps::Random);
  // Power fails in the middle of the step that follows `steps` more: that step and all operations
  // after it fail with Unavailable, until crash() decides what survived.
  void lose_power_after(std::uint64_t steps);
  // From now on, as by lose_power_after.
  void lose_power();
  bool is_down() const;

  // What a crash now is sure to leave of a file; absent when its name could be lost.
  std::optional<std::string> durable_bytes(const std::string& path) const;
  // Damages the medium, as ageing does. Requires: the file exists and is longer than `offset`.
  void flip_bit(const std::string& path, std::uint64_t offset, unsigned bit);
  // Flips one random bit of the file; where. Requires: the file exists and is not empty.
  std::uint64_t flip_random_bit(const std::string& path);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace weft
