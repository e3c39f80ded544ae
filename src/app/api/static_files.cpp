#include "app/api/static_files.h"

namespace weft::app {
namespace {

std::string media_type(std::string_view path) {
  struct Known {
    std::string_view ending;
    std::string_view type;
  };
  constexpr Known kTypes[] = {{".html", "text/html; charset=utf-8"},
                              {".js", "text/javascript; charset=utf-8"},
                              {".css", "text/css; charset=utf-8"},
                              {".svg", "image/svg+xml"},
                              {".json", "application/json"},
                              {".png", "image/png"},
                              {".ico", "image/x-icon"},
                              {".woff2", "font/woff2"},
                              {".txt", "text/plain; charset=utf-8"}};
  for (const auto& known : kTypes) {
    if (path.ends_with(known.ending)) return std::string(known.type);
  }
  return "application/octet-stream";
}

// Everything that a page may load comes from this origin; nobody may frame it.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

}  // namespace

Task<Result<>> StaticFiles::load_into(FileSystem& files, std::string folder, std::string prefix,
                                      Entries& out) {
  CO_TRY(auto names, co_await files.list(folder));
  for (const auto& name : names) {
    auto path = folder + "/" + name;
    auto nested = co_await files.list(path);
    if (nested) {
      CO_CHECK(co_await load_into(files, path, prefix + name + "/", out));
      continue;
    }
    CO_TRY(auto content, co_await read_file(files, path, kFileBytesMax));
    Entry entry;
    entry.content = std::move(content);
    entry.type = media_type(name);
    entry.immutable = prefix == "/assets/";
    out.emplace(prefix + name, std::move(entry));
  }
  co_return Result<>();
}

Task<Result<StaticFiles>> StaticFiles::load(FileSystem& files, std::string folder) {
  auto entries = std::make_shared<Entries>();
  if (!folder.empty() && co_await files.list(folder)) {
    CO_CHECK(co_await load_into(files, folder, "/", *entries));
  }
  StaticFiles loaded;
  loaded.files_ = std::move(entries);
  co_return loaded;
}

Task<Result<http::Response>> StaticFiles::serve(const http::RequestHead& head) const {
  if (head.method != "GET" && head.method != "HEAD") {
    co_return fail(ErrorCode::NotFound, "{} is no path of the admin API; it begins at /api/v1",
                   head.path);
  }
  if (empty()) {
    co_return http::Response(
        404, "text/plain; charset=utf-8",
        "The hub's files are not installed. Build them with ./dev build, or set "
        "hub.folder. The admin API is at /api/v1.\n");
  }
  auto it = files_->find(head.path);
  // Pages have names of things in their paths, such as /streams/orders.order.created.v1.
  auto is_page = !head.path.starts_with("/assets/") && !head.path.starts_with("/api/");
  if (it == files_->end() && is_page) it = files_->find("/index.html");
  if (it == files_->end()) co_return fail(ErrorCode::NotFound, "no file {}", head.path);
  http::Response response(200, it->second.type, it->second.content);
  response.add("Cache-Control",
               it->second.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.add("Content-Security-Policy", std::string(kContentSecurityPolicy));
  response.add("X-Content-Type-Options", "nosniff");
  response.add("Referrer-Policy", "no-referrer");
  co_return response;
}

}  // namespace weft::app
