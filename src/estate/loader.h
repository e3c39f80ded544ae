// From documents to resources: a folder of YAML and JSON files, or one text with many documents as
// the admin API receives it. Everything that is wrong is reported at once, each with file, line,
// column and pointer; resources are only good for use when there is no error.
//
// In string values below /spec and in owner, labels and annotations, ${env:NAME} and
// ${env:NAME:-default} become the variable's value (a string always), and a value that is
// ${file:path} as a whole becomes that file's text; $${env: stands for a literal ${env:. In the
// secret fields of a kind references stay as they are written (secret_source.h). Rules for folders:
// docs/estate.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "estate/kind.h"
#include "estate/resource.h"
#include "estate/secret_source.h"
#include "runtime/disk.h"

namespace weft::estate {

struct LoadLimits {
  std::size_t files_max = 10'000;
  std::size_t file_bytes_max = 16 * 1024 * 1024;
  std::uint32_t folder_depth_max = 16;
};

struct LoadedEstate {
  std::vector<ResourcePtr> resources;  // in order of files and documents
  Findings findings;

  bool ok() const { return findings.errors.empty(); }
  // All errors, one per line.
  std::string error_text() const;
};

// A file of an estate that is not on this machine's disk.
struct SourceText {
  SourceText(std::string relative_path, std::string content)
      : path(std::move(relative_path)), text(std::move(content)) {}
  std::string path;  // relative to the estate's folder, with forward slashes
  std::string text;
};

// The reader of documents: envelopes, names, kinds, duplicates. Specs, references and everything
// else that needs the rest of the estate are judged by planner.h.
class Loader {
 public:
  // Without an environment, ${env:…} is refused: what comes over the network must not read ours.
  explicit Loader(const KindSet& kinds, Environment environment = nullptr)
      : kinds_(kinds), environment_(std::move(environment)) {}

  // `name` stands in diagnostics; text is JSON when it ends in .json, else YAML with any number of
  // documents. Pure but for the environment.
  LoadedEstate load_text(std::string name, std::string text) const;

  // The files of a folder as the admin API receives them; the rules are load_folder's. What stands
  // at <tenant>/<kind>/<name>.json with the very text of that resource of `known` is that resource,
  // and is not parsed again.
  LoadedEstate load_texts(std::vector<SourceText> sources, const EstateView& known = {}) const;

  // All *.yaml, *.yml and *.json below the folder, sorted by path. The error is for a folder that
  // cannot be read at all.
  Task<Result<LoadedEstate>> load_folder(FileSystem& files, std::string folder,
                                         LoadLimits limits = {}) const;

 private:
  const KindSet& kinds_;
  Environment environment_;
};

// A resource as a document: canonical JSON that any loader, with an environment or without, reads
// back as the same resource. It differs from Resource::text() where a resolved value looks like a
// reference. Use it for what is sent to a node or shown for editing.
std::string document_text(const Resource& resource, const KindSet& kinds);

}  // namespace weft::estate
