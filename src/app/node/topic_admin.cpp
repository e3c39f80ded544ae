#include "app/node/topic_admin.h"

#include <charconv>
#include <map>

#include "base/json_writer.h"
#include "identity/decisions.h"

namespace weft::app {
namespace {

Result<> allow(const identity::Principal& by, std::string_view action, std::string_view name) {
  return may(by, action, "Stream", name);
}

std::string json_text(std::string_view text) {
  JsonWriter out;
  out.value(text);
  return std::move(out).text();
}

// The Namespace with the longest prefix that the name begins with; null when there is none.
estate::ResourcePtr namespace_of(const estate::EstateView& view, std::string_view tenant,
                                 std::string_view name) {
  estate::ResourcePtr best;
  std::size_t longest = 0;
  for (const auto& each : view.of_kind(tenant, "Namespace")) {
    const auto prefix = each->spec().find("prefix")->as_string();
    if (!name.starts_with(prefix) || prefix.size() < longest) continue;
    longest = prefix.size();
    best = each;
  }
  return best;
}

Result<std::int64_t> number(std::string_view config, std::string_view value, std::int64_t least) {
  std::int64_t parsed = 0;
  const auto end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, parsed);
  if (error != std::errc() || rest != end || parsed < least) {
    return fail(ErrorCode::InvalidArgument, "{} is a number from {} on, not '{}'", config, least,
                value);
  }
  return parsed;
}

// Puts a config under Weft's name, or takes it out when its value is absent or means "no limit".
Result<> put_config(std::string_view config, const std::optional<std::string>& value,
                    TopicSpec& spec) {
  if (config == "cleanup.policy") {
    spec.erase("cleanup");
    if (!value || *value == "delete") return {};
    if (*value == "compact") {
      spec["cleanup"] = json_text("compact");
    } else if (*value == "compact,delete" || *value == "delete,compact") {
      spec["cleanup"] = json_text("compact,delete");
    } else {
      return fail(ErrorCode::InvalidArgument, "cleanup.policy is delete, compact or both, not '{}'",
                  *value);
    }
    return {};
  }
  if (config == "retention.ms") {
    spec.erase("retention");
    if (!value) return {};
    TRY(const auto ms, number(config, *value, -1));
    if (ms == 0) return fail(ErrorCode::InvalidArgument, "retention.ms is -1 or at least 1");
    spec["retention"] = ms < 0 ? json_text("forever") : json_text(fmt::format("{}ms", ms));
    return {};
  }
  if (config == "retention.bytes") {
    spec.erase("retentionBytes");
    if (!value) return {};
    TRY(const auto bytes, number(config, *value, -1));
    if (bytes > 0) spec["retentionBytes"] = std::to_string(bytes);
    return {};
  }
  if (config == "max.message.bytes") {
    spec.erase("recordBytesMax");
    if (!value) return {};
    TRY(const auto bytes, number(config, *value, 1024));
    spec["recordBytesMax"] = std::to_string(bytes);
    return {};
  }
  return fail(ErrorCode::InvalidArgument, "{} cannot be set on a topic", config);
}

std::string document(const estate::ResourceId& id, std::string_view owner, const TopicSpec& spec) {
  JsonWriter out;
  out.object().member("apiVersion", estate::kApiVersion).member("kind", "Stream");
  out.key("metadata").object().member("name", id.name);
  out.member("tenant", id.tenant).member("owner", owner).end();
  out.key("spec").object();
  for (const auto& [name, text] : spec) out.key(name).raw(text);
  out.end().end();
  return std::move(out).text();
}

TopicSpec spec_of(const estate::Resource& stream) {
  TopicSpec spec;
  for (const auto& member : stream.spec().members()) {
    spec.emplace(member.key(), member.value.raw());
  }
  return spec;
}

estate::ResourceId stream_id(const identity::Principal& by, std::string name) {
  return {by.tenant, "Stream", std::move(name)};
}

}  // namespace

namespace {

// The stream as clients declared it, if they did.
Result<const estate::Resource*> owned_by_clients(const estate::EstateView& view,
                                                 const estate::ResourceId& id) {
  const auto* entry = view.find_entry(id);
  if (entry == nullptr) return fail(ErrorCode::NotFound, "there is no such topic");
  if (entry->managed_by != kClientManager) {
    return fail(ErrorCode::FailedPrecondition, "the topic is declared by '{}' and is changed there",
                entry->managed_by);
  }
  return entry->resource.get();
}

}  // namespace

bool EstateTopicAdmin::creates_unasked(const identity::Principal& by, std::string_view name) const {
  const auto view = changes_.current();
  const auto rules = namespace_of(*view, by.tenant, name);
  if (!rules || !allow(by, identity::action::kStreamCreate, name)) return false;
  const auto* unasked = rules->spec().find("autoCreate");
  return unasked != nullptr && unasked->as_bool();
}

Task<Result<>> EstateTopicAdmin::create(identity::PrincipalRef by, kafka::TopicRequest topic) {
  CO_CHECK(allow(*by, identity::action::kStreamCreate, topic.name));
  const bool validate_only = topic.validate_only;
  const auto id = stream_id(*by, topic.name);
  ClientChanges::Change change =
      [this, id, topic](const estate::EstateView& view) -> Result<estate::ChangeSet> {
    const auto rules = namespace_of(view, id.tenant, topic.name);
    if (!rules) {
      return fail(ErrorCode::FailedPrecondition,
                  "no Namespace admits a topic of this name: declare the stream in the estate, or "
                  "a Namespace with a prefix of it");
    }
    if (view.find(id) != nullptr) return fail(ErrorCode::AlreadyExists, "the topic exists");
    TopicSpec spec;
    spec["namespace"] = json_text(rules->name());
    for (const char* inherited : {"schema", "opaque", "retention", "partitions"}) {
      if (const auto* value = rules->spec().find(inherited)) spec[inherited] = value->raw();
    }
    if (topic.partitions >= 0) spec["partitions"] = std::to_string(topic.partitions);
    for (const auto& [config, value] : topic.configs) CHECK(put_config(config, value, spec));
    return changes_.put(document(id, rules->owner(), spec));
  };
  co_return co_await changes_.carry_out(std::move(by), std::move(change), validate_only);
}

Task<Result<>> EstateTopicAdmin::remove(identity::PrincipalRef by, std::string name) {
  CO_CHECK(allow(*by, identity::action::kStreamDelete, name));
  const auto id = stream_id(*by, name);
  ClientChanges::Change change = [id](const estate::EstateView& view) -> Result<estate::ChangeSet> {
    CHECK(owned_by_clients(view, id));
    estate::ChangeSet changes;
    changes.deletions.push_back(id);
    return changes;
  };
  // A client that deletes a topic and makes it again expects an empty one: no time of grace.
  std::optional<estate::ResourceId> dropped = id;
  co_return co_await changes_.carry_out(std::move(by), std::move(change), false,
                                        std::move(dropped));
}

Task<Result<>> EstateTopicAdmin::edit(
    identity::PrincipalRef by, std::string name,
    std::function<Result<>(const estate::Resource* rules, TopicSpec& spec)> edit,
    bool validate_only) {
  CO_CHECK(allow(*by, identity::action::kStreamAlter, name));
  const auto id = stream_id(*by, std::move(name));
  ClientChanges::Change change =
      [this, id, edit](const estate::EstateView& view) -> Result<estate::ChangeSet> {
    TRY(const auto* stream, owned_by_clients(view, id));
    auto spec = spec_of(*stream);
    const auto* named = stream->spec().find("namespace");
    const auto* rules =
        named == nullptr ? nullptr : view.find(id.tenant, "Namespace", named->as_string());
    CHECK(edit(rules, spec));
    return changes_.put(document(id, stream->owner(), spec));
  };
  co_return co_await changes_.carry_out(std::move(by), std::move(change), validate_only);
}

Task<Result<>> EstateTopicAdmin::grow(identity::PrincipalRef by, std::string name,
                                      std::int32_t partitions, bool validate_only) {
  std::function<Result<>(const estate::Resource*, TopicSpec&)> put_partitions =
      [partitions](const estate::Resource*, TopicSpec& spec) -> Result<> {
    spec["partitions"] = std::to_string(partitions);
    return {};
  };
  return edit(std::move(by), std::move(name), std::move(put_partitions), validate_only);
}

Task<Result<>> EstateTopicAdmin::configure(
    identity::PrincipalRef by, std::string name,
    std::map<std::string, std::optional<std::string>> configs, bool validate_only) {
  std::function<Result<>(const estate::Resource*, TopicSpec&)> put_configs =
      [configs = std::move(configs)](const estate::Resource* rules, TopicSpec& spec) -> Result<> {
    for (const auto& [config, value] : configs) CHECK(put_config(config, value, spec));
    // Back to the default is back to that of its Namespace.
    const auto* usual = rules == nullptr ? nullptr : rules->spec().find("retention");
    if (usual != nullptr && !spec.contains("retention")) spec["retention"] = usual->raw();
    return {};
  };
  return edit(std::move(by), std::move(name), std::move(put_configs), validate_only);
}

}  // namespace weft::app
