#include "identity/edge/key_files.h"

#include <algorithm>
#include <charconv>

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

namespace {

constexpr std::string_view kKeysHead = "weft api keys 1";
constexpr std::size_t kKeysFileMax = 256u << 20;

std::vector<std::string> split_at(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

Result<std::pair<std::string, StoredKey>> key_of_line(std::string_view line) {
  auto fields = split_at(line, '\t');
  if (fields.size() != 5) return fail(ErrorCode::DataLoss, "a line has {} fields", fields.size());
  StoredKey key;
  key.client = {fields[1], fields[2]};
  TRY(auto hash, from_hex(fields[3]));
  if (hash.size() != key.hash.bytes.size()) return fail(ErrorCode::DataLoss, "a hash is too short");
  std::ranges::copy(hash, key.hash.bytes.begin());
  auto parsed =
      std::from_chars(fields[4].data(), fields[4].data() + fields[4].size(), key.expires_at);
  if (parsed.ec != std::errc()) return fail(ErrorCode::DataLoss, "a time is none");
  key.use = std::make_shared<KeyUse>();
  return std::pair(std::move(fields[0]), std::move(key));
}

}  // namespace

Task<Result<>> write_stored_keys(FileSystem& files, std::string path,
                                 std::map<std::string, StoredKey> keys) {
  auto text = fmt::format("{}\n", kKeysHead);
  for (const auto& [id, key] : keys) {
    text += fmt::format("{}\t{}\t{}\t{}\t{}\n", id, key.client.first, key.client.second,
                        to_hex(key.hash.text()), key.expires_at);
  }
  text += fmt::format("crc32c {:08x}\n", crc32c(text));
  co_return co_await write_file_durably(files, std::move(path), std::move(text));
}

Task<Result<std::map<std::string, StoredKey>>> read_stored_keys(FileSystem& files,
                                                                std::string path) {
  CO_TRY(auto text, co_await read_file(files, path, kKeysFileMax));
  auto end = text.rfind("crc32c ");
  auto body = std::string_view(text).substr(0, end);
  if (end == std::string::npos || !body.starts_with(kKeysHead) ||
      text.substr(end) != fmt::format("crc32c {:08x}\n", crc32c(body))) {
    co_return fail(ErrorCode::DataLoss, "{} is damaged", path);
  }
  std::map<std::string, StoredKey> keys;
  auto lines = split_at(body, '\n');
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
    auto key = key_of_line(lines[i]);
    if (!key) co_return Failure(std::move(key).error().within(path));
    keys.insert(*std::move(key));
  }
  co_return keys;
}

}  // namespace weft::identity
