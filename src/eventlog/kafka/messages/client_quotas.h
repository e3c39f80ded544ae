// Quotas of clients: DescribeClientQuotas, AlterClientQuotas (KIP-546).
// Fields, versions and defaults are those of the message definitions of Apache Kafka 4.1 (Apache
// License 2.0). See protocol/fields.h for how a description is read. check: table (exempt from the
// limits on size).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "eventlog/kafka/protocol/fields.h"

namespace weft::kafka {

// A user, a client id …; a null name is the default of its type.
struct QuotaEntityPart {
  std::string_view entity_type;
  std::optional<std::string_view> entity_name;

  static void describe(auto& io, auto& m) {
    io.field("EntityType", m.entity_type);
    io.field("EntityName", m.entity_name, since(0).nullable(0));
  }
};

struct DescribeClientQuotasRequest {
  static constexpr ApiId kApi{48, "DescribeClientQuotas", 0, 1, 1};
  struct Component {
    std::string_view entity_type;
    std::int8_t match_type = 0;  // 0: this name, 1: the default, 2: any
    std::optional<std::string_view> match;

    static void describe(auto& io, auto& m) {
      io.field("EntityType", m.entity_type);
      io.field("MatchType", m.match_type);
      io.field("Match", m.match, since(0).nullable(0));
    }
  };
  std::vector<Component> components;
  bool strict = false;

  static void describe(auto& io, auto& m) {
    io.field("Components", m.components);
    io.field("Strict", m.strict);
  }
};

struct DescribeClientQuotasResponse {
  struct Entry {
    struct Value {
      std::string_view key;
      double value = 0;

      static void describe(auto& io, auto& m) {
        io.field("Key", m.key);
        io.field("Value", m.value);
      }
    };
    std::vector<QuotaEntityPart> entity;
    std::vector<Value> values;

    static void describe(auto& io, auto& m) {
      io.field("Entity", m.entity);
      io.field("Values", m.values);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::optional<std::string_view> error_message;
  std::optional<std::vector<Entry>> entries;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code);
    io.field("ErrorMessage", m.error_message, since(0).nullable(0));
    io.field("Entries", m.entries, since(0).nullable(0));
  }
};

struct AlterClientQuotasRequest {
  static constexpr ApiId kApi{49, "AlterClientQuotas", 0, 1, 1};
  struct Entry {
    struct Op {
      std::string_view key;
      double value = 0;
      bool remove = false;

      static void describe(auto& io, auto& m) {
        io.field("Key", m.key);
        io.field("Value", m.value);
        io.field("Remove", m.remove);
      }
    };
    std::vector<QuotaEntityPart> entity;
    std::vector<Op> ops;

    static void describe(auto& io, auto& m) {
      io.field("Entity", m.entity);
      io.field("Ops", m.ops);
    }
  };
  std::vector<Entry> entries;
  bool validate_only = false;

  static void describe(auto& io, auto& m) {
    io.field("Entries", m.entries);
    io.field("ValidateOnly", m.validate_only);
  }
};

struct AlterClientQuotasResponse {
  struct Entry {
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message;
    std::vector<QuotaEntityPart> entity;

    static void describe(auto& io, auto& m) {
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(0).nullable(0));
      io.field("Entity", m.entity);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Entry> entries;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Entries", m.entries);
  }
};

}  // namespace weft::kafka
