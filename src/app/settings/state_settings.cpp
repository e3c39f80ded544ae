#include "app/settings/state_settings.h"

#include <algorithm>

#include "base/bytes.h"
#include "storage/postgres_database.h"
#include "storage/sqlite_database.h"

namespace weft::app {
namespace {

constexpr std::size_t kIdentityKeyBytes = 32;

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + item;
  return text;
}

std::chrono::milliseconds in_milliseconds(Duration time) {
  return std::chrono::ceil<std::chrono::milliseconds>(time);
}

PostgresOptions postgres_options(const Settings& settings) {
  PostgresOptions options;
  options.url = settings.secret("state.postgres.url");
  options.host = joined(settings.list("state.postgres.host"));
  options.port = joined(settings.list("state.postgres.port"));
  options.database = settings.text("state.postgres.database");
  options.user = settings.text("state.postgres.user");
  options.password = settings.secret("state.postgres.password");
  options.ssl_mode = settings.text("state.postgres.sslMode");
  options.ssl_root_file = settings.text("state.postgres.sslRootFile");
  options.readers = static_cast<std::size_t>(settings.number("state.postgres.readers"));
  options.connect_timeout =
      std::chrono::ceil<std::chrono::seconds>(settings.time("state.postgres.connectTimeout"));
  options.reply_timeout = in_milliseconds(settings.time("state.postgres.replyTimeout"));
  options.reconnect_wait_max = in_milliseconds(settings.time("state.postgres.reconnectWaitMax"));
  options.reconnect_wait_min = std::min(options.reconnect_wait_min, options.reconnect_wait_max);
  return options;
}

}  // namespace

Result<StateBackend> state_backend(const Settings& settings) {
  auto backend = settings.text("state.backend");
  if (backend == "sqlite") return StateBackend::Sqlite;
  if (backend != "postgres") {
    return fail(ErrorCode::InvalidArgument, "state.backend must be sqlite or postgres, not '{}'",
                backend);
  }
  auto url = settings.secret("state.postgres.url");
  if (!url.empty()) {
    if (auto checked = check_postgres_url(url); !checked) {
      return std::unexpected(std::move(checked).error().within("state.postgres.url"));
    }
  }
  if (url.empty() && settings.list("state.postgres.host").empty()) {
    return fail(ErrorCode::InvalidArgument,
                "state.backend is postgres: give state.postgres.url or state.postgres.host");
  }
  constexpr std::string_view kSslModes[] = {"",        "disable",   "prefer",
                                            "require", "verify-ca", "verify-full"};
  auto ssl_mode = settings.text("state.postgres.sslMode");
  if (std::ranges::find(kSslModes, ssl_mode) == std::end(kSslModes)) {
    return fail(
        ErrorCode::InvalidArgument,
        "state.postgres.sslMode must be disable, prefer, require, verify-ca or verify-full, not '{}'",
        ssl_mode);
  }
  if (settings.number("state.postgres.readers") < 1) {
    return fail(ErrorCode::InvalidArgument, "state.postgres.readers must be at least 1");
  }
  return StateBackend::Postgres;
}

Task<Result<std::unique_ptr<Database>>> open_database(const Settings& settings, FileSystem& files,
                                                      Clock& clock, Metrics& metrics) {
  CO_TRY(auto backend, state_backend(settings));
  if (backend == StateBackend::Postgres) {
    co_return std::make_unique<PostgresDatabase>(clock, metrics, postgres_options(settings));
  }
  SqliteOptions options(settings.text("data.folder") + "/state.db");
  CO_TRY(auto opened, co_await SqliteDatabase::open(files, metrics, std::move(options)));
  co_return std::unique_ptr<Database>(std::move(opened));
}

Task<Result<>> place_identity_key(FileSystem& files, std::string folder, std::string key) {
  if (key.empty()) co_return Result<>();
  auto bytes = from_hex(key);
  if (!bytes || bytes->size() != kIdentityKeyBytes) {
    co_return fail(ErrorCode::InvalidArgument,
                   "setting identity.key must be {} hex digits: `openssl rand -hex {}` makes them",
                   2 * kIdentityKeyBytes, kIdentityKeyBytes);
  }
  auto path = folder + "/identity.key";
  auto present = co_await read_file(files, path, 4096);
  if (!present && present.error().code != ErrorCode::NotFound)
    co_return std::unexpected(std::move(present).error());
  if (!present) co_return co_await write_file_durably(files, path, key + "\n");
  if (present->ends_with('\n')) present->pop_back();
  if (*present == key) co_return Result<>();
  co_return fail(
      ErrorCode::FailedPrecondition,
      "{} is another key than the setting identity.key: leave the setting out, or give all nodes the key of "
      "this file",
      path);
}

}  // namespace weft::app
