// One document after another to resources: envelope, names, kind, references in strings,
// duplicates. Everything wrong is added to the findings. One thread at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estate/kind.h"
#include "estate/loader.h"
#include "estate/resource.h"

namespace weft::estate {

// The text of a file that a value refers to, by the path as written; the error says why not.
using FileTexts = std::function<Result<std::string>(const std::string& path)>;

// Whether a document means to be a resource: it has at least one member of an envelope.
bool looks_like_resource(const Json& root);

// The paths of all ${file:…} values of a document, as written.
std::vector<std::string> file_references(const Json& root);

class DocumentReader {
 public:
  DocumentReader(const KindSet& kinds, const Environment& environment, LoadedEstate& out)
      : kinds_(kinds), environment_(environment), out_(out) {}

  void read(const SourcePtr& document, const FileTexts& files);
  // A resource that was read before, as another document of this estate.
  void take(ResourcePtr resource);

 private:
  void error(Diagnostic diagnostic) { out_.findings.errors.push_back(std::move(diagnostic)); }

  const Kind* read_kind(const SourceDocument& document);
  void check_metadata(const SourceDocument& document, const Kind* kind);
  void check_members(const SourceDocument& document, const Json& object,
                     const std::vector<std::string>& known);
  void check_texts(const SourceDocument& document, const Json& metadata, std::string_view field);
  std::string canonical_text(const SourceDocument& document, const Kind& kind,
                             const FileTexts& files);
  std::optional<std::string> resolved(const SourceDocument& document, const Kind& kind,
                                      const FileTexts& files, const std::string& pointer,
                                      const Json& value);

  const KindSet& kinds_;
  const Environment& environment_;
  LoadedEstate& out_;
  std::map<ResourceId, ResourcePtr> seen_;
};

}  // namespace weft::estate
