// Connection messages: ApiVersions, SaslHandshake, SaslAuthenticate.
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

struct ApiVersionsRequest {
  static constexpr ApiId kApi{18, "ApiVersions", 0, 4, 3};
  std::string_view client_software_name;
  std::string_view client_software_version;

  static void describe(auto& io, auto& m) {
    io.field("ClientSoftwareName", m.client_software_name, since(3));
    io.field("ClientSoftwareVersion", m.client_software_version, since(3));
  }
};

struct ApiVersionsResponse {
  struct ApiVersion {
    std::int16_t api_key = 0;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;

    static void describe(auto& io, auto& m) {
      io.field("ApiKey", m.api_key);
      io.field("MinVersion", m.min_version);
      io.field("MaxVersion", m.max_version);
    }
  };
  struct SupportedFeatureKey {
    std::string_view name;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name, since(3));
      io.field("MinVersion", m.min_version, since(3));
      io.field("MaxVersion", m.max_version, since(3));
    }
  };
  struct FinalizedFeatureKey {
    std::string_view name;
    std::int16_t max_version_level = 0;
    std::int16_t min_version_level = 0;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name, since(3));
      io.field("MaxVersionLevel", m.max_version_level, since(3));
      io.field("MinVersionLevel", m.min_version_level, since(3));
    }
  };
  std::int16_t error_code = 0;
  std::vector<ApiVersion> api_keys;
  std::int32_t throttle_time_ms = 0;
  std::vector<SupportedFeatureKey> supported_features;
  std::int64_t finalized_features_epoch = -1;
  std::vector<FinalizedFeatureKey> finalized_features;

  static void describe(auto& io, auto& m) {
    io.field("ErrorCode", m.error_code);
    io.field("ApiKeys", m.api_keys);
    io.field("ThrottleTimeMs", m.throttle_time_ms, since(1));
    io.tagged(0, "SupportedFeatures", m.supported_features, since(3));
    io.tagged(1, "FinalizedFeaturesEpoch", m.finalized_features_epoch, since(3), std::int64_t(-1));
    io.tagged(2, "FinalizedFeatures", m.finalized_features, since(3));
  }
};

struct SaslHandshakeRequest {
  static constexpr ApiId kApi{17, "SaslHandshake", 0, 1, kNeverFlexible};
  std::string_view mechanism;

  static void describe(auto& io, auto& m) { io.field("Mechanism", m.mechanism); }
};

struct SaslHandshakeResponse {
  std::int16_t error_code = 0;
  std::vector<std::string_view> mechanisms;

  static void describe(auto& io, auto& m) {
    io.field("ErrorCode", m.error_code);
    io.field("Mechanisms", m.mechanisms);
  }
};

struct SaslAuthenticateRequest {
  static constexpr ApiId kApi{36, "SaslAuthenticate", 0, 2, 2};
  Bytes auth_bytes;

  static void describe(auto& io, auto& m) { io.field("AuthBytes", m.auth_bytes); }
};

struct SaslAuthenticateResponse {
  std::int16_t error_code = 0;
  std::optional<std::string_view> error_message = std::string_view();
  Bytes auth_bytes;
  std::int64_t session_lifetime_ms = 0;

  static void describe(auto& io, auto& m) {
    io.field("ErrorCode", m.error_code);
    io.field("ErrorMessage", m.error_message, since(0).nullable(0));
    io.field("AuthBytes", m.auth_bytes);
    io.field("SessionLifetimeMs", m.session_lifetime_ms, since(1));
  }
};

}  // namespace weft::kafka
