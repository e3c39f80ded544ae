// Topic configuration: DescribeConfigs, AlterConfigs, IncrementalAlterConfigs.
// Fields, versions and defaults are those of the message definitions of Apache Kafka 4.1 (Apache
// License 2.0); what no version of ours has is left out. See protocol/fields.h for how a
// description is read. check: table (exempt from the limits on size).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "eventlog/kafka/protocol/fields.h"

namespace weft::kafka {

struct DescribeConfigsRequest {
  static constexpr ApiId kApi{32, "DescribeConfigs", 1, 4, 4};
  struct DescribeConfigsResource {
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    std::optional<std::vector<std::string_view>> configuration_keys =
        std::vector<std::string_view>();

    static void describe(auto& io, auto& m) {
      io.field("ResourceType", m.resource_type);
      io.field("ResourceName", m.resource_name);
      io.field("ConfigurationKeys", m.configuration_keys, since(1).nullable(1));
    }
  };
  std::vector<DescribeConfigsResource> resources;
  bool include_synonyms = false;
  bool include_documentation = false;

  static void describe(auto& io, auto& m) {
    io.field("Resources", m.resources);
    io.field("IncludeSynonyms", m.include_synonyms);
    io.field("IncludeDocumentation", m.include_documentation, since(3));
  }
};

struct DescribeConfigsResponse {
  struct DescribeConfigsResult {
    struct DescribeConfigsResourceResult {
      struct DescribeConfigsSynonym {
        std::string_view name;
        std::optional<std::string_view> value = std::string_view();
        std::int8_t source = 0;

        static void describe(auto& io, auto& m) {
          io.field("Name", m.name);
          io.field("Value", m.value, since(1).nullable(1));
          io.field("Source", m.source);
        }
      };
      std::string_view name;
      std::optional<std::string_view> value = std::string_view();
      bool read_only = false;
      std::int8_t config_source = -1;
      bool is_sensitive = false;
      std::vector<DescribeConfigsSynonym> synonyms;
      std::int8_t config_type = 0;
      std::optional<std::string_view> documentation = std::string_view();

      static void describe(auto& io, auto& m) {
        io.field("Name", m.name);
        io.field("Value", m.value, since(1).nullable(1));
        io.field("ReadOnly", m.read_only);
        io.field("ConfigSource", m.config_source);
        io.field("IsSensitive", m.is_sensitive);
        io.field("Synonyms", m.synonyms);
        io.field("ConfigType", m.config_type, since(3));
        io.field("Documentation", m.documentation, since(3).nullable(3));
      }
    };
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message = std::string_view();
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    std::vector<DescribeConfigsResourceResult> configs;

    static void describe(auto& io, auto& m) {
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(1).nullable(1));
      io.field("ResourceType", m.resource_type);
      io.field("ResourceName", m.resource_name);
      io.field("Configs", m.configs);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<DescribeConfigsResult> results;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Results", m.results);
  }
};

struct IncrementalAlterConfigsRequest {
  static constexpr ApiId kApi{44, "IncrementalAlterConfigs", 0, 1, 1};
  struct AlterConfigsResource {
    struct AlterableConfig {
      std::string_view name;
      std::int8_t config_operation = 0;
      std::optional<std::string_view> value = std::string_view();

      static void describe(auto& io, auto& m) {
        io.field("Name", m.name);
        io.field("ConfigOperation", m.config_operation);
        io.field("Value", m.value, since(0).nullable(0));
      }
    };
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    std::vector<AlterableConfig> configs;

    static void describe(auto& io, auto& m) {
      io.field("ResourceType", m.resource_type);
      io.field("ResourceName", m.resource_name);
      io.field("Configs", m.configs);
    }
  };
  std::vector<AlterConfigsResource> resources;
  bool validate_only = false;

  static void describe(auto& io, auto& m) {
    io.field("Resources", m.resources);
    io.field("ValidateOnly", m.validate_only);
  }
};

struct IncrementalAlterConfigsResponse {
  struct AlterConfigsResourceResponse {
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message = std::string_view();
    std::int8_t resource_type = 0;
    std::string_view resource_name;

    static void describe(auto& io, auto& m) {
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(0).nullable(0));
      io.field("ResourceType", m.resource_type);
      io.field("ResourceName", m.resource_name);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<AlterConfigsResourceResponse> responses;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Responses", m.responses);
  }
};

struct AlterConfigsRequest {
  static constexpr ApiId kApi{33, "AlterConfigs", 0, 2, 2};
  struct AlterConfigsResource {
    struct AlterableConfig {
      std::string_view name;
      std::optional<std::string_view> value = std::string_view();

      static void describe(auto& io, auto& m) {
        io.field("Name", m.name);
        io.field("Value", m.value, since(0).nullable(0));
      }
    };
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    std::vector<AlterableConfig> configs;

    static void describe(auto& io, auto& m) {
      io.field("ResourceType", m.resource_type);
      io.field("ResourceName", m.resource_name);
      io.field("Configs", m.configs);
    }
  };
  std::vector<AlterConfigsResource> resources;
  bool validate_only = false;

  static void describe(auto& io, auto& m) {
    io.field("Resources", m.resources);
    io.field("ValidateOnly", m.validate_only);
  }
};

struct AlterConfigsResponse {
  struct AlterConfigsResourceResponse {
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message = std::string_view();
    std::int8_t resource_type = 0;
    std::string_view resource_name;

    static void describe(auto& io, auto& m) {
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(0).nullable(0));
      io.field("ResourceType", m.resource_type);
      io.field("ResourceName", m.resource_name);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<AlterConfigsResourceResponse> responses;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Responses", m.responses);
  }
};

}  // namespace weft::kafka
