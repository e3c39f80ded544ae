#include "eventlog/streams.h"

#include <set>

#include "base/json_members.h"
#include "eventlog/core/schema_definition.h"
#include "eventlog/ensure_stream.h"
#include "eventlog/quarantine.h"
#include "runtime/log.h"

namespace weft::eventlog {
namespace {

Result<StreamSettings> settings_of(const estate::Resource& resource) {
  const auto& spec = resource.spec();
  StreamSettings settings;
  settings.tenant = resource.tenant();
  settings.name = resource.name();
  settings.partitions = static_cast<std::int32_t>(member_integer(spec, "partitions").value_or(1));
  auto retention = text_of(spec, "retention", "7d");
  settings.retention = Duration::zero();
  if (retention != "forever") {
    TRY(settings.retention, parse_duration(retention));
  }
  settings.retention_bytes =
      static_cast<std::uint64_t>(member_integer(spec, "retentionBytes").value_or(0));
  settings.durability =
      text_of(spec, "durability", "disk") == "memory" ? Durability::Memory : Durability::Disk;
  auto cleanup = text_of(spec, "cleanup", "delete");
  for (auto each : {Cleanup::Compact, Cleanup::CompactAndDelete}) {
    if (cleanup == cleanup_name(each)) settings.cleanup = each;
  }
  settings.batch_bytes_max = static_cast<std::uint32_t>(
      member_integer(spec, "recordBytesMax").value_or(settings.batch_bytes_max));
  return settings;
}

Result<CompiledSchema> compile_schema(const estate::Resource& schema) {
  TRY(auto definition, read_definition(schema.spec()));
  TRY(auto compiled, contracts::JsonSchema::compile(definition.root()));
  auto rules = compiled.rules();
  TRY(auto keys, contracts::business_keys(definition.root()));
  return CompiledSchema{std::string(definition.text()), std::move(compiled), std::move(rules),
                        std::move(keys)};
}

}  // namespace

Result<std::shared_ptr<const StreamDeclaration>> StreamCatalogue::declare(
    const estate::Resource& resource, const estate::Resource* schema) {
  compilations_.fetch_add(1);
  auto declared = std::make_shared<StreamDeclaration>();
  TRY(declared->settings, settings_of(resource));
  declared->owner = resource.owner();
  declared->description = text_of(resource.spec(), "description");
  if (schema != nullptr) {
    auto known = schemas_.find(schema->hash());
    if (known == schemas_.end()) {
      compilations_.fetch_add(1);
      TRY(auto compiled, compile_schema(*schema));
      known = schemas_.emplace(schema->hash(), std::move(compiled)).first;
    }
    declared->schema = known->second.schema;
    declared->schema_name = schema->name();
    declared->schema_text = known->second.text;
    declared->schema_rules = known->second.rules;
    declared->business_keys = known->second.business_keys;
    declared->validation = text_of(resource.spec(), "validation", "every") == "every"
                               ? ValidationPolicy::Every
                               : ValidationPolicy::None;
  }
  if (const auto ttl = text_of(resource.spec(), "ttl"); !ttl.empty()) {
    TRY(declared->ttl, parse_duration(ttl));
  }
  if (const auto window = text_of(resource.spec(), "dedupe"); !window.empty()) {
    TRY(declared->dedupe, parse_duration(window));
  }
  if (text_of(resource.spec(), "onViolation") == "quarantine") {
    declared->quarantine = quarantine_name(resource.name());
  }
  return declared;
}

namespace {

// What takes the broken records of a stream.
Result<std::shared_ptr<const StreamDeclaration>> quarantine_of(const StreamDeclaration& source,
                                                               const estate::Resource& resource) {
  auto declared = std::make_shared<StreamDeclaration>();
  declared->owner = source.owner;
  declared->description = "Records that break the contract of " + source.settings.name;
  declared->quarantine_of = source.settings.name;
  auto& settings = declared->settings;
  settings.tenant = source.settings.tenant;
  settings.name = source.quarantine;
  TRY(settings.retention, parse_duration(text_of(resource.spec(), "quarantineRetention", "30d")));
  // Headers are added to each record.
  settings.batch_bytes_max = source.settings.batch_bytes_max * 2;
  return declared;
}

}  // namespace

std::vector<contracts::Violation> StreamDeclaration::violations(const Json& value,
                                                                std::size_t max) const {
  if (!validates() || schema->accepts(value)) return {};
  return schema->violations(value, max);
}

std::vector<contracts::Violation> StreamDeclaration::violations_of_text(
    std::string_view value, std::size_t max, std::vector<contracts::FoundBusinessKey>* keys) const {
  if (!validates()) return {};
  thread_local JsonParser parser;
  auto parsed = parser.parse(value);
  if (!parsed) return {{"", "#", "the value is not JSON: " + parsed.error().message}};
  if (keys != nullptr && !business_keys.empty()) {
    *keys = contracts::find_business_keys(business_keys, **parsed);
  }
  return violations(**parsed, max);
}

StreamCatalogue::StreamCatalogue(EventLog& log)
    : log_(log),
      declared_(std::make_shared<const Declarations>()),
      streams_(std::make_shared<const Streams>()),
      ttls_(std::make_shared<const std::map<StreamId, Duration>>()) {}

Result<std::shared_ptr<const void>> StreamCatalogue::compile(const estate::EstateView& view) {
  auto declarations = std::make_shared<Declarations>();
  std::map<std::string, std::shared_ptr<const StreamDeclaration>> kept;
  std::set<std::string, std::less<>> schemas_in_use;
  for (const auto& resource : view.of_kind("Stream")) {
    auto schema_name = text_of(resource->spec(), "schema");
    const auto* schema =
        schema_name.empty() ? nullptr : view.find(resource->tenant(), "Schema", schema_name);
    auto hash = resource->tenant() + resource->hash() + (schema != nullptr ? schema->hash() : "");
    if (schema != nullptr) schemas_in_use.insert(schema->hash());
    auto& declared = kept[hash];
    if (auto known = compiled_.find(hash); known != compiled_.end()) declared = known->second;
    if (!declared) {
      auto made = declare(*resource, schema);
      if (!made) return std::unexpected(std::move(made).error().within(resource->id().text()));
      declared = std::move(*made);
    }
    declarations->insert_or_assign(Key(resource->tenant(), resource->name()), declared);
    if (declared->quarantine.empty()) continue;
    auto& aside = kept[hash + "/quarantine"];
    if (auto known = compiled_.find(hash + "/quarantine"); known != compiled_.end()) {
      aside = known->second;
    }
    if (!aside) {
      TRY(aside, quarantine_of(*declared, *resource));
    }
    declarations->emplace(Key(resource->tenant(), declared->quarantine), aside);
  }
  compiled_ = std::move(kept);
  std::erase_if(schemas_, [&](const auto& entry) { return !schemas_in_use.contains(entry.first); });
  return std::shared_ptr<const void>(std::move(declarations));
}

void StreamCatalogue::publish(std::uint64_t, std::shared_ptr<const void> snapshot) {
  declared_.store(std::static_pointer_cast<const Declarations>(std::move(snapshot)));
}

Task<Result<StreamInfo>> StreamCatalogue::make_as_declared(const StreamDeclaration& declared) {
  const auto& settings = declared.settings;
  auto existing = log_.find_stream(settings.tenant, settings.name);
  if (!existing) {
    log_info("eventlog", "stream created",
             {{"stream", settings.name}, {"tenant", settings.tenant}});
    co_return co_await ensure_stream(log_, settings);
  }
  if (existing->retired) {
    log_info("eventlog", "stream declared again",
             {{"stream", settings.name}, {"tenant", settings.tenant}});
    CO_CHECK(co_await log_.retire_stream(existing->id, std::nullopt));
    existing->retired.reset();
  }
  if (existing->settings == settings) co_return *existing;
  log_info("eventlog", "stream altered", {{"stream", settings.name}, {"tenant", settings.tenant}});
  co_return co_await log_.alter_stream(existing->id, settings);
}

Task<Result<>> StreamCatalogue::retire_undeclared(const Declarations& declared, WallTime now) {
  if (log_.is_shared()) co_return Result<>();
  for (const auto& info : log_.streams()) {
    const auto& settings = info.settings;
    if (info.retired || settings.name.starts_with("__")) continue;
    if (declared.contains(
            std::pair<std::string_view, std::string_view>(settings.tenant, settings.name)))
      continue;
    log_warn("eventlog", "stream declared no more: its records go when its time of grace is over",
             {{"stream", settings.name}, {"tenant", settings.tenant}});
    CO_CHECK(co_await log_.retire_stream(info.id, now));
  }
  co_return Result<>();
}

Task<Result<>> StreamCatalogue::drop(std::string tenant, std::string name) {
  const auto stream = log_.find_stream(tenant, name);
  if (!stream || !stream->retired || declared_.load()->contains(std::pair(tenant, name))) {
    co_return Result<>();
  }
  log_info("eventlog", "stream removed by a client", {{"stream", name}, {"tenant", tenant}});
  co_return co_await log_.delete_stream(stream->id);
}

Task<Result<>> StreamCatalogue::remove_retired(WallTime before) {
  auto declared = declared_.load();
  for (const auto& info : log_.streams()) {
    const auto& settings = info.settings;
    if (!info.retired || *info.retired >= before) continue;
    if (declared->contains(
            std::pair<std::string_view, std::string_view>(settings.tenant, settings.name)))
      continue;
    log_warn("eventlog", "stream removed: its time of grace is over",
             {{"stream", settings.name}, {"tenant", settings.tenant}});
    CO_CHECK(co_await log_.delete_stream(info.id));
  }
  co_return Result<>();
}

Task<Result<>> StreamCatalogue::reconcile(WallTime now) {
  auto declared = declared_.load();
  if (declared == reconciled_) co_return Result<>();
  auto before = streams_.load();
  auto streams = std::make_shared<Streams>();
  Result<> outcome;
  for (const auto& [key, declaration] : *declared) {
    auto known = before->find(key);
    if (known != before->end() && known->second->declared == declaration) {
      streams->emplace_hint(streams->end(), key, known->second);
      continue;
    }
    auto info = co_await make_as_declared(*declaration);
    if (!info) {
      auto error = std::move(info).error().within("stream " + key.second);
      log_error("eventlog", error.message, {{"tenant", key.first}});
      if (outcome) outcome = std::unexpected(std::move(error));
      continue;
    }
    auto stream = std::make_shared<Stream>();
    stream->info = std::move(*info);
    stream->declared = declaration;
    streams->emplace(key, std::move(stream));
  }
  auto ttls = std::make_shared<std::map<StreamId, Duration>>();
  for (const auto& [key, stream] : *streams) {
    if (stream->declared->ttl > Duration::zero())
      ttls->emplace(stream->info.id, stream->declared->ttl);
  }
  ttls_.store(std::move(ttls));
  streams_.store(std::move(streams));
  auto retired = co_await retire_undeclared(*declared, now);
  if (outcome && !retired) outcome = std::move(retired);
  reconciled_ = outcome ? std::move(declared) : nullptr;
  co_return outcome;
}

StreamRef StreamCatalogue::find(std::string_view tenant, std::string_view name) const {
  auto streams = streams_.load();
  auto it = streams->find(std::pair<std::string_view, std::string_view>(tenant, name));
  return it == streams->end() ? nullptr : it->second;
}

Duration StreamCatalogue::ttl(StreamId stream) const {
  const auto ttls = ttls_.load();
  const auto found = ttls->find(stream);
  return found == ttls->end() ? Duration::zero() : found->second;
}

std::vector<StreamRef> StreamCatalogue::of_tenant(std::string_view tenant) const {
  std::vector<StreamRef> found;
  for (const auto& [key, stream] : *streams_.load()) {
    if (key.first == tenant) found.push_back(stream);
  }
  return found;
}

std::vector<StreamRef> StreamCatalogue::all() const {
  std::vector<StreamRef> found;
  for (const auto& [key, stream] : *streams_.load()) found.push_back(stream);
  return found;
}

}  // namespace weft::eventlog
