// The last generation on disk (docs/formats/generation-file.md): a whole file, and once that is
// large a second one that continues it, so that a small change writes little. The estate's thread
// only.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "estate/core/generation_file.h"
#include "runtime/disk.h"

namespace weft::estate {

class GenerationStore {
 public:
  // Files smaller than `small_max` are always written anew.
  GenerationStore(FileSystem& files, std::string path, std::size_t small_max)
      : files_(files), path_(std::move(path)), small_max_(small_max) {}

  // NotFound when there is none yet, DataLoss when one of the two is damaged.
  Task<Result<GenerationFile>> read();

  // Durable when it returns. After a failure the next step() writes everything anew.
  Task<Result<>> write(const GenerationFile& whole);
  // One generation after what was read or written last; `whole` is asked for when everything is
  // written anew.
  Task<Result<>> step(const GenerationStep& step, const std::function<GenerationFile()>& whole);

 private:
  struct Written {
    std::string checksum;  // of the whole file
    std::size_t bytes = 0;
    std::size_t step_bytes = 0;  // good ones of the second file
  };

  std::string steps_path() const { return path_ + "l"; }
  Task<Result<>> append(const std::string& line, std::size_t at);

  FileSystem& files_;
  std::string path_;
  std::size_t small_max_;
  std::optional<Written> written_;  // absent: nothing to continue
};

}  // namespace weft::estate
