#include "estate/loader.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "estate/core/document_reader.h"

namespace weft::estate {

namespace {

constexpr std::string_view kServerFile = "weft.yaml";

// A file below the folder, with what was read of it.
struct FolderFile {
  std::string path;  // relative to the folder
  std::vector<SourcePtr> documents;
  std::optional<Diagnostic> error;  // it could not be read or parsed
  ResourcePtr known;                // instead of documents
};

bool is_document_name(std::string_view name) {
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

std::string joined(const std::string& folder, const std::string& path) {
  return folder.empty() ? path : folder + "/" + path;
}

Diagnostic whole_file(std::string file, std::string message) {
  return {std::move(file), 0, 0, "", std::move(message)};
}

void parse_into(FolderFile& file, const std::string& shown_name, std::string text) {
  auto parsed = parse_documents(shown_name, std::move(text));
  if (!parsed) {
    file.error = whole_file("", parsed.error().message);
    return;
  }
  for (auto& document : *parsed) {
    file.documents.push_back(std::make_shared<const SourceDocument>(std::move(document)));
  }
}

// What is said of a name that is no document when it cannot be listed: that it is no folder (or a
// link to nothing). Any other reason may hide documents, and what is hidden would be pruned.
bool is_no_folder(const Error& error) {
  return error.code == ErrorCode::FailedPrecondition || error.code == ErrorCode::NotFound;
}

// The paths of all documents below `names` of the folder `relative`, in order; other files are
// passed over.
Task<Result<>> find_documents(FileSystem& files, std::string folder, std::string relative,
                              std::vector<std::string> names, std::uint32_t depth_left,
                              std::vector<std::string>& found) {
  std::ranges::sort(names);
  for (auto& name : names) {
    auto path = joined(relative, name);
    if (name.starts_with('.') || path == kServerFile) continue;
    if (is_document_name(name)) {
      found.push_back(path);
      continue;
    }
    auto full_path = joined(folder, path);
    auto inner = co_await files.list(std::move(full_path));
    if (!inner && is_no_folder(inner.error())) continue;
    if (!inner) co_return Failure(std::move(inner).error());
    if (depth_left == 0) {
      co_return fail(ErrorCode::ResourceExhausted, "{}/{} is nested too deeply", folder, path);
    }
    CO_CHECK(
        co_await find_documents(files, folder, path, *std::move(inner), depth_left - 1, found));
  }
  co_return Result<>();
}

// The file that a document of `document_path` means by `written`, relative to the folder; absent
// when that is outside.
std::optional<std::string> resolve_path(const std::string& document_path,
                                        const std::string& written) {
  std::filesystem::path path(written);
  if (path.is_absolute() || written.empty()) return {};
  auto normal = (std::filesystem::path(document_path).parent_path() / path).lexically_normal();
  if (normal.empty() || *normal.begin() == "..") return {};
  return normal.string();
}

// The resource at <tenant>/<kind>/<name>.json when it has this very text. A text with references
// may become another one, and is always read.
ResourcePtr find_known(const EstateView& known, const SourceText& source) {
  std::string_view path = source.path;
  auto first = path.find('/');
  auto second = path.find('/', first + 1);
  if (first == path.npos || second == path.npos || !path.ends_with(".json")) return nullptr;
  const auto* entry = known.find_entry(
      {std::string(path.substr(0, first)), std::string(path.substr(first + 1, second - first - 1)),
       std::string(path.substr(second + 1, path.size() - second - 6))});
  if (entry == nullptr || entry->resource->text() != source.text) return nullptr;
  return source.text.find("${") == std::string::npos ? entry->resource : nullptr;
}

using Texts = std::map<std::string, Result<std::string>>;

FileTexts texts_for(const std::string& document_path, const Texts& texts) {
  return [&document_path, &texts](const std::string& written) -> Result<std::string> {
    auto path = resolve_path(document_path, written);
    if (!path) {
      return fail(ErrorCode::InvalidArgument, "{} is outside the estate's folder", written);
    }
    return texts.at(*path);
  };
}

std::set<std::string> referenced_paths(const std::vector<FolderFile>& folder) {
  std::set<std::string> paths;
  for (const auto& file : folder) {
    for (const auto& document : file.documents) {
      if (!looks_like_resource(document->root())) continue;
      for (const auto& written : file_references(document->root())) {
        if (auto path = resolve_path(file.path, written)) paths.insert(*std::move(path));
      }
    }
  }
  return paths;
}

LoadedEstate read_all(const KindSet& kinds, const Environment& environment,
                      std::vector<FolderFile>& files, const Texts& texts) {
  LoadedEstate loaded;
  DocumentReader reader(kinds, environment, loaded);
  for (auto& file : files) {
    bool is_part = texts.contains(file.path);
    if (file.error && !is_part) loaded.findings.errors.push_back(*std::move(file.error));
    if (file.known && !is_part) reader.take(file.known);
    auto texts_here = texts_for(file.path, texts);
    for (const auto& document : file.documents) {
      if (is_part && !looks_like_resource(document->root())) continue;
      reader.read(document, texts_here);
    }
  }
  return loaded;
}

}  // namespace

std::string LoadedEstate::error_text() const {
  std::string text;
  for (const auto& error : findings.errors) {
    if (!text.empty()) text += '\n';
    text += error.text();
  }
  return text;
}

LoadedEstate Loader::load_text(std::string name, std::string text) const {
  LoadedEstate loaded;
  FolderFile file{name, {}, {}, {}};
  parse_into(file, name, std::move(text));
  if (file.error) loaded.findings.errors.push_back(*std::move(file.error));
  DocumentReader reader(kinds_, environment_, loaded);
  FileTexts no_files = [](const std::string& path) -> Result<std::string> {
    return fail(ErrorCode::InvalidArgument, "${{file:{}}}: files may not be named here", path);
  };
  for (const auto& document : file.documents) reader.read(document, no_files);
  return loaded;
}

LoadedEstate Loader::load_texts(std::vector<SourceText> sources, const EstateView& known) const {
  std::map<std::string, std::string> by_path;
  std::vector<FolderFile> read;
  for (auto& source : sources) {
    if (is_document_name(source.path) && source.path != kServerFile) {
      FolderFile file{source.path, {}, {}, find_known(known, source)};
      if (!file.known) parse_into(file, source.path, source.text);
      read.push_back(std::move(file));
    }
    by_path.emplace(std::move(source.path), std::move(source.text));
  }
  Texts texts;
  for (const auto& path : referenced_paths(read)) {
    auto found = by_path.find(path);
    if (found != by_path.end()) {
      texts.emplace(path, found->second);
    } else {
      texts.emplace(path, fail(ErrorCode::NotFound, "{} is not among the files", path));
    }
  }
  return read_all(kinds_, environment_, read, texts);
}

Task<Result<LoadedEstate>> Loader::load_folder(FileSystem& files, std::string folder,
                                               LoadLimits limits) const {
  std::vector<std::string> paths;
  CO_TRY(auto names, co_await files.list(folder));
  std::string top;
  CO_CHECK(co_await find_documents(files, folder, std::move(top), std::move(names),
                                   limits.folder_depth_max, paths));
  if (paths.size() > limits.files_max) {
    co_return fail(ErrorCode::ResourceExhausted, "{}: {} documents are more than the limit of {}",
                   folder, paths.size(), limits.files_max);
  }
  std::vector<FolderFile> read;
  for (auto& path : paths) {
    FolderFile file{path, {}, {}, {}};
    auto shown_name = joined(folder, path);
    auto text = co_await read_file(files, shown_name, limits.file_bytes_max);
    if (text) {
      parse_into(file, shown_name, *std::move(text));
    } else {
      file.error = whole_file(shown_name, text.error().message);
    }
    read.push_back(std::move(file));
  }
  auto referenced = referenced_paths(read);
  Texts texts;
  for (const auto& path : referenced) {
    auto full_path = joined(folder, path);
    auto text = co_await read_file(files, full_path, limits.file_bytes_max);
    texts.emplace(path, std::move(text));
  }
  co_return read_all(kinds_, environment_, read, texts);
}

}  // namespace weft::estate
