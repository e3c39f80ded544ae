#include "estate/edge/generation_store.h"

namespace weft::estate {

namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024 * 1024;

}  // namespace

Task<Result<GenerationFile>> GenerationStore::read() {
  written_.reset();
  auto path = path_;
  CO_TRY(auto text, co_await read_file(files_, std::move(path), kFileBytesMax));
  Written written{std::string(checksum(text)), text.size(), 0};
  CO_TRY(auto file, decode_generation_file(std::move(text)));
  auto second = steps_path();
  auto steps = co_await read_file(files_, std::move(second), kFileBytesMax);
  if (!steps && steps.error().code != ErrorCode::NotFound) {
    co_return Failure(std::move(steps).error());
  }
  if (steps) {
    CO_TRY(written.step_bytes, follow(file, written.checksum, *steps));
    // A line that was cut off is not appended to.
    if (written.step_bytes != steps->size()) co_return file;
  }
  written_ = std::move(written);
  co_return file;
}

Task<Result<>> GenerationStore::write(const GenerationFile& whole) {
  written_.reset();
  auto path = path_;
  auto text = encode(whole);
  Written written{std::string(checksum(text)), text.size(), 0};
  CO_CHECK(co_await write_file_durably(files_, std::move(path), std::move(text)));
  // Should it stay behind: it continues another file, and is passed over.
  auto second = steps_path();
  (void)co_await files_.remove(std::move(second));
  written_ = std::move(written);
  co_return Result<>();
}

Task<Result<>> GenerationStore::step(const GenerationStep& step,
                                     const std::function<GenerationFile()>& whole) {
  std::string line;
  if (written_ && written_->bytes >= small_max_) line = encode(step, written_->checksum);
  if (line.empty() || written_->step_bytes + line.size() > written_->bytes / 2) {
    auto file = whole();
    co_return co_await write(file);
  }
  auto continued = *std::move(written_);
  written_.reset();
  CO_CHECK(co_await append(line, continued.step_bytes));
  continued.step_bytes += line.size();
  written_ = std::move(continued);
  co_return Result<>();
}

Task<Result<>> GenerationStore::append(const std::string& line, std::size_t at) {
  auto path = steps_path();
  CO_TRY(auto file, co_await files_.open(std::move(path), OpenMode::CreateOrOpen));
  if (at == 0) CO_CHECK(co_await file->truncate(0));
  std::array<std::string_view, 1> buffers{line};
  CO_CHECK(co_await file->write_at(buffers, at));
  CO_CHECK(co_await file->sync());
  if (at > 0) co_return Result<>();
  auto folder = parent_path(path_);
  co_return co_await files_.sync_directory(std::move(folder));
}

}  // namespace weft::estate
