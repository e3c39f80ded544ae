// check: table
// Builtins that are written as jq, each compiled into the programs that call it.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "mapping/core/builtins.h"
#include "mapping/core/special_forms.h"

namespace weft::mapping {
namespace {

struct Definition {
  std::string_view name;
  int arity;
  std::string_view source;
};

constexpr Definition kDefinitions[] = {
    {"recurse", 2, "def recurse(f; c): recurse(f | select(c));"},
    {"paths", 0, "def paths: path(..) | select(. != []);"},
    {"paths", 1, "def paths(f): path(.. | select(f)) | select(. != []);"},
    {"leaf_paths", 0, "def leaf_paths: paths(scalars);"},
    {"del", 1, "def del(f): delpaths([path(f)]);"},
    {"pick", 1,
     "def pick(f): . as $whole | reduce path(f) as $p (null; setpath($p; $whole | getpath($p)));"},
    {"arrays", 0, "def arrays: select(type == \"array\");"},
    {"objects", 0, "def objects: select(type == \"object\");"},
    {"iterables", 0, "def iterables: select(type == (\"array\", \"object\"));"},
    {"booleans", 0, "def booleans: select(type == \"boolean\");"},
    {"numbers", 0, "def numbers: select(type == \"number\");"},
    {"strings", 0, "def strings: select(type == \"string\");"},
    {"nulls", 0, "def nulls: select(. == null);"},
    {"values", 0, "def values: select(. != null);"},
    {"scalars", 0, "def scalars: type as $t | select($t != \"array\" and $t != \"object\");"},
    {"normals", 0, "def normals: select(isnormal);"},
    {"finites", 0, "def finites: select(isfinite);"},
    {"isfinite", 0, "def isfinite: type == \"number\" and (isinfinite | not);"},
    {"isvalid", 1, "def isvalid(f): try (f | true) catch false;"},
    {"nth", 1, "def nth($n): .[$n];"},
    {"nth", 2,
     "def nth($n; f): if $n < 0 then error(\"nth doesn't support negative indices\")"
     " else first(skip($n; f)) end;"},
    {"first", 0, "def first: .[0];"},
    {"last", 0, "def last: .[-1];"},
    {"in", 1, "def in(f): . as $key | f | has($key);"},
    {"inside", 1, "def inside(f): . as $part | f | contains($part);"},
    {"add", 1, "def add(f): reduce f as $one (null; . + $one);"},
    {"any", 0, "def any: any(.[]; .);"},
    {"all", 0, "def all: all(.[]; .);"},
    {"any", 1, "def any(f): any(.[]; f);"},
    {"all", 1, "def all(f): all(.[]; f);"},
    {"IN", 1, "def IN(f): . as $wanted | any(f; . == $wanted);"},
    {"IN", 2, "def IN(f; g): any(f; IN(g));"},
    {"INDEX", 1, "def INDEX(f): INDEX(.[]; f);"},
    {"INDEX", 2, "def INDEX(rows; f): reduce rows as $row ({}; .[$row | f | tostring] = $row);"},
    {"JOIN", 2, "def JOIN($index; f): [.[] | [., $index[f]]];"},
    {"JOIN", 3, "def JOIN($index; rows; f): rows | [., $index[f]];"},
    {"JOIN", 4, "def JOIN($index; rows; f; joined): rows | [., $index[f]] | joined;"},
    {"ascii", 0, "def ascii: [.] | implode;"},
    {"walk", 1,
     "def walk(f): def inner: if type == \"object\" then map_values(inner)"
     " elif type == \"array\" then map(inner) else . end | f; inner;"},
    {"combinations", 0,
     "def combinations: if . == [] then [] else .[0][] as $head | .[1:] | [$head] + combinations "
     "end;"},
    {"combinations", 1, "def combinations(n): . as $set | [range(n) | $set] | combinations;"},
    {"match", 1,
     "def match($v): if $v | type == \"array\" then match($v[0]; $v[1]) else match($v; null) end;"},
    {"match", 2, "def match($re; $flags): _match($re; $flags; false) | .[];"},
    {"test", 1,
     "def test($v): if $v | type == \"array\" then test($v[0]; $v[1]) else test($v; null) end;"},
    {"test", 2, "def test($re; $flags): _match($re; $flags; true);"},
    {"capture", 1, "def capture($v): match($v) | _captures;"},
    {"capture", 2, "def capture($re; $flags): match($re; $flags) | _captures;"},
    {"scan", 1, "def scan($re): scan($re; null);"},
    {"scan", 2,
     "def scan($re; $flags): match($re; \"g\" + $flags)"
     " | if .captures == [] then .string else [.captures[].string] end;"},
    {"split", 2, "def split($re; $flags): [splits($re; $flags)];"},
    {"splits", 1, "def splits($re): splits($re; null);"},
    {"splits", 2, "def splits($re; $flags): _splits($re; \"g\" + $flags) | .[];"},
    {"sub", 2, "def sub($re; f): sub($re; f; \"\");"},
    {"sub", 3,
     "def sub($re; f; $flags): . as $text"
     " | _pieces($re; $flags) as $pieces | [$pieces[0][] | [.[0], (.[1] | f)]]"
     " | _glue($pieces[1]) | if . == [] then $text else .[] end;"},
    {"gsub", 2, "def gsub($re; f): sub($re; f; \"g\");"},
    {"gsub", 3, "def gsub($re; f; $flags): sub($re; f; $flags + \"g\");"},
    {"todate", 0, "def todate: strftime(\"%Y-%m-%dT%H:%M:%SZ\");"},
    {"fromdateiso8601", 0, "def fromdateiso8601: strptime(\"%Y-%m-%dT%H:%M:%SZ\") | mktime;"},
    {"todateiso8601", 0, "def todateiso8601: todate;"},
    {"fromdate", 0, "def fromdate: fromdateiso8601;"},
    {"date", 0, "def date: todate;"},
    {"dateadd", 2, "def dateadd(u; n): . + n;"},
    {"datesub", 2, "def datesub(u; n): . - n;"},
    {"tostream", 0,
     "def tostream: path(def inner: (.[]? | inner), .; inner) as $p | getpath($p)"
     " | reduce path(.[]?) as $last ([$p, .]; [$p + $last]);"},
    {"fromstream", 1,
     "def fromstream(f): foreach f as $event ({};"
     " if .done then {} else . end"
     " | if $event | length == 2 then setpath([\"value\"] + $event[0]; $event[1])"
     " | .done = ($event[0] == []) else .done = ($event[0] | length == 1) end;"
     " if .done then .value else empty end);"},
    {"truncate_stream", 1,
     "def truncate_stream(f): . as $depth | null | f | . as $event"
     " | if $event[0] | length > $depth then [$event[0][$depth:]] + $event[1:] else empty end;"},
    {"inputs", 0, "def inputs: input;"},
    {"debug", 1, "def debug(f): (f | debug | empty), .;"},
    {"halt_error", 0, "def halt_error: halt_error(5);"},
};

std::array<std::span<const NativeEntry>, 8> native_tables() {
  return {value_builtins(), text_builtins(), collection_builtins(), path_builtins(),
          math_builtins(),  date_builtins(), pattern_builtins(),    machine_builtins()};
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  const auto add = [&names](std::string_view name, int arity) {
    if (!name.starts_with('_')) names.push_back(fmt::format("{}/{}", name, arity));
  };
  for (const auto& table : native_tables())
    for (const NativeEntry& entry : table) add(entry.name, entry.arity);
  for (const Definition& one : kDefinitions) add(one.name, one.arity);
  for (const SpecialForm& form : special_forms()) add(form.name, form.arity);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

struct NativeOrder {
  bool operator()(const NativeEntry& a, const NativeEntry& b) const {
    return a.name != b.name ? a.name < b.name : a.arity < b.arity;
  }
};

std::vector<NativeEntry> all_natives() {
  std::vector<NativeEntry> all;
  for (const auto& table : native_tables()) all.insert(all.end(), table.begin(), table.end());
  std::sort(all.begin(), all.end(), NativeOrder{});
  return all;
}

}  // namespace

NativeFunction find_native(std::string_view name, int arity) {
  static const std::vector<NativeEntry> all = all_natives();
  const auto found =
      std::lower_bound(all.begin(), all.end(), NativeEntry{name, arity, nullptr}, NativeOrder{});
  return found != all.end() && found->name == name && found->arity == arity ? found->function
                                                                            : nullptr;
}

std::string_view find_definition(std::string_view name, int arity) {
  for (const Definition& one : kDefinitions)
    if (one.arity == arity && one.name == name) return one.source;
  return {};
}

std::span<const std::string> builtin_names() {
  static const std::vector<std::string> all = all_names();
  return all;
}

}  // namespace weft::mapping
