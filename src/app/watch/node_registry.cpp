#include "app/watch/node_registry.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "http/client.h"
#include "runtime/log.h"

namespace weft::app {
namespace {

NodeEntry entry_of(const Row& row, WallTime seen_at_least) {
  NodeEntry entry;
  entry.run = row.text(0);
  entry.name = row.text(1);
  entry.url = row.text(2);
  entry.roles = row.text(3);
  entry.version = row.text(4);
  entry.started = from_unix_ms(row.integer(5));
  entry.seen = from_unix_ms(row.integer(6));
  entry.is_gone = entry.seen < seen_at_least;
  return entry;
}

// A node that came back at another address left its old row behind.
void drop_former(std::vector<NodeEntry>& entries) {
  std::erase_if(entries, [&entries](const NodeEntry& entry) {
    return entry.is_gone && std::ranges::any_of(entries, [&entry](const NodeEntry& other) {
             return other.name == entry.name && other.seen > entry.seen;
           });
  });
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

// It stands in cursors, in lists and behind --node.
Result<> check_node_name(std::string_view name) {
  constexpr std::size_t kNameBytesMax = 100;
  constexpr std::string_view kTaken = "all";
  const bool has_other = std::ranges::any_of(name, [](char c) {
    return !std::isalnum(static_cast<unsigned char>(c)) &&
           std::string_view("._:-").find(c) == std::string_view::npos;
  });
  if (!has_other && name.size() <= kNameBytesMax && name != kTaken) return {};
  return fail(ErrorCode::InvalidArgument,
              "nodes.name: must be up to {} letters, digits and any of . _ : -, and not '{}'; "
              "not '{}'",
              kNameBytesMax, kTaken, name);
}

}  // namespace

Result<NodeEntry> describe_node(const Settings& settings, const net::Endpoint& local) {
  auto reached = local;
  if (local.host == "0.0.0.0" || local.host == "::") reached.host = host_name();
  NodeEntry entry;
  entry.name = settings.text("nodes.name");
  CHECK(check_node_name(entry.name));
  if (entry.name.empty()) entry.name = fmt::format("{}:{}", host_name(), local.port);
  entry.url = settings.text("nodes.url");
  if (entry.url.empty()) entry.url = "http://" + reached.text();
  if (auto url = http::Url::parse(entry.url); !url)
    return std::unexpected(std::move(url).error().within("nodes.url"));
  return entry;
}

Result<NodeRegistryTimes> node_registry_times(const Settings& settings) {
  NodeRegistryTimes times{settings.time("nodes.refreshInterval"), settings.time("nodes.goneAfter"),
                          settings.time("nodes.forgetAfter")};
  if (times.refresh <= Duration::zero())
    return fail(ErrorCode::InvalidArgument, "nodes.refreshInterval: must be longer than 0s");
  if (times.gone_after <= times.refresh) {
    return fail(ErrorCode::InvalidArgument,
                "nodes.goneAfter: must be longer than nodes.refreshInterval, which is {}",
                to_text(times.refresh));
  }
  return times;
}

Migration NodeRegistry::migration() {
  return {"node", 1,
          "CREATE TABLE node_entry (run TEXT PRIMARY KEY, name TEXT NOT NULL, url TEXT NOT NULL, "
          "roles TEXT NOT NULL, version TEXT NOT NULL, started_at INTEGER NOT NULL, "
          "seen_at INTEGER NOT NULL) STRICT"};
}

NodeRegistry::NodeRegistry(Database* database, Clock& clock, NodeEntry self,
                           NodeRegistryTimes times)
    : database_(database), clock_(clock), self_(std::move(self)), times_(times) {}

Task<void> NodeRegistry::run() {
  for (;;) {
    auto refreshed = co_await refresh();
    note(refreshed);
    auto slept = co_await clock_.sleep_for(times_.refresh);
    if (!slept) co_return;
  }
}

Task<Result<>> NodeRegistry::refresh() {
  if (database_ == nullptr) co_return Result<>();
  const auto now = clock_.now();
  Unit unit;
  unit.add("DELETE FROM node_entry WHERE (name = $1 AND url = $2 AND run <> $3) OR seen_at < $4",
           {self_.name, self_.url, self_.run, to_unix_ms(now - times_.forget_after)});
  unit.add(
      "INSERT INTO node_entry (run, name, url, roles, version, started_at, seen_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (run) DO UPDATE SET seen_at = "
      "excluded.seen_at",
      {self_.run, self_.name, self_.url, self_.roles, self_.version, to_unix_ms(self_.started),
       to_unix_ms(now)});
  CO_TRY(auto written, co_await database_->execute(std::move(unit)));
  Query query(
      "SELECT run, name, url, roles, version, started_at, seen_at FROM node_entry ORDER BY name, "
      "run");
  CO_TRY(auto rows, co_await database_->query(std::move(query)));
  take(rows, now);
  co_return Result<>();
}

void NodeRegistry::take(const Rows& rows, WallTime now) {
  std::vector<NodeEntry> entries;
  for (const auto& row : rows) entries.push_back(entry_of(row, now - times_.gone_after));
  drop_former(entries);
  std::erase_if(entries, [this](const NodeEntry& entry) { return entry.run == self_.run; });
  const bool has_namesake =
      std::ranges::find(entries, self_.name, &NodeEntry::name) != entries.end();
  if (has_namesake && !std::exchange(has_namesake_, has_namesake)) {
    log_warn("node", "another node has the same name: set nodes.name", {{"name", self_.name}});
  }
  has_namesake_ = has_namesake;
  std::lock_guard lock(mutex_);
  others_ = std::move(entries);
}

// Once per outage, and not at all when the database is away: the state watch says that.
void NodeRegistry::note(const Result<>& refreshed) {
  const bool is_failing = !refreshed && refreshed.error().code != ErrorCode::Unavailable &&
                          refreshed.error().code != ErrorCode::Cancelled;
  if (is_failing && !was_failing_) {
    log_warn("node", "the list of nodes cannot be kept", {{"why", refreshed.error().message}});
  }
  was_failing_ = is_failing;
}

std::vector<NodeEntry> NodeRegistry::nodes() const {
  std::vector<NodeEntry> all;
  {
    std::lock_guard lock(mutex_);
    all = others_;
  }
  all.push_back(self_);
  all.back().is_self = true;
  all.back().seen = clock_.now();
  std::ranges::stable_sort(all, {}, &NodeEntry::name);
  return all;
}

}  // namespace weft::app
