#include "runtime/simulated_disk.h"

#include <algorithm>
#include <cerrno>

#include "runtime/core/os_error.h"
#include "runtime/core/simulated_disk_state.h"

namespace weft {

namespace {

using State = SimulatedFileSystem::State;
using StateRef = std::shared_ptr<State>;

class SimulatedFile final : public File {
 public:
  enum class Role : std::uint8_t { Reads, Writes, Locks };

  SimulatedFile(StateRef state, SimulatedNames::FileRef image, std::string path, Role role)
      : state_(std::move(state)),
        image_(std::move(image)),
        path_(std::move(path)),
        role_(role),
        life_(state_->life) {}

  ~SimulatedFile() override {
    if (role_ == Role::Locks && life_ == state_->life) state_->locks.erase(path_);
  }

  Task<Result<std::size_t>> read_at(std::span<char> into, std::uint64_t offset) override {
    CO_CHECK(state_->require_power(life_));
    ++state_->counters.reads;
    CO_CHECK(co_await state_->delay());
    if (state_->chance(state_->faults.read_fails)) co_return os_failure(EIO, "read", path_);
    co_return image_->seen().read(offset, into);
  }

  Task<Result<>> write_at(std::span<const std::string_view> buffers,
                          std::uint64_t offset) override {
    CO_CHECK(require_writable());
    ++state_->counters.writes;
    std::string bytes;
    for (auto buffer : buffers) bytes += buffer;
    const bool has_power = state_->take_step();
    const auto failure = has_power ? choose_write_failure(bytes, offset) : 0;
    image_->write(offset, bytes);
    state_->counters.bytes_written += bytes.size();
    CO_CHECK(co_await state_->delay());
    if (failure != 0) co_return os_failure(failure, "write", path_);
    co_return Result<>();
  }

  Task<Result<>> sync() override {
    CO_CHECK(require_power());
    ++state_->counters.syncs;
    state_->take_step();
    // What is written while the disk is busy with this sync waits for the next one.
    const auto count = image_->unsynced();
    CO_CHECK(co_await state_->delay());
    if (state_->chance(state_->faults.sync_fails)) {
      image_->commit_damaged(count, state_->random);
      co_return os_failure(EIO, "sync", path_);
    }
    image_->commit(count);
    co_return Result<>();
  }

  Task<Result<>> truncate(std::uint64_t size) override {
    CO_CHECK(require_writable());
    ++state_->counters.writes;
    state_->take_step();
    image_->resize(size);
    co_return co_await state_->delay();
  }

  Task<Result<>> allocate(std::uint64_t size) override {
    CO_CHECK(require_writable());
    ++state_->counters.writes;
    const auto old = image_->seen().size();
    if (size > old && has_disk_limit() && size - old > state_->room()) {
      co_return os_failure(ENOSPC, "reserve space for", path_);
    }
    state_->take_step();
    if (size > old) image_->resize(size);
    co_return co_await state_->delay();
  }

  Task<Result<std::uint64_t>> size() override {
    CO_CHECK(require_power());
    co_return image_->seen().size();
  }

 private:
  Result<> require_power() const { return state_->require_power(life_); }

  Result<> require_writable() const {
    CHECK(require_power());
    if (role_ == Role::Reads) return os_failure(EBADF, "write", path_);
    return {};
  }

  bool has_disk_limit() const {
    return state_->faults.bytes_max != std::numeric_limits<std::uint64_t>::max();
  }

  // Shortens `bytes` to what reaches the file before the failure; the errno, or 0.
  int choose_write_failure(std::string& bytes, std::uint64_t offset) {
    if (state_->chance(state_->faults.write_fails)) {
      bytes.resize(state_->random.below(bytes.size() + 1));
      return EIO;
    }
    if (!has_disk_limit()) return 0;
    const auto old = image_->seen().size();
    const auto limit = old + state_->room();
    if (offset + bytes.size() <= std::max(old, limit)) return 0;
    bytes.resize(limit > offset ? limit - offset : 0);
    return ENOSPC;
  }

  StateRef state_;
  SimulatedNames::FileRef image_;
  std::string path_;
  Role role_;
  std::uint64_t life_;
};

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// One change of names: counted, delayed, possibly refused by a fault.
Task<Result<>> start_name_change(State& state, std::string action, std::string path) {
  CO_CHECK(state.require_power(state.life));
  ++state.counters.name_changes;
  state.take_step();
  CO_CHECK(co_await state.delay());
  if (state.chance(state.faults.name_fails)) co_return os_failure(EIO, action, path);
  co_return Result<>();
}

}  // namespace

SimulatedFileSystem::SimulatedFileSystem(Clock& clock, std::uint64_t seed)
    : state_(std::make_shared<State>(clock, seed)) {}

SimulatedFileSystem::~SimulatedFileSystem() = default;

Task<Result<std::unique_ptr<File>>> SimulatedFileSystem::open(std::string path, OpenMode mode) {
  auto state = state_;
  CO_CHECK(state->require_power(state->life));
  auto file = state->names.find(path);
  if (file && mode == OpenMode::CreateNew) co_return os_failure(EEXIST, "create", path);
  if (!file && (mode == OpenMode::Read || mode == OpenMode::ReadWrite)) {
    co_return os_failure(ENOENT, "open", path);
  }
  if (!file) {
    CO_CHECK(co_await start_name_change(*state, "create", path));
    // Somebody else may have been faster.
    file = state->names.find(path);
    if (file && mode == OpenMode::CreateNew) co_return os_failure(EEXIST, "create", path);
  }
  if (!file) {
    file = std::make_shared<SimulatedImage>();
    CO_CHECK(state->names.create(path, file));
  }
  auto role = mode == OpenMode::Read ? SimulatedFile::Role::Reads : SimulatedFile::Role::Writes;
  co_return std::make_unique<SimulatedFile>(state, std::move(file), std::move(path), role);
}

Task<Result<>> SimulatedFileSystem::create_directories(std::string path) {
  auto state = state_;
  CO_CHECK(co_await start_name_change(*state, "create folder", path));
  co_return state->names.create_folders(without_trailing_slash(std::move(path)));
}

Task<Result<std::vector<std::string>>> SimulatedFileSystem::list(std::string path) {
  CO_CHECK(state_->require_power(state_->life));
  co_return state_->names.list(without_trailing_slash(std::move(path)));
}

Task<Result<>> SimulatedFileSystem::rename(std::string from, std::string to) {
  auto state = state_;
  CO_CHECK(co_await start_name_change(*state, "rename", from));
  co_return state->names.rename(from, to);
}

Task<Result<>> SimulatedFileSystem::remove(std::string path) {
  auto state = state_;
  CO_CHECK(co_await start_name_change(*state, "remove", path));
  if (state->faults.remove_fails > 0 && state->chance(state->faults.remove_fails)) {
    co_return os_failure(EIO, "remove", path);
  }
  co_return state->names.remove(without_trailing_slash(std::move(path)));
}

Task<Result<>> SimulatedFileSystem::sync_directory(std::string path) {
  auto state = state_;
  CO_CHECK(state->require_power(state->life));
  ++state->counters.directory_syncs;
  state->take_step();
  CO_CHECK(co_await state->delay());
  if (state->chance(state->faults.name_fails)) co_return os_failure(EIO, "sync folder", path);
  co_return state->names.sync(without_trailing_slash(std::move(path)));
}

Task<Result<std::uint64_t>> SimulatedFileSystem::free_bytes(std::string path) {
  CO_CHECK(state_->require_power(state_->life));
  if (!state_->names.is_folder(without_trailing_slash(path)) && !state_->names.find(path)) {
    co_return os_failure(ENOENT, "read the free space of", path);
  }
  co_return state_->room();
}

Task<Result<std::unique_ptr<File>>> SimulatedFileSystem::lock(std::string path) {
  auto state = state_;
  CO_TRY(auto opened, co_await open(path, OpenMode::CreateOrOpen));
  opened.reset();
  if (!state->locks.insert(path).second) {
    co_return fail(ErrorCode::AlreadyExists, "cannot lock {}: another process holds it", path);
  }
  auto file = state->names.find(path);
  co_return std::make_unique<SimulatedFile>(state, std::move(file), path,
                                            SimulatedFile::Role::Locks);
}

void SimulatedFileSystem::set_faults(DiskFaults faults) {
  state_->faults = faults;
}

const DiskCounters& SimulatedFileSystem::counters() const {
  return state_->counters;
}

void SimulatedFileSystem::crash(CrashKeeps keeps) {
  for (const auto& file : state_->names.files()) file->crash(keeps, state_->random);
  state_->names.crash(keeps, state_->random);
  state_->locks.clear();
  ++state_->life;
  state_->steps_left = std::numeric_limits<std::uint64_t>::max();
  state_->down = false;
}

void SimulatedFileSystem::lose_power_after(std::uint64_t steps) {
  state_->steps_left = steps;
}

void SimulatedFileSystem::lose_power() {
  state_->down = true;
}

bool SimulatedFileSystem::is_down() const {
  return state_->down;
}

std::optional<std::string> SimulatedFileSystem::durable_bytes(const std::string& path) const {
  auto file = state_->names.find_durable(path);
  if (!file || file != state_->names.find(path)) return {};
  return file->durable().text();
}

void SimulatedFileSystem::flip_bit(const std::string& path, std::uint64_t offset, unsigned bit) {
  auto file = state_->names.find(path);
  ENSURE(file && offset < file->seen().size() && bit < 8, "the bit to flip exists");
  file->flip_bit(offset, bit);
}

std::uint64_t SimulatedFileSystem::flip_random_bit(const std::string& path) {
  auto file = state_->names.find(path);
  ENSURE(file && file->seen().size() > 0, "the bit to flip exists");
  const auto offset = state_->random.below(file->seen().size());
  file->flip_bit(offset, static_cast<unsigned>(state_->random.below(8)));
  return offset;
}

}  // namespace weft
