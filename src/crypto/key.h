// A secret in memory: overwritten when it is given up, never copied by accident, and with nothing
// that would print it. Immutable; reading from any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weft::crypto {

class KeyHandle {
 public:
  KeyHandle() = default;  // empty
  KeyHandle(KeyHandle&& other) noexcept
      : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  KeyHandle& operator=(KeyHandle&& other) noexcept;
  KeyHandle(const KeyHandle&) = delete;
  KeyHandle& operator=(const KeyHandle&) = delete;
  ~KeyHandle();

  static KeyHandle copy_of(std::string_view secret);
  // Overwrites the source.
  static KeyHandle take(std::string&& secret);

  // The secret itself. Do not log it, do not keep it longer than the handle.
  std::string_view reveal() const { return {bytes_.get(), size_}; }
  std::size_t size() const { return size_; }
  bool is_empty() const { return size_ == 0; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

// Overwrites a buffer that held a secret; the compiler cannot leave it out.
void wipe(char* bytes, std::size_t size);

}  // namespace weft::crypto
