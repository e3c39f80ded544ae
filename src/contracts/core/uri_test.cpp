#include "contracts/core/uri.h"

#include <gtest/gtest.h>

namespace weft::contracts {
namespace {

TEST(Uri, ResolvesTheExamplesOfRfc3986) {
  const std::pair<const char*, const char*> examples[] = {{"g:h", "g:h"},
                                                          {"g", "http://a/b/c/g"},
                                                          {"./g", "http://a/b/c/g"},
                                                          {"g/", "http://a/b/c/g/"},
                                                          {"/g", "http://a/g"},
                                                          {"//g", "http://g"},
                                                          {"?y", "http://a/b/c/d;p?y"},
                                                          {"g?y", "http://a/b/c/g?y"},
                                                          {"#s", "http://a/b/c/d;p?q#s"},
                                                          {"g#s", "http://a/b/c/g#s"},
                                                          {";x", "http://a/b/c/;x"},
                                                          {"", "http://a/b/c/d;p?q"},
                                                          {".", "http://a/b/c/"},
                                                          {"..", "http://a/b/"},
                                                          {"../g", "http://a/b/g"},
                                                          {"../..", "http://a/"},
                                                          {"../../g", "http://a/g"},
                                                          {"../../../g", "http://a/g"},
                                                          {"/./g", "http://a/g"},
                                                          {"/../g", "http://a/g"},
                                                          {"g..", "http://a/b/c/g.."},
                                                          {"./../g", "http://a/b/g"},
                                                          {"g/./h", "http://a/b/c/g/h"},
                                                          {"g/../h", "http://a/b/c/h"}};

  for (const auto& [reference, expected] : examples)
    EXPECT_EQ(resolve_uri("http://a/b/c/d;p?q", reference), expected) << reference;
}

TEST(Uri, WorksWithoutABaseAndWithUrns) {
  EXPECT_EQ(resolve_uri("", "#/a"), "#/a");
  EXPECT_EQ(resolve_uri("", "item.json"), "item.json");
  EXPECT_EQ(resolve_uri("urn:uuid:deadbeef", "#x"), "urn:uuid:deadbeef#x");
}

TEST(Uri, DecodesFragments) {
  EXPECT_EQ(uri_fragment("x#/a%25b/%7B"), "/a%b/{");
  EXPECT_EQ(uri_fragment("x"), "");
  EXPECT_EQ(percent_decoded("%zz%4"), "%zz%4");
}

}  // namespace
}  // namespace weft::contracts
