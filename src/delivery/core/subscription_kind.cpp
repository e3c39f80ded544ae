#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/json_members.h"
#include "delivery/subscription.h"

namespace weft::delivery {

namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Subscription",
  "description": "Pushes the events of streams to an HTTP endpoint as signed webhooks.",
  "type": "object",
  "additionalProperties": false,
  "required": ["endpoint", "signing"],
  "oneOf": [{"required": ["stream"]}, {"required": ["streams"]}],
  "properties": {
    "stream": {"type": "string", "minLength": 1, "description": "The stream whose events are pushed."},
    "streams": {
      "type": "array", "minItems": 1, "maxItems": 100, "uniqueItems": true,
      "items": {"type": "string", "minLength": 1},
      "description": "Several streams instead of one."
    },
    "from": {
      "enum": ["latest", "earliest"], "default": "latest",
      "description": "Where a new subscription begins: with events that come from now on, or with the oldest kept."
    },
    "filter": {
      "type": "object", "additionalProperties": false,
      "description": "Only events that meet every condition are pushed.",
      "properties": {
        "types": {
          "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1},
          "description": "CloudEvents types, any of them."
        },
        "attributes": {
          "type": "object",
          "propertyNames": {"pattern": "^[a-z0-9]{1,64}$"},
          "additionalProperties": {
            "oneOf": [
              {"type": "string"},
              {"type": "array", "minItems": 1, "items": {"type": "string"}}
            ]
          },
          "description": "CloudEvents attributes and extensions by name; a value, or a list of which one must match."
        }
      }
    },
    "endpoint": {
      "type": "object", "additionalProperties": false, "required": ["url"],
      "properties": {
        "url": {"type": "string", "pattern": "^https?://", "description": "Where events are posted to."},
        "headers": {
          "type": "object", "maxProperties": 50,
          "propertyNames": {"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"},
          "additionalProperties": {"type": "string", "maxLength": 8192},
          "description": "Fields added to each request, e.g. Authorization: ${env:CRM_TOKEN}. Never shown."
        },
        "timeout": {"$ref": "#/$defs/duration", "default": "15s", "description": "For one attempt as a whole."}
      }
    },
    "signing": {
      "type": "object", "additionalProperties": false, "required": ["secrets"],
      "properties": {
        "secrets": {
          "type": "array", "minItems": 1, "maxItems": 5, "items": {"type": "string", "minLength": 1},
          "description": "References such as ${env:CRM_WEBHOOK_SECRET} to secrets whsec_<Base64>. All of them sign; put a new one first, remove the old one when the receiver has changed over."
        }
      }
    },
    "payload": {
      "enum": ["cloudevent", "data"], "default": "cloudevent",
      "description": "The body: the CloudEvent in JSON, or its data with the envelope in ce- header fields."
    },
    "retry": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "attemptsMax": {"type": "integer", "minimum": 1, "maximum": 100, "default": 16, "description": "Attempts before the event becomes a dead letter."},
        "maxAge": {"$ref": "#/$defs/duration", "default": "72h", "description": "An event that is older is not tried again."},
        "initialDelay": {"$ref": "#/$defs/duration", "default": "5s", "description": "Longest wait after the first failure; doubles each time."},
        "maxDelay": {"$ref": "#/$defs/duration", "default": "12h", "description": "Longest wait between two attempts."}
      }
    },
    "ordering": {
      "enum": ["none", "key", "partition"], "default": "none",
      "description": "Whether events wait for the one before them to be delivered or given up: those with the same record key, or all of a partition."
    },
    "concurrency": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 16, "description": "Attempts under way at the same time."},
    "onExpired": {"enum": ["drop", "deadLetter"], "default": "drop", "description": "What becomes of an event that is older than the ttl of its stream when its turn comes. One that expires while it is tried again is a dead letter always."},
    "paused": {"type": "boolean", "default": false, "description": "Keep events and send nothing."}
  },
  "$defs": {"duration": {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$"}}
})";

// Fields that Weft sets itself, or that would break the message's framing.
constexpr std::array kReservedFields = {
    "host",        "content-length", "content-type",      "connection",        "transfer-encoding",
    "traceparent", "webhook-id",     "webhook-timestamp", "webhook-signature", "user-agent"};

bool is_reserved(std::string_view field) {
  auto lower = lower_case(field);
  return lower.starts_with("ce-") ||
         std::ranges::find(kReservedFields, lower) != kReservedFields.end();
}

std::vector<estate::Reference> references(const Json& spec) {
  std::vector<estate::Reference> out;
  if (const auto* stream = spec.find("stream")) {
    out.push_back({"Stream", std::string(stream->as_string()), "/spec/stream"});
  }
  if (const auto* streams = spec.find("streams")) {
    for (const auto& stream : streams->elements()) {
      out.push_back(
          {"Stream", std::string(stream.as_string()), fmt::format("/spec/streams/{}", out.size())});
    }
  }
  return out;
}

void check_endpoint(const estate::Resource& resource, estate::Findings& findings) {
  const auto& endpoint = *resource.spec().find("endpoint");
  const auto& url = *endpoint.find("url");
  if (auto parsed = http::Url::parse(url.as_string()); !parsed) {
    findings.errors.push_back(resource.at(url, parsed.error().message));
  }
  if (const auto* headers = endpoint.find("headers")) {
    for (const auto& member : headers->members()) {
      if (!is_reserved(member.key())) continue;
      findings.errors.push_back(
          resource.at(member.value, fmt::format("{} is set by Weft; remove it", member.key())));
    }
  }
}

void check_durations(const estate::Resource& resource, estate::Findings& findings) {
  for (auto pointer :
       {"/endpoint/timeout", "/retry/maxAge", "/retry/initialDelay", "/retry/maxDelay"}) {
    const auto* value = resource.spec().at_pointer(pointer);
    if (value == nullptr) continue;
    auto duration = parse_duration(value->as_string());
    if (!duration) {
      findings.errors.push_back(resource.at(*value, duration.error().message));
    } else if (*duration <= Duration::zero()) {
      findings.errors.push_back(resource.at(*value, "must be longer than nothing"));
    }
  }
}

void check_secrets(const estate::Resource& resource, estate::Findings& findings) {
  for (const auto& secret : resource.spec().at_pointer("/signing/secrets")->elements()) {
    if (estate::is_secret_reference(secret.as_string())) continue;
    if (auto key = SigningKey::parse(secret.as_string()); !key) {
      findings.errors.push_back(resource.at(secret, key.error().message));
      continue;
    }
    findings.warnings.push_back(
        resource.at(secret, "the secret stands in the document; ${env:NAME} keeps it out"));
  }
}

void check(const estate::Resource& resource, const estate::EstateView&,
           estate::Findings& findings) {
  check_endpoint(resource, findings);
  check_durations(resource, findings);
  check_secrets(resource, findings);
}

Result<std::vector<SigningKey>> reveal_keys(const Json& secrets,
                                            const estate::SecretSource& source) {
  std::vector<SigningKey> keys;
  for (const auto& secret : secrets.elements()) {
    auto text = source.reveal(secret.as_string());
    if (!text) return std::unexpected(std::move(text).error().within("spec.signing.secrets"));
    auto key = SigningKey::parse(*text);
    if (!key) return std::unexpected(std::move(key).error().within("spec.signing.secrets"));
    keys.push_back(std::move(*key));
  }
  return keys;
}

Result<> read_endpoint(const Json& endpoint, const estate::SecretSource& source,
                       Subscription& out) {
  out.url_text = std::string(endpoint.find("url")->as_string());
  TRY(out.url, http::Url::parse(out.url_text));
  if (const auto* timeout = endpoint.find("timeout")) {
    TRY(out.timeout, parse_duration(timeout->as_string()));
  }
  const auto* headers = endpoint.find("headers");
  if (headers == nullptr) return {};
  for (const auto& member : headers->members()) {
    auto value = source.reveal(member.value.as_string());
    if (!value) return std::unexpected(std::move(value).error().within("spec.endpoint.headers"));
    bool is_printable =
        std::ranges::none_of(*value, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    if (!is_printable) {
      return fail(ErrorCode::InvalidArgument, "spec.endpoint.headers: {} holds a control character",
                  member.key());
    }
    out.headers.emplace_back(member.key(), std::move(*value));
  }
  return {};
}

Result<> read_retry(const Json& retry, RetryPolicy& out) {
  if (const auto* most = retry.find("attemptsMax")) {
    out.attempts_max = static_cast<std::uint32_t>(most->as_int64().value_or(out.attempts_max));
  }
  if (const auto* age = retry.find("maxAge")) {
    TRY(out.age_max, parse_duration(age->as_string()));
  }
  if (const auto* first = retry.find("initialDelay")) {
    TRY(out.initial_delay, parse_duration(first->as_string()));
  }
  if (const auto* longest = retry.find("maxDelay")) {
    TRY(out.delay_max, parse_duration(longest->as_string()));
  }
  return {};
}

Ordering parse_ordering(std::string_view word) {
  if (word == "key") return Ordering::Key;
  return word == "partition" ? Ordering::Partition : Ordering::None;
}

}  // namespace

estate::Kind subscription_kind() {
  return {.name = "Subscription",
          .summary = "Pushes the events of streams to an HTTP endpoint as signed webhooks",
          .schema = std::string(kSchema),
          .owner = estate::OwnerRule::Required,
          .references = references,
          .check = check,
          .secret_fields = {"/spec/signing/secrets/*", "/spec/endpoint/headers/*"}};
}

Result<Subscription> parse_subscription(const estate::Resource& resource,
                                        const estate::SecretSource& secrets) {
  const auto& spec = resource.spec();
  Subscription out;
  out.tenant = resource.tenant();
  out.name = resource.name();
  out.owner = resource.owner();
  for (auto& reference : references(spec)) out.streams.push_back(std::move(reference.name));
  if (const auto* from = spec.find("from"); from && from->as_string() == "earliest") {
    out.from = StartFrom::Earliest;
  }
  if (const auto* filter = spec.find("filter")) out.filter = Filter::parse(*filter);
  CHECK(read_endpoint(*spec.find("endpoint"), secrets, out));
  TRY(out.keys, reveal_keys(*spec.at_pointer("/signing/secrets"), secrets));
  if (const auto* payload = spec.find("payload"); payload && payload->as_string() == "data") {
    out.payload = PayloadMode::Data;
  }
  if (const auto* ordering = spec.find("ordering")) {
    out.ordering = parse_ordering(ordering->as_string());
  }
  if (const auto* retry = spec.find("retry")) CHECK(read_retry(*retry, out.retry));
  if (const auto* most = spec.find("concurrency")) {
    out.concurrency = static_cast<std::uint32_t>(most->as_int64().value_or(out.concurrency));
  }
  out.keeps_expired = text_of(spec, "onExpired") == "deadLetter";
  if (const auto* paused = spec.find("paused")) out.paused = paused->as_bool();
  return out;
}

}  // namespace weft::delivery
