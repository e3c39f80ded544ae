// Kafka clients that make, change and delete topics: each request is a change set of the estate,
// admitted by a Namespace. What a Namespace admits: docs/streams.md.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "app/node/client_changes.h"
#include "eventlog/kafka/ports.h"

namespace weft::app {

// Members of a Stream's spec as JSON texts.
using TopicSpec = std::map<std::string, std::string, std::less<>>;

class EstateTopicAdmin final : public kafka::TopicAdmin {
 public:
  explicit EstateTopicAdmin(ClientChanges& changes) : changes_(changes) {}

  bool creates_unasked(const identity::Principal& by, std::string_view name) const override;
  // NotFound, AlreadyExists, PermissionDenied, FailedPrecondition (no Namespace admits it, another
  // manager declares it), InvalidArgument (a config's value).
  Task<Result<>> create(identity::PrincipalRef by, kafka::TopicRequest topic) override;
  Task<Result<>> remove(identity::PrincipalRef by, std::string name) override;
  Task<Result<>> grow(identity::PrincipalRef by, std::string name, std::int32_t partitions,
                      bool validate_only) override;
  Task<Result<>> configure(identity::PrincipalRef by, std::string name,
                           std::map<std::string, std::optional<std::string>> configs,
                           bool validate_only) override;

 private:
  // Changes the spec of a stream that clients declared.
  Task<Result<>> edit(identity::PrincipalRef by, std::string name,
                      std::function<Result<>(const estate::Resource* rules, TopicSpec& spec)> edit,
                      bool validate_only);

  ClientChanges& changes_;
};

}  // namespace weft::app
