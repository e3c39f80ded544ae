// For the log's simulation: an archive that outlives crashes of the node, takes its time, fails now
// and then, and says what a restore from it could not use.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "eventlog/core/log_manifest.h"
#include "eventlog/embedded/wal_archive.h"
#include "runtime/random.h"
#include "runtime/world.h"

namespace weft::eventlog {

class SimulatedArchive final : public WalArchive {
 public:
  SimulatedArchive(World& world, std::uint64_t seed) : world_(world), chance_(seed ^ 0x617263) {}

  Task<Result<>> keep(WalToKeep file) override {
    auto slept = co_await world_.clock.sleep_for(Duration(chance_.below(2'000'000)));
    if (!slept) co_return slept;
    if (chance_.below(4) == 0) co_return fail(ErrorCode::ResourceExhausted, "the archive is full");
    CO_TRY(auto opened, co_await world_.disk.open(file.path, OpenMode::Read));
    std::string bytes(file.bytes, '\0');
    CO_TRY(auto got, co_await opened->read_at(bytes, 0));
    bytes.resize(got);
    auto header = decode_wal_header(bytes);
    bool has_own_header = header && header->sequence == file.sequence;
    if (file.holds_no_entry() && !has_own_header) co_return Result<>();
    auto [at, fresh] = files_.try_emplace(file.sequence, bytes);
    if (fresh && got != file.bytes)
      violate(fmt::format("{} is shorter than its end says", file.path));
    if (!fresh && !bytes.starts_with(at->second))
      violate(fmt::format("{} was archived with other bytes", file.path));
    co_return Result<>();
  }

  // A log's folder of nothing but what was archived.
  Task<Result<>> lay(std::string folder) {
    CO_CHECK(co_await world_.disk.create_directories(folder + "/wal"));
    Manifest manifest;
    manifest.wal_position = manifest.state_position = kWalHeaderBytes;
    WalPosition reached = kWalHeaderBytes;
    for (const auto& [sequence, bytes] : files_) {
      CO_TRY(auto header, decode_wal_header(bytes));
      if (header.previous_end != reached) {
        violate(fmt::format("the archive ends at {}, but file {} follows {}", reached, sequence,
                            header.previous_end));
      }
      reached = header.first_position + (bytes.size() - kWalHeaderBytes);
      manifest.cluster = header.cluster;
      auto path = fmt::format("{}/wal/{:016x}.wal", folder, sequence);
      CO_CHECK(co_await write_file_durably(world_.disk, path, bytes));
    }
    co_return co_await write_file_durably(world_.disk, folder + "/MANIFEST",
                                          encode_manifest(manifest));
  }

  const std::optional<std::string>& violation() const { return violation_; }

 private:
  void violate(std::string what) {
    if (!violation_) violation_ = std::move(what);
  }

  World& world_;
  SeededRandom chance_;
  std::map<std::uint64_t, std::string> files_;
  std::optional<std::string> violation_;
};

}  // namespace weft::eventlog
