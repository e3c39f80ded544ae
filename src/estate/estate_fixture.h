// For tests: an estate over SQLite with real files in a folder of its own, whose every neighbour
// can be told to fail.
#pragma once

#include <atomic>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "estate/estate.h"
#include "estate/tiny_kinds.h"
#include "runtime/clock.h"
#include "runtime/disk.h"
#include "runtime/metrics.h"
#include "runtime/run_until_done.h"
#include "storage/failing_database.h"
#include "storage/sqlite_database.h"
#include "storage/temporary_folder.h"

namespace weft::estate {

// The real disk, until it is told to fail.
class FailingFileSystem final : public FileSystem {
 public:
  std::atomic<bool> fails_renames{false};

  Task<Result<std::unique_ptr<File>>> open(std::string path, OpenMode mode) override {
    return disk_.open(std::move(path), mode);
  }
  Task<Result<>> create_directories(std::string path) override {
    return disk_.create_directories(std::move(path));
  }
  Task<Result<std::vector<std::string>>> list(std::string path) override {
    return disk_.list(std::move(path));
  }
  Task<Result<>> rename(std::string from, std::string to) override {
    if (fails_renames) co_return fail(ErrorCode::ResourceExhausted, "the disk is full");
    co_return co_await disk_.rename(std::move(from), std::move(to));
  }
  Task<Result<>> remove(std::string path) override { return disk_.remove(std::move(path)); }
  Task<Result<>> sync_directory(std::string path) override {
    return disk_.sync_directory(std::move(path));
  }
  Task<Result<std::uint64_t>> free_bytes(std::string path) override {
    return disk_.free_bytes(std::move(path));
  }
  Task<Result<std::unique_ptr<File>>> lock(std::string path) override {
    return disk_.lock(std::move(path));
  }

 private:
  PosixFileSystem disk_;
};

// Remembers what it is given.
class RecordingCompiler final : public Compiler {
 public:
  explicit RecordingCompiler(std::string compiler_name) : name_(std::move(compiler_name)) {}

  std::string fails_with;                 // compile() fails when not empty
  std::vector<std::uint64_t> published;   // generations
  std::vector<std::string> last_streams;  // names in the last published snapshot
  int compiled = 0;

  std::vector<std::string> reads{"Stream", "Hook", "Chain"};

  std::string_view name() const override { return name_; }
  std::vector<std::string> kinds() const override { return reads; }
  std::uint64_t compilations() const override { return static_cast<std::uint64_t>(compiled); }
  Result<std::shared_ptr<const void>> compile(const EstateView& view) override {
    ++compiled;
    if (!fails_with.empty()) return fail(ErrorCode::InvalidArgument, fails_with);
    auto names = std::make_shared<std::vector<std::string>>();
    for (const auto& stream : view.of_kind("Stream")) names->push_back(stream->name());
    return std::shared_ptr<const void>(std::move(names));
  }
  void publish(std::uint64_t generation, std::shared_ptr<const void> snapshot) override {
    published.push_back(generation);
    last_streams = *static_cast<const std::vector<std::string>*>(snapshot.get());
  }

 private:
  std::string name_;
};

// Refuses changes of one name.
class StubbornCheck final : public EstateCheck {
 public:
  std::string refuses;
  std::string_view name() const override { return "stubborn"; }
  void check(const EstateView&, std::span<const PlannedChange> changes,
             Findings& findings) override {
    for (const auto& change : changes) {
      if (change.id.name != refuses || change.action == ChangeAction::Unchanged) continue;
      findings.errors.push_back({change.id.text(), 0, 0, "", "frozen until Monday"});
    }
  }
};

class EstateWorld {
 public:
  // In a new folder, or in one that somebody else removes.
  explicit EstateWorld(std::string existing_folder = "") : existing_(std::move(existing_folder)) {
    auto started = open();
    ENSURE(started.has_value(), "a new estate starts");
  }
  ~EstateWorld() { close(); }

  // As a start of the process.
  Result<StartedFrom> open(bool database_is_away = false) {
    close();
    SqliteOptions options(file("state.db"));
    auto opened = run_until_done(SqliteDatabase::open(files, metrics, options));
    ENSURE(opened.has_value(), "the database opens");
    sqlite = *std::move(opened);
    std::vector<Migration> migrations{AuditLog::migration(), Estate::migration()};
    auto migrated = run_until_done(sqlite->migrate(migrations, clock.now()));
    ENSURE(migrated.has_value(), "the database is migrated");
    database = std::make_unique<FailingDatabase>(*sqlite);
    database->is_away = database_is_away;
    audit = std::make_unique<AuditLog>(*database, clock);
    estate = std::make_unique<Estate>(EstateParts{*database,
                                                  *audit,
                                                  files,
                                                  clock,
                                                  file("generation.json"),
                                                  tiny_kinds(),
                                                  {&first, &second},
                                                  {&check}});
    return run_until_done(estate->start());
  }
  void close() {
    estate.reset();
    audit.reset();
    database.reset();
    sqlite.reset();
  }

  Result<Applied> apply(ChangeSet changes, std::optional<std::uint64_t> expected = {}) {
    return run_until_done(estate->apply("user:ann", std::move(changes), expected));
  }
  Result<Applied> apply(const std::string& yaml, std::optional<std::uint64_t> expected = {}) {
    return apply(change_set(yaml), expected);
  }
  Result<Plan> plan(ChangeSet changes) { return run_until_done(estate->plan(std::move(changes))); }
  Result<Applied> rollback(std::uint64_t number, std::string tenant = "") {
    return run_until_done(estate->rollback("user:bob", number, {}, std::move(tenant)));
  }
  AuditReport verify() {
    auto report = run_until_done(estate->verify_audit());
    ENSURE(report.has_value(), "the audit trail can be read");
    return *report;
  }

  // Straight into the tables, past everything.
  void tamper(std::string sql) {
    Unit unit;
    unit.add(std::move(sql));
    auto done = run_until_done(sqlite->execute(std::move(unit)));
    ENSURE(done.has_value(), done.error().message.c_str());
  }
  Rows rows(std::string sql) {
    auto found = run_until_done(sqlite->query(Query(std::move(sql))));
    ENSURE(found.has_value(), found.error().message.c_str());
    return *std::move(found);
  }
  std::string file(const std::string& name) const {
    return (existing_.empty() ? folder.path() : existing_) + "/" + name;
  }
  std::string generation_json() {
    std::stringstream text;
    text << std::ifstream(file("generation.json")).rdbuf();
    return text.str();
  }

  // Everything that an apply may change.
  std::string fingerprint() {
    std::string all = generation_json();
    for (const char* table : {"estate_head", "estate_generation", "estate_resource",
                              "estate_change", "audit_entry", "audit_head"}) {
      for (const auto& row : rows(fmt::format("SELECT * FROM {} ORDER BY 1, 2", table))) {
        for (std::size_t i = 0; i < row.size(); ++i) all += shown(row[i]);
      }
    }
    for (const auto* compiler : {&first, &second}) {
      all += fmt::format("{} {}\n", fmt::join(compiler->published, ","),
                         fmt::join(compiler->last_streams, ","));
    }
    return all + std::to_string(estate->current()->generation());
  }

  TemporaryFolder folder;
  SystemClock clock;
  FailingFileSystem files;
  Metrics metrics;
  RecordingCompiler first{"first"};
  RecordingCompiler second{"second"};
  StubbornCheck check;
  std::unique_ptr<SqliteDatabase> sqlite;
  std::unique_ptr<FailingDatabase> database;
  std::unique_ptr<AuditLog> audit;
  std::unique_ptr<Estate> estate;

 private:
  std::string existing_;

  static std::string shown(const SqlValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text + "\n";
    if (const auto* number = std::get_if<std::int64_t>(&value)) return fmt::format("{}\n", *number);
    return "null\n";
  }
};

}  // namespace weft::estate
