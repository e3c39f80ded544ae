// OpenAPI 3.0 and 3.1 documents: their operations, each with a compiled check of requests.
//
//   TRY(auto api, OpenApiDocument::compile(document.root(), {.source = document.text()}));
//   for (const OpenApiOperation& operation : api.operations()) router.add(operation);
//   …
//   auto problems = operation.request.violations({captures, head.query, find_header, body_text,
//   body_json});
//
// Checked are path, query, header and cookie parameters (style and explode of primitives and
// arrays, values read as the schema's type) and JSON bodies. What cannot be checked is refused at
// compile: styles matrix, label and deepObject, objects as parameters. Bodies of other declared
// media types pass. Immutable; any thread. Source: https://spec.openapis.org/oas/v3.1.0 and v3.0.3.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "contracts/json_schema.h"
#include "contracts/path_template.h"

namespace weft::contracts {

// What is wrong with a request, and where.
struct RequestViolation {
  enum class Kind : std::uint8_t {
    Invalid,    // breaks its schema
    Missing,    // required and not there
    MediaType,  // a body of a type that the operation does not take (415)
    Malformed,  // not JSON, or not in the parameter's form
  };
  Kind kind = Kind::Invalid;
  std::string in;       // "path", "query", "header", "cookie" or "body"
  std::string name;     // of the parameter; empty for the body
  std::string pointer;  // within the value
  std::string schema;   // "#/components/schemas/Order/properties/total/minimum"
  std::string message;
};

// Finds a header field without regard to case. A lambda that captures one pointer costs no
// allocation.
using HeaderFinder = std::function<std::optional<std::string_view>(std::string_view name)>;

// A request as it came; everything is a view.
struct RequestParts {
  std::span<const std::string_view>
      captures{};            // of the path template, in its order, percent-encoded
  std::string_view query{};  // behind '?', without it
  HeaderFinder header{};
  std::string_view body{};
  const Json* json = nullptr;  // the body when the caller has parsed it already
};

class RequestValidator {
 public:
  // Empty when the request keeps the contract. At most `max`, parameters first.
  std::vector<RequestViolation> violations(const RequestParts& request, std::size_t max = 20) const;
  // What every body that is let through keeps: JsonSchema::rules() of its schema, so that one who
  // asks the same need not check again. Empty when bodies may differ in that.
  const std::string& body_rules() const;

  struct Parts;
  explicit RequestValidator(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

 private:
  std::shared_ptr<const Parts> parts_;
};

struct OpenApiOperation {
  std::string method;  // upper case
  PathTemplate path;
  std::string id;  // operationId; may be empty
  std::string summary;
  bool deprecated = false;
  std::vector<std::string>
      servers;          // URLs of the operation, else of its path, else of the document
  std::string pointer;  // of the operation in the document
  RequestValidator request;
  JsonDocument
      extensions;  // an object of the x- members: the operation's, its path's, the document's

  // The x- member of that name; null when there is none.
  const Json* extension(std::string_view name) const { return extensions.root().find(name); }
};

class OpenApiDocument {
 public:
  // Independent of the Json afterwards. In the options, `uri`, `documents`, `source`,
  // `assert_formats` and the limits count; the dialect follows from the document's version. The
  // error says pointer and line.
  static Result<OpenApiDocument> compile(const Json& root, const SchemaOptions& options = {});

  const std::string& title() const { return title_; }
  const std::string& version() const { return version_; }  // of the API
  std::span<const OpenApiOperation> operations() const { return operations_; }

 private:
  friend class OpenApiReader;
  std::string title_;
  std::string version_;
  std::vector<OpenApiOperation> operations_;
};

}  // namespace weft::contracts
