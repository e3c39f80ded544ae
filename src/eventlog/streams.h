// Streams as the estate declares them: owner, settings, contract. Every door that appends (gateway,
// Kafka, CloudEvents, admin API) finds a stream here and has its records checked by the same
// validator.
//
// StreamCatalogue compiles and publishes the declarations of a generation; reconcile() then creates
// and alters streams in the log and makes them visible to find(). Kinds: Schema and Stream,
// docs/streams.md. Any thread, but for compile() and publish() (the estate's) and reconcile() (one
// task at a time).
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "contracts/business_keys.h"
#include "contracts/json_schema.h"
#include "estate/compiler.h"
#include "estate/kind.h"
#include "eventlog/event_log.h"
#include "eventlog/types.h"
#include "runtime/task.h"

namespace weft::eventlog {

// What a Stream resource says, with its schema compiled. Immutable.
struct StreamDeclaration {
  StreamSettings settings;
  std::string owner;
  std::string description;
  ValidationPolicy validation = ValidationPolicy::None;
  std::string quarantine;     // the stream that takes broken records; empty: they are refused
  Duration ttl{};             // older records are given to nobody; zero: no limit
  Duration dedupe{};          // for how long a CloudEvents id is remembered; zero: not at all
  std::string quarantine_of;  // the stream whose broken records it takes; nobody else writes to it
  std::string schema_name;    // empty: opaque
  std::string schema_text;
  std::string schema_rules;  // JsonSchema::rules()
  std::optional<contracts::JsonSchema> schema;
  std::vector<contracts::BusinessKey> business_keys;  // that the schema marks

  // What is wrong with a record's value; empty when it may be stored. A value that is no JSON
  // breaks every schema.
  std::vector<contracts::Violation> violations(const Json& value, std::size_t max = 20) const;
  // With `keys` it also finds the business keys of a value that it could read, which costs no
  // second parse.
  std::vector<contracts::Violation> violations_of_text(
      std::string_view value, std::size_t max = 20,
      std::vector<contracts::FoundBusinessKey>* keys = nullptr) const;
  // Whether a value that keeps these rules needs no check.
  bool is_kept_by(std::string_view rules) const { return !rules.empty() && rules == schema_rules; }
  bool validates() const { return schema.has_value() && validation != ValidationPolicy::None; }
};

// A Schema resource, compiled once for all streams that name it.
struct CompiledSchema {
  std::string text;
  contracts::JsonSchema schema;
  std::string rules;
  std::vector<contracts::BusinessKey> business_keys;
};

// A declared stream that exists in the log. Immutable.
struct Stream {
  StreamInfo info;
  std::shared_ptr<const StreamDeclaration> declared;
};
using StreamRef = std::shared_ptr<const Stream>;

class StreamCatalogue final : public estate::Compiler {
 public:
  explicit StreamCatalogue(EventLog& log);

  std::string_view name() const override { return "streams"; }
  std::vector<std::string> kinds() const override { return {"Schema", "Stream"}; }
  std::uint64_t compilations() const override { return compilations_; }
  Result<std::shared_ptr<const void>> compile(const estate::EstateView& view) override;
  void publish(std::uint64_t generation, std::shared_ptr<const void> snapshot) override;

  // Brings the log to what was published last. The error names the first stream that could not be
  // made; the others are made all the same. Streams that are declared no more are retired: they
  // stay in the log, unseen, until remove_retired() finds that their time of grace is over.
  Task<Result<>> reconcile(WallTime now);
  // Deletes the stream at once, unless it is declared (again). Like reconcile(), one task at a
  // time.
  Task<Result<>> drop(std::string tenant, std::string name);
  // Deletes what was retired before `before` and is not declared. A stream that is declared again
  // in the moment of its removal is made anew by the next reconcile().
  Task<Result<>> remove_retired(WallTime before);

  // Null when no such stream is declared (or not made yet).
  StreamRef find(std::string_view tenant, std::string_view name) const;
  // How old a record of the stream may be to be given to anybody; zero: no limit.
  Duration ttl(StreamId stream) const;
  std::vector<StreamRef> of_tenant(std::string_view tenant) const;  // sorted by name
  std::vector<StreamRef> all() const;                               // sorted by tenant, name

 private:
  using Key = std::pair<std::string, std::string>;
  struct KeyLess {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return std::pair<std::string_view, std::string_view>(a.first, a.second) <
             std::pair<std::string_view, std::string_view>(b.first, b.second);
    }
  };
  using Declarations = std::map<Key, std::shared_ptr<const StreamDeclaration>, KeyLess>;
  using Streams = std::map<Key, StreamRef, KeyLess>;

  Task<Result<StreamInfo>> make_as_declared(const StreamDeclaration& declared);
  Task<Result<>> retire_undeclared(const Declarations& declared, WallTime now);

  EventLog& log_;
  Result<std::shared_ptr<const StreamDeclaration>> declare(const estate::Resource& resource,
                                                           const estate::Resource* schema);

  // By content hashes.
  std::map<std::string, std::shared_ptr<const StreamDeclaration>> compiled_;
  std::map<std::string, CompiledSchema> schemas_;
  std::atomic<std::uint64_t> compilations_{0};
  std::shared_ptr<const Declarations> reconciled_;  // null: not all of them could be made
  std::atomic<std::shared_ptr<const Declarations>> declared_;
  std::atomic<std::shared_ptr<const Streams>> streams_;
  std::atomic<std::shared_ptr<const std::map<StreamId, Duration>>> ttls_;  // that have one
};

// Schema, Namespace, Stream and Quota.
std::vector<estate::Kind> eventlog_kinds();

}  // namespace weft::eventlog
