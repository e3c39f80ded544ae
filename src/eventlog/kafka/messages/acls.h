// Access: DescribeAcls, CreateAcls, DeleteAcls, DescribeUserScramCredentials and
// AlterUserScramCredentials.
// Fields, versions and defaults are those of the message definitions of Apache Kafka 4.1 (Apache
// License 2.0); what no version of ours has is left out. See protocol/fields.h for how a
// description is read. check: table (exempt from the limits on size).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "eventlog/kafka/protocol/fields.h"

namespace weft::kafka {

struct DescribeAclsRequest {
  static constexpr ApiId kApi{29, "DescribeAcls", 1, 3, 2};
  std::int8_t resource_type_filter = 0;
  std::optional<std::string_view> resource_name_filter;
  std::int8_t pattern_type_filter = 3;
  std::optional<std::string_view> principal_filter;
  std::optional<std::string_view> host_filter;
  std::int8_t operation = 0;
  std::int8_t permission_type = 0;

  static void describe(auto& io, auto& m) {
    io.field("ResourceTypeFilter", m.resource_type_filter);
    io.field("ResourceNameFilter", m.resource_name_filter, since(0).nullable(0));
    io.field("PatternTypeFilter", m.pattern_type_filter, since(1));
    io.field("PrincipalFilter", m.principal_filter, since(0).nullable(0));
    io.field("HostFilter", m.host_filter, since(0).nullable(0));
    io.field("Operation", m.operation);
    io.field("PermissionType", m.permission_type);
  }
};

struct DescribeAclsResponse {
  struct DescribeAclsResource {
    struct AclDescription {
      std::string_view principal;
      std::string_view host;
      std::int8_t operation = 0;
      std::int8_t permission_type = 0;

      static void describe(auto& io, auto& m) {
        io.field("Principal", m.principal);
        io.field("Host", m.host);
        io.field("Operation", m.operation);
        io.field("PermissionType", m.permission_type);
      }
    };
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    std::int8_t pattern_type = 3;
    std::vector<AclDescription> acls;

    static void describe(auto& io, auto& m) {
      io.field("ResourceType", m.resource_type);
      io.field("ResourceName", m.resource_name);
      io.field("PatternType", m.pattern_type, since(1));
      io.field("Acls", m.acls);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::optional<std::string_view> error_message;
  std::vector<DescribeAclsResource> resources;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code);
    io.field("ErrorMessage", m.error_message, since(0).nullable(0));
    io.field("Resources", m.resources);
  }
};

struct CreateAclsRequest {
  static constexpr ApiId kApi{30, "CreateAcls", 1, 3, 2};
  struct AclCreation {
    std::int8_t resource_type = 0;
    std::string_view resource_name;
    std::int8_t resource_pattern_type = 3;
    std::string_view principal;
    std::string_view host;
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;

    static void describe(auto& io, auto& m) {
      io.field("ResourceType", m.resource_type);
      io.field("ResourceName", m.resource_name);
      io.field("ResourcePatternType", m.resource_pattern_type, since(1));
      io.field("Principal", m.principal);
      io.field("Host", m.host);
      io.field("Operation", m.operation);
      io.field("PermissionType", m.permission_type);
    }
  };
  std::vector<AclCreation> creations;

  static void describe(auto& io, auto& m) { io.field("Creations", m.creations); }
};

struct CreateAclsResponse {
  struct AclCreationResult {
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message;

    static void describe(auto& io, auto& m) {
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(0).nullable(0));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<AclCreationResult> results;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Results", m.results);
  }
};

struct DeleteAclsRequest {
  static constexpr ApiId kApi{31, "DeleteAcls", 1, 3, 2};
  struct DeleteAclsFilter {
    std::int8_t resource_type_filter = 0;
    std::optional<std::string_view> resource_name_filter;
    std::int8_t pattern_type_filter = 3;
    std::optional<std::string_view> principal_filter;
    std::optional<std::string_view> host_filter;
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;

    static void describe(auto& io, auto& m) {
      io.field("ResourceTypeFilter", m.resource_type_filter);
      io.field("ResourceNameFilter", m.resource_name_filter, since(0).nullable(0));
      io.field("PatternTypeFilter", m.pattern_type_filter, since(1));
      io.field("PrincipalFilter", m.principal_filter, since(0).nullable(0));
      io.field("HostFilter", m.host_filter, since(0).nullable(0));
      io.field("Operation", m.operation);
      io.field("PermissionType", m.permission_type);
    }
  };
  std::vector<DeleteAclsFilter> filters;

  static void describe(auto& io, auto& m) { io.field("Filters", m.filters); }
};

struct DeleteAclsResponse {
  struct DeleteAclsFilterResult {
    struct DeleteAclsMatchingAcl {
      std::int16_t error_code = 0;
      std::optional<std::string_view> error_message;
      std::int8_t resource_type = 0;
      std::string_view resource_name;
      std::int8_t pattern_type = 3;
      std::string_view principal;
      std::string_view host;
      std::int8_t operation = 0;
      std::int8_t permission_type = 0;

      static void describe(auto& io, auto& m) {
        io.field("ErrorCode", m.error_code);
        io.field("ErrorMessage", m.error_message, since(0).nullable(0));
        io.field("ResourceType", m.resource_type);
        io.field("ResourceName", m.resource_name);
        io.field("PatternType", m.pattern_type, since(1));
        io.field("Principal", m.principal);
        io.field("Host", m.host);
        io.field("Operation", m.operation);
        io.field("PermissionType", m.permission_type);
      }
    };
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message;
    std::vector<DeleteAclsMatchingAcl> matching_acls;

    static void describe(auto& io, auto& m) {
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(0).nullable(0));
      io.field("MatchingAcls", m.matching_acls);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<DeleteAclsFilterResult> filter_results;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("FilterResults", m.filter_results);
  }
};

struct DescribeUserScramCredentialsRequest {
  static constexpr ApiId kApi{50, "DescribeUserScramCredentials", 0, 0, 0};
  struct UserName {
    std::string_view name;

    static void describe(auto& io, auto& m) { io.field("Name", m.name); }
  };
  std::optional<std::vector<UserName>> users;

  static void describe(auto& io, auto& m) { io.field("Users", m.users, since(0).nullable(0)); }
};

struct DescribeUserScramCredentialsResponse {
  struct DescribeUserScramCredentialsResult {
    struct CredentialInfo {
      std::int8_t mechanism = 0;
      std::int32_t iterations = 0;

      static void describe(auto& io, auto& m) {
        io.field("Mechanism", m.mechanism);
        io.field("Iterations", m.iterations);
      }
    };
    std::string_view user;
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message;
    std::vector<CredentialInfo> credential_infos;

    static void describe(auto& io, auto& m) {
      io.field("User", m.user);
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(0).nullable(0));
      io.field("CredentialInfos", m.credential_infos);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::int16_t error_code = 0;
  std::optional<std::string_view> error_message;
  std::vector<DescribeUserScramCredentialsResult> results;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("ErrorCode", m.error_code);
    io.field("ErrorMessage", m.error_message, since(0).nullable(0));
    io.field("Results", m.results);
  }
};

struct AlterUserScramCredentialsRequest {
  static constexpr ApiId kApi{51, "AlterUserScramCredentials", 0, 0, 0};
  struct ScramCredentialDeletion {
    std::string_view name;
    std::int8_t mechanism = 0;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Mechanism", m.mechanism);
    }
  };
  struct ScramCredentialUpsertion {
    std::string_view name;
    std::int8_t mechanism = 0;
    std::int32_t iterations = 0;
    Bytes salt;
    Bytes salted_password;

    static void describe(auto& io, auto& m) {
      io.field("Name", m.name);
      io.field("Mechanism", m.mechanism);
      io.field("Iterations", m.iterations);
      io.field("Salt", m.salt);
      io.field("SaltedPassword", m.salted_password);
    }
  };
  std::vector<ScramCredentialDeletion> deletions;
  std::vector<ScramCredentialUpsertion> upsertions;

  static void describe(auto& io, auto& m) {
    io.field("Deletions", m.deletions);
    io.field("Upsertions", m.upsertions);
  }
};

struct AlterUserScramCredentialsResponse {
  struct AlterUserScramCredentialsResult {
    std::string_view user;
    std::int16_t error_code = 0;
    std::optional<std::string_view> error_message;

    static void describe(auto& io, auto& m) {
      io.field("User", m.user);
      io.field("ErrorCode", m.error_code);
      io.field("ErrorMessage", m.error_message, since(0).nullable(0));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<AlterUserScramCredentialsResult> results;

  static void describe(auto& io, auto& m) {
    io.field("ThrottleTimeMs", m.throttle_time_ms);
    io.field("Results", m.results);
  }
};

}  // namespace weft::kafka
