#include "storage/edge/postgres_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <bit>
#include <charconv>
#include <functional>
#include <type_traits>
#include <unordered_map>

#include "base/bytes.h"
#include "storage/core/postgres_text.h"

namespace weft::storage {

namespace {

constexpr std::size_t kPreparedMax = 256;

// Types of the server's catalogue that travel here.
constexpr Oid kBool = 16;
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kText = 25;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;
constexpr Oid kNumeric = 1700;

struct EndSession {
  void operator()(PGconn* session) const { PQfinish(session); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, EndSession>;

// The parameters of a statement as libpq takes them.
struct BoundValues {
  std::vector<Oid> types;
  std::vector<std::string> held;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
};

Oid type_of(const SqlValue& value) {
  return std::visit(
      [](const auto& held) -> Oid {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::monostate>)
          return 0;
        else if constexpr (std::is_same_v<T, std::int64_t>)
          return kInt8;
        else if constexpr (std::is_same_v<T, double>)
          return kFloat8;
        else if constexpr (std::is_same_v<T, std::string>)
          return kText;
        else
          return kBytea;
      },
      value);
}

std::string bytes_of(const SqlValue& value) {
  std::string bytes;
  if (const auto* number = std::get_if<std::int64_t>(&value)) append_be(bytes, *number);
  if (const auto* real = std::get_if<double>(&value)) {
    append_be(bytes, std::bit_cast<std::uint64_t>(*real));
  }
  if (const auto* text = std::get_if<std::string>(&value)) bytes = *text;
  if (const auto* blob = std::get_if<SqlBlob>(&value)) bytes = blob->bytes;
  return bytes;
}

BoundValues bind_values(const SqlParameters& parameters) {
  BoundValues bound;
  for (const auto& value : parameters) bound.held.push_back(bytes_of(value));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    bound.types.push_back(type_of(parameters[i]));
    bool is_null = std::holds_alternative<std::monostate>(parameters[i]);
    bound.values.push_back(is_null ? nullptr : bound.held[i].data());
    bound.lengths.push_back(static_cast<int>(bound.held[i].size()));
    bound.formats.push_back(1);
  }
  return bound;
}

Result<SqlValue> value_at(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) == 1) return SqlValue();
  const char* data = PQgetvalue(result, row, column);
  std::string_view bytes(data, static_cast<std::size_t>(PQgetlength(result, row, column)));
  switch (PQftype(result, column)) {
    case kBool:
      return SqlValue(std::int64_t{data[0]});
    case kInt2:
      return SqlValue(std::int64_t{load_be<std::int16_t>(data)});
    case kInt4:
      return SqlValue(std::int64_t{load_be<std::int32_t>(data)});
    case kInt8:
      return SqlValue(load_be<std::int64_t>(data));
    case kFloat4:
      return SqlValue(double{std::bit_cast<float>(load_be<std::uint32_t>(data))});
    case kFloat8:
      return SqlValue(std::bit_cast<double>(load_be<std::uint64_t>(data)));
    case kNumeric: {
      TRY(auto number, postgres_numeric(bytes));
      return SqlValue(number);
    }
    case kBytea:
      return SqlValue(SqlBlob{std::string(bytes)});
    default:
      return SqlValue(std::string(bytes));
  }
}

std::string one_line(const char* text) {
  std::string line = text == nullptr ? "" : text;
  while (!line.empty() && line.back() == '\n') line.pop_back();
  std::ranges::replace(line, '\n', ' ');
  return line;
}

std::string statement_key(std::string_view sql, const std::vector<Oid>& types) {
  std::string key(sql);
  for (auto type : types) key += fmt::format("\n{}", type);
  return key;
}

}  // namespace

struct PostgresConnection::Parts {
  std::unique_ptr<PGconn, EndSession> session;
  ConnectionUse use = ConnectionUse::Read;
  std::chrono::milliseconds reply_timeout{};
  std::unordered_map<std::string, std::string> prepared;  // name by text and types
  std::uint64_t prepared_count = 0;
  bool gave_way = false;

  Error failure(const PGresult* result, std::string_view sql);
  Error lost(std::string_view why);
  Result<> wait_for(short events);
  Result<ResultPtr> next_result();
  Result<ResultPtr> only_result(std::string_view sql);
  Result<> drain();
  Result<> send_statement(std::string_view sql, const SqlParameters& parameters);
  Result<std::string> prepare(std::string_view sql, const BoundValues& bound);
};

// The session is of no more use: a late answer would be taken for the next statement's.
Error PostgresConnection::Parts::lost(std::string_view why) {
  Error error{ErrorCode::Unavailable, fmt::format("state database: {}", why)};
  session.reset();
  return error;
}

Error PostgresConnection::Parts::failure(const PGresult* result, std::string_view sql) {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  auto text =
      one_line(result == nullptr ? PQerrorMessage(session.get()) : PQresultErrorMessage(result));
  if (state == nullptr || PQstatus(session.get()) == CONNECTION_BAD) return lost(text);
  auto code = postgres_code(state);
  gave_way = code == ErrorCode::Conflict;
  bool is_read_only = std::string_view(state) == "25006";
  if (is_read_only && use == ConnectionUse::Read) code = ErrorCode::InvalidArgument;
  auto message = fmt::format("state database: {} ({}) [{}]", text, state, sql);
  // The server has become a standby, or goes down: another one must be looked for.
  if (code == ErrorCode::Unavailable && (is_read_only || state[1] == '7')) session.reset();
  return {code, std::move(message)};
}

Result<> PostgresConnection::Parts::wait_for(short events) {
  pollfd watched{PQsocket(session.get()), events, 0};
  int ready = 0;
  do {
    ready = ::poll(&watched, 1, static_cast<int>(reply_timeout.count()));
  } while (ready < 0 && errno == EINTR);
  if (ready > 0) return {};
  return Failure(lost(fmt::format("no answer within {} ms", reply_timeout.count())));
}

// Null after the last one of a statement.
Result<ResultPtr> PostgresConnection::Parts::next_result() {
  for (;;) {
    int unsent = PQflush(session.get());
    if (unsent < 0) return Failure(failure(nullptr, ""));
    if (unsent == 0 && PQisBusy(session.get()) == 0) {
      return ResultPtr(PQgetResult(session.get()));
    }
    CHECK(wait_for(static_cast<short>(unsent == 0 ? POLLIN : POLLIN | POLLOUT)));
    if (PQconsumeInput(session.get()) == 0) return Failure(failure(nullptr, ""));
  }
}

Result<> PostgresConnection::Parts::drain() {
  for (;;) {
    TRY(auto result, next_result());
    if (!result) return {};
  }
}

Result<ResultPtr> PostgresConnection::Parts::only_result(std::string_view sql) {
  ResultPtr last;
  for (;;) {
    TRY(auto result, next_result());
    if (!result) break;
    auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      auto error = failure(result.get(), sql);
      if (session) CHECK(drain());
      return Failure(std::move(error));
    }
    last = std::move(result);
  }
  if (last) return last;
  return Failure(failure(nullptr, sql));
}

Result<std::string> PostgresConnection::Parts::prepare(std::string_view sql,
                                                       const BoundValues& bound) {
  auto key = statement_key(sql, bound.types);
  auto found = prepared.find(key);
  if (found != prepared.end()) return found->second;
  if (prepared.size() >= kPreparedMax) {
    PQsendQuery(session.get(), "DEALLOCATE ALL");
    CHECK(only_result("DEALLOCATE ALL"));
    prepared.clear();
  }
  auto name = fmt::format("weft_{}", ++prepared_count);
  std::string text(sql);
  if (PQsendPrepare(session.get(), name.c_str(), text.c_str(), static_cast<int>(bound.types.size()),
                    bound.types.data()) == 0) {
    return Failure(failure(nullptr, sql));
  }
  CHECK(only_result(sql));
  prepared.emplace(std::move(key), name);
  return name;
}

Result<> PostgresConnection::Parts::send_statement(std::string_view sql,
                                                   const SqlParameters& parameters) {
  if (!session) return fail(ErrorCode::Unavailable, "state database: the connection is lost");
  gave_way = false;
  auto used = highest_parameter(sql);
  if (used != parameters.size()) {
    return fail(ErrorCode::InvalidArgument, "{} parameters given, {} used [{}]", parameters.size(),
                used, sql);
  }
  auto bound = bind_values(parameters);
  TRY(auto name, prepare(sql, bound));
  if (PQsendQueryPrepared(session.get(), name.c_str(), static_cast<int>(bound.values.size()),
                          bound.values.data(), bound.lengths.data(), bound.formats.data(),
                          1) == 0) {
    return Failure(failure(nullptr, sql));
  }
  return {};
}

PostgresConnection::PostgresConnection(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
PostgresConnection::PostgresConnection(PostgresConnection&&) noexcept = default;
PostgresConnection& PostgresConnection::operator=(PostgresConnection&&) noexcept = default;
PostgresConnection::~PostgresConnection() = default;

namespace {

// libpq hands out no SQLSTATE of a session that it could not open, only the text. What a person
// must mend is told apart from what passes; a certificate that does not fit may be the server's to
// mend.
ErrorCode connect_code(std::string_view text) {
  auto says = [text](std::string_view words) { return text.find(words) != std::string_view::npos; };
  if (says("authentication failed") || says("no password supplied") ||
      says("no pg_hba.conf entry")) {
    return ErrorCode::PermissionDenied;
  }
  bool is_missing = says("FATAL:  database \"") && says("does not exist");
  return is_missing ? ErrorCode::FailedPrecondition : ErrorCode::Unavailable;
}

// A commit that the server answers must be on its medium; a stronger setting stays.
constexpr std::string_view kSessionSettings =
    "SELECT CASE WHEN current_setting('synchronous_commit') = 'off' "
    "THEN set_config('synchronous_commit', 'on', false) END, "
    "current_setting('server_encoding')";

}  // namespace

Result<PostgresConnection> PostgresConnection::open(const PostgresParameters& parameters,
                                                    ConnectionUse use,
                                                    std::chrono::milliseconds reply_timeout) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  auto parts = std::make_unique<Parts>();
  parts->use = use;
  parts->reply_timeout = reply_timeout;
  parts->session.reset(PQconnectdbParams(names.data(), values.data(), 1));
  auto* session = parts->session.get();
  if (session == nullptr) return fail(ErrorCode::ResourceExhausted, "out of memory");
  if (PQstatus(session) != CONNECTION_OK) {
    return fail(connect_code(PQerrorMessage(session)), "state database: {}",
                one_line(PQerrorMessage(session)));
  }
  if (PQsetnonblocking(session, 1) != 0) return Failure(parts->lost("no non-blocking session"));
  PQsetNoticeProcessor(
      session, [](void*, const char*) {}, nullptr);
  PostgresConnection opened(std::move(parts));
  TRY(auto settings, opened.query(kSessionSettings, {}, 1));
  if (settings.at(0).text(1) != "UTF8") {
    return fail(ErrorCode::FailedPrecondition,
                "the state database has encoding {}: make one with ENCODING 'UTF8'",
                settings[0].text(1));
  }
  if (use == ConnectionUse::Read) {
    CHECK(opened.run_script("SET default_transaction_read_only = on"));
  }
  return opened;
}

Result<std::int64_t> PostgresConnection::execute(std::string_view sql,
                                                 const SqlParameters& parameters) {
  CHECK(parts_->send_statement(sql, parameters));
  TRY(auto result, parts_->only_result(sql));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) return 0;
  std::string_view count = PQcmdTuples(result.get());
  std::int64_t rows = 0;
  std::from_chars(count.data(), count.data() + count.size(), rows);
  return rows;
}

Result<Rows> PostgresConnection::query(std::string_view sql, const SqlParameters& parameters,
                                       std::size_t rows_max) {
  CHECK(parts_->send_statement(sql, parameters));
  PQsetSingleRowMode(parts_->session.get());
  Rows rows;
  for (;;) {
    TRY(auto result, parts_->next_result());
    if (!result) return rows;
    auto status = PQresultStatus(result.get());
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      auto error = parts_->failure(result.get(), sql);
      if (parts_->session) CHECK(parts_->drain());
      return Failure(std::move(error));
    }
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      if (rows.size() == rows_max) {
        std::ignore = parts_->lost("too many rows");
        return fail(ErrorCode::ResourceExhausted, "a query has more than {} rows [{}]", rows_max,
                    sql);
      }
      std::vector<SqlValue> values;
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        auto value = value_at(result.get(), row, column);
        if (!value) {
          std::ignore = parts_->lost("a value cannot be read");
          return Failure(std::move(value).error().within(sql));
        }
        values.push_back(*std::move(value));
      }
      rows.emplace_back(std::move(values));
    }
  }
}

Result<> PostgresConnection::run_script(const std::string& sql) {
  if (!parts_->session)
    return fail(ErrorCode::Unavailable, "state database: the connection is lost");
  if (PQsendQuery(parts_->session.get(), sql.c_str()) == 0) {
    return Failure(parts_->failure(nullptr, sql));
  }
  CHECK(parts_->only_result(sql));
  return {};
}

bool PostgresConnection::in_transaction() const {
  return parts_->session && PQtransactionStatus(parts_->session.get()) != PQTRANS_IDLE;
}

void PostgresConnection::roll_back() {
  if (in_transaction()) std::ignore = execute("ROLLBACK");
}

bool PostgresConnection::gave_way() const {
  return parts_->gave_way;
}

bool PostgresConnection::is_alive() const {
  return parts_->session && PQstatus(parts_->session.get()) == CONNECTION_OK;
}

}  // namespace weft::storage
