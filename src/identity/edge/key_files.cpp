#include "identity/edge/key_files.h"

#include "base/bytes.h"
#include "crypto/key.h"
#include "identity/core/api_key.h"
#include "identity/identity.h"

namespace weft::identity {

namespace {

constexpr std::size_t kPepperBytes = 32;
constexpr std::size_t kFileMax = 4096;

Task<Result<std::string>> read_or_make_line(FileSystem& files, std::string path,
                                            std::string fresh_line) {
  auto found = co_await read_file(files, path, kFileMax);
  if (!found) {
    if (found.error().code != ErrorCode::NotFound) co_return found;
    auto content = fresh_line + "\n";
    CO_CHECK(co_await write_file_durably(files, path, content));
    crypto::wipe(content.data(), content.size());
    co_return fresh_line;
  }
  if (found->ends_with('\n')) found->pop_back();
  co_return found;
}

}  // namespace

Task<Result<crypto::HmacKey>> read_or_make_pepper(FileSystem& files, Random& random,
                                                  std::string path) {
  auto fresh = to_hex(random.bytes(kPepperBytes));
  CO_TRY(auto line, co_await read_or_make_line(files, path, std::move(fresh)));
  auto pepper = from_hex(line);
  crypto::wipe(line.data(), line.size());
  if (!pepper || pepper->size() != kPepperBytes) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "{} does not hold a key of {} hex digits; restore it from a backup", path,
                   kPepperBytes * 2);
  }
  crypto::HmacKey key(*pepper);
  crypto::wipe(pepper->data(), pepper->size());
  co_return key;
}

Task<Result<std::string>> read_or_make_admin_token(FileSystem& files, Random& random,
                                                   std::string path) {
  auto fresh = make_api_key(random);
  CO_TRY(auto token, co_await read_or_make_line(files, path, std::move(fresh)));
  if (!key_id_of(token)) {
    co_return fail(ErrorCode::FailedPrecondition,
                   "{} does not hold an API key; remove it to have a new one made", path);
  }
  co_return token;
}

}  // namespace weft::identity
