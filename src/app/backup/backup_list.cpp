#include "app/backup/backup_list.h"

#include "app/backup/newer_format.h"
#include "app/version.h"
#include "base/bytes.h"
#include "base/json_members.h"
#include "base/json_writer.h"
#include "crypto/aead.h"
#include "crypto/passphrase.h"

namespace weft::app {
namespace {

constexpr std::int64_t kListFormat = 1;
constexpr std::int64_t kKeysFormat = 1;
constexpr std::string_view kBound = "weft backup keys 1";

Failure no_list(std::string_view why) {
  return fail(ErrorCode::DataLoss, "{} is not the list of a backup: {}", kBackupListName, why);
}

// A name that stays inside the backup's folder.
bool is_inner_name(std::string_view name) {
  if (name.empty() || name.front() == '/') return false;
  for (std::size_t at = 0; at <= name.size();) {
    auto end = std::min(name.find('/', at), name.size());
    auto part = name.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return false;
    at = end + 1;
  }
  return true;
}

Result<BackupFile> parse_file(const Json& item) {
  BackupFile file;
  file.name = text_of(item, "name");
  file.sha256 = text_of(item, "sha256");
  auto bytes = member_count(item, "bytes");
  if (!is_inner_name(file.name) || file.sha256.size() != 64 || !bytes) {
    return no_list("a file without a proper name, size and SHA-256");
  }
  file.bytes = *bytes;
  return file;
}

}  // namespace

bool is_history(std::string_view name) {
  return name.size() == kHistoryHexDigits && from_hex(name);
}

std::uint64_t BackupList::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& file : files) sum += file.bytes;
  return sum;
}

std::string backup_list_json(const BackupList& list) {
  JsonWriter out;
  out.object()
      .member("format", kListFormat)
      .member("weft", list.weft_version)
      .member("takenAt", to_rfc3339(list.taken))
      .member("logPosition", list.log_position)
      .member("keys", list.has_keys);
  if (!list.history.empty()) out.member("history", list.history);
  out.key("files").array();
  for (const auto& file : list.files) {
    out.object()
        .member("name", file.name)
        .member("bytes", file.bytes)
        .member("sha256", file.sha256)
        .end();
  }
  out.end().end();
  return std::move(out).text();
}

Result<BackupList> parse_backup_list(std::string_view json) {
  auto document = JsonDocument::parse(std::string(json));
  if (!document) return no_list(document.error().message);
  const auto& root = document->root();
  auto format = member_integer(root, "format");
  if (!format) return no_list("it has no format");
  if (*format > kListFormat) return newer_format(kBackupListName, *format);
  const auto* files = root.find("files");
  const auto* keys = root.find("keys");
  auto taken = parse_rfc3339(text_of(root, "takenAt"));
  auto position = member_count(root, "logPosition");
  if (files == nullptr || !files->is_array() || keys == nullptr || !keys->is_bool() || !taken ||
      !position) {
    return no_list("a member is missing");
  }
  BackupList list;
  list.weft_version = text_of(root, "weft");
  list.taken = *taken;
  list.log_position = *position;
  list.has_keys = keys->as_bool();
  list.history = text_of(root, "history");
  if (!list.history.empty() && !is_history(list.history))
    return no_list("its history is none: 16 hex digits");
  for (const auto& item : files->elements()) {
    TRY(auto file, parse_file(item));
    list.files.push_back(std::move(file));
  }
  return list;
}

Result<std::string> seal_keys(const NamedSecrets& secrets, std::string_view passphrase,
                              std::string_view random_bytes) {
  ENSURE(random_bytes.size() == kSealRandomBytes, "salt and nonce are drawn by the caller");
  if (passphrase.size() < kPassphraseBytesMin) {
    return fail(ErrorCode::InvalidArgument, "a passphrase has at least {} bytes",
                kPassphraseBytesMin);
  }
  auto salt = random_bytes.substr(0, crypto::kSaltBytes);
  auto nonce = random_bytes.substr(crypto::kSaltBytes);
  crypto::ScryptCost cost;
  TRY(auto key, crypto::key_from_passphrase(passphrase, salt, cost));
  TRY(auto aead, crypto::Aead::from_key(std::move(key)));
  JsonWriter plain;
  plain.object();
  for (const auto& [name, secret] : secrets) plain.member(name, to_base64(secret));
  plain.end();
  JsonWriter out;
  out.object()
      .member("format", kKeysFormat)
      .member("kdf", "scrypt")
      .member("cost", cost.cost)
      .member("blockSize", cost.block_size)
      .member("parallel", cost.parallel)
      .member("salt", to_hex(salt))
      .member("nonce", to_hex(nonce))
      .member("sealed", to_base64(aead.seal(nonce, plain.text(), kBound)))
      .end();
  return std::move(out).text();
}

Result<NamedSecrets> open_keys(std::string_view json, std::string_view passphrase) {
  TRY(auto document, JsonDocument::parse(std::string(json)));
  const auto& root = document.root();
  auto format = member_integer(root, "format");
  if (!format) return fail(ErrorCode::DataLoss, "{} has no format", kBackupKeysName);
  if (*format > kKeysFormat) return newer_format(kBackupKeysName, *format);
  auto number = [&root](std::string_view name) { return member_count(root, name).value_or(0); };
  crypto::ScryptCost cost{number("cost"), number("blockSize"), number("parallel")};
  TRY(auto salt, from_hex(text_of(root, "salt")));
  TRY(auto nonce, from_hex(text_of(root, "nonce")));
  TRY(auto sealed, from_base64(text_of(root, "sealed")));
  if (nonce.size() != crypto::kAeadNonceBytes)
    return fail(ErrorCode::DataLoss, "{} has no nonce", kBackupKeysName);
  TRY(auto key, crypto::key_from_passphrase(passphrase, salt, cost));
  TRY(auto aead, crypto::Aead::from_key(std::move(key)));
  auto plain = aead.open(nonce, sealed, kBound);
  if (!plain) {
    return fail(ErrorCode::PermissionDenied,
                "the keys of this backup do not open: another passphrase, or {} was changed",
                kBackupKeysName);
  }
  TRY(auto held, JsonDocument::parse(*std::move(plain)));
  NamedSecrets secrets;
  for (const auto& member : held.root().members()) {
    TRY(auto secret, from_base64(member.value.as_string()));
    secrets.emplace_back(std::string(member.key()), std::move(secret));
  }
  return secrets;
}

}  // namespace weft::app
