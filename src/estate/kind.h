// A kind of resource, as a feature declares it. Kinds are registered by hand in one list in app.
//
//   Kind stream_kind() {
//     return {.name = "Stream",
//             .summary = "A durable, partitioned sequence of records",
//             .schema = kStreamSchema,
//             .owner = OwnerRule::Required,
//             .references = stream_references,
//             .check = check_stream,
//             .irreversible = {{"/spec/keyed", "records already stored keep the old order"}}};
//   }
//
// All functions are pure, called from any thread, and see canonical specs that have passed the
// schema. Places are JSON Pointers (RFC 6901) into the whole resource ("/spec/…"); in the lists a
// token "*" stands for any member or element.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/result.h"
#include "estate/resource.h"
#include "estate/view.h"

namespace weft::estate {

// What a resource needs to exist, in its own tenant.
struct Reference {
  std::string kind;
  std::string name;
  std::string pointer;  // where the reference is written
};

struct Findings {
  std::vector<Diagnostic> errors;    // the change set is refused
  std::vector<Diagnostic> warnings;  // shown by plan and apply
};

struct IrreversibleField {
  std::string pointer;  // pattern; a change at or below it after creation is refused
  std::string reason;   // completes "… cannot be changed: "
};

enum class OwnerRule : std::uint8_t { Optional, Required };

struct Kind {
  std::string name;
  std::string summary;
  std::string schema;  // of spec: JSON Schema 2020-12, JSON text
  OwnerRule owner = OwnerRule::Optional;

  // Each may be empty.
  std::function<std::vector<Reference>(const Json& spec)> references = {};
  // Semantics that a schema cannot say. Runs for what changed and for what refers to it.
  std::function<void(const Resource&, const EstateView& desired, Findings&)> check = {};
  // Whether one may become the other; `after` is null for a deletion, `before` is never null.
  std::function<void(const Resource& before, const Resource* after, const EstateView& desired,
                     Findings&)>
      check_change = {};

  std::vector<IrreversibleField> irreversible = {};
  std::vector<std::string> secret_fields = {};  // patterns; never shown in plans and audit
};

// The port to a JSON Schema engine: app plugs in the one of contracts.
struct SpecIssue {
  std::string pointer;  // into the spec: "" is the spec itself
  std::string message;
};
class SpecValidator {
 public:
  virtual ~SpecValidator() = default;
  // Any thread.
  virtual std::vector<SpecIssue> validate(const Json& spec) const = 0;
};
using SpecCompiler = std::function<Result<std::unique_ptr<SpecValidator>>(std::string_view schema)>;

// The kinds of this program. Immutable; any thread.
class KindSet {
 public:
  // Fails on a schema that does not compile, or a name given twice.
  static Result<KindSet> create(std::vector<Kind> kinds, const SpecCompiler& compiler);

  const Kind* find(std::string_view name) const;
  const SpecValidator& validator(const Kind& kind) const;
  std::vector<std::string> names() const;
  const std::vector<Kind>& kinds() const { return *kinds_; }

 private:
  std::shared_ptr<const std::vector<Kind>> kinds_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::vector<std::shared_ptr<const SpecValidator>> validators_;
};

}  // namespace weft::estate
