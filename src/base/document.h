// Configuration documents: YAML 1.2 (core schema) and JSON through one parser, every value with
// line, column and pointer. Duplicate keys, anchors that expand beyond a limit, tags, and merge
// keys are refused with a message that says where. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace weft {

// One thing wrong in a document, for a person to mend. Lines and columns count from 1; 0 is
// unknown.
struct Diagnostic {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string pointer;  // RFC 6901
  std::string message;

  std::string text() const;  // file:line:column: message (at pointer)
};

struct DocumentLimits {
  std::size_t bytes_max = 16 * 1024 * 1024;
  std::uint32_t depth_max = 100;
  std::uint32_t values_max = 1'000'000;  // after aliases are expanded
};

// A file, or one "---" part of it.
class SourceDocument {
 public:
  SourceDocument(std::string file, JsonDocument tree)
      : file_(std::move(file)), tree_(std::move(tree)) {}

  const std::string& file() const { return file_; }
  const Json& root() const { return tree_.root(); }
  // The whole file's text, into which offset() of each value points.
  std::string_view text() const { return tree_.text(); }

  // A diagnostic at the place of a value of this document.
  Diagnostic at(const Json& value, std::string message) const;

 private:
  std::string file_;
  JsonDocument tree_;
};

// Parses a file's text: JSON when the name ends in .json, else YAML. Empty parts are left out.
// The error holds file:line:column in its message.
Result<std::vector<SourceDocument>> parse_documents(std::string file, std::string text,
                                                    const DocumentLimits& limits = {});

}  // namespace weft
