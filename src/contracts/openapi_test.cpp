#include "contracts/openapi.h"

#include <gmock/gmock.h>

#include "base/document.h"

namespace weft::contracts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = RequestViolation::Kind;

constexpr const char* kOrders = R"(openapi: 3.1.0
info: {title: Orders, version: 1.2.0}
servers: [{url: https://api.example.com}]
x-weft-owner: shop
paths:
  /orders:
    x-weft-limit: 10
    get:
      operationId: listOrders
      parameters:
        - $ref: '#/components/parameters/Limit'
        - {name: status, in: query, schema: {type: array, items: {enum: [NEW, PAID]}}}
        - {name: ids, in: query, explode: false, schema: {type: array, items: {type: integer}, maxItems: 3}}
        - {name: express, in: query, schema: {type: boolean}}
        - {name: ref, in: query, schema: {type: [string, integer], minLength: 1}}
        - {name: filter, in: query, content: {application/json: {schema: {type: object, required: [a]}}}}
        - {name: X-Shop, in: header, required: true, schema: {type: string, pattern: '^[a-z]+$'}}
        - {name: session, in: cookie, schema: {type: string, minLength: 3}}
    post:
      operationId: createOrder
      summary: Place an order
      deprecated: true
      x-weft-stream: orders.order.created.v1
      x-weft-limit: 5
      servers: [{url: https://write.example.com}]
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/Order'}}
          application/*: {}
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}}
    delete: {}
components:
  parameters:
    Limit: {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
  schemas:
    Order:
      type: object
      required: [total]
      properties:
        total: {type: number, minimum: 0, multipleOf: 0.01}
        parent: {$ref: '#/components/schemas/Order'}
)";

class OpenApi : public testing::Test {
 protected:
  static Result<OpenApiDocument> compiled(const std::string& yaml) {
    const auto documents = parse_documents("api.yaml", yaml);
    EXPECT_TRUE(documents.has_value()) << documents.error().message;
    return OpenApiDocument::compile(documents->at(0).root(), {.source = documents->at(0).text()});
  }
  static std::string refusal(const std::string& yaml) {
    const auto api = compiled(yaml);
    return api ? "accepted" : api.error().message;
  }

  const OpenApiDocument api_ = *compiled(kOrders);
  const OpenApiOperation& list_ = api_.operations()[0];
  const OpenApiOperation& create_ = api_.operations()[1];
  const OpenApiOperation& delete_ = api_.operations()[2];

  // "in name pointer: message" of each violation.
  static std::vector<std::string> texts(const std::vector<RequestViolation>& found) {
    std::vector<std::string> out;
    for (const RequestViolation& v : found)
      out.push_back(fmt::format("{} {} {}: {}", v.in, v.name, v.pointer, v.message));
    return out;
  }
  static HeaderFinder headers(std::map<std::string, std::string, std::less<>> fields) {
    return [fields = std::move(fields)](std::string_view name) -> std::optional<std::string_view> {
      const auto found = fields.find(name);
      return found == fields.end() ? std::nullopt : std::optional<std::string_view>(found->second);
    };
  }
  std::vector<std::string> query(std::string_view text) const {
    return texts(
        list_.request.violations({.query = text, .header = headers({{"X-Shop", "berlin"}})}));
  }
  std::vector<RequestViolation> post(std::string_view body,
                                     std::string type = "application/json") const {
    return create_.request.violations({.header = headers({{"Content-Type", type}}), .body = body});
  }
};

TEST_F(OpenApi, ListsOperationsWithWhatRoutesNeed) {
  EXPECT_EQ(api_.title(), "Orders");
  EXPECT_EQ(api_.version(), "1.2.0");
  ASSERT_EQ(api_.operations().size(), 3u);
  EXPECT_EQ(list_.method, "GET");
  EXPECT_EQ(create_.id, "createOrder");
  EXPECT_EQ(create_.summary, "Place an order");
  EXPECT_TRUE(create_.deprecated);
  EXPECT_EQ(create_.pointer, "/paths/~1orders/post");
  EXPECT_THAT(create_.servers, ElementsAre("https://write.example.com"));
  EXPECT_THAT(delete_.servers, ElementsAre("https://api.example.com"));
  EXPECT_EQ(delete_.path.text(), "/orders/{id}");
}

TEST_F(OpenApi, InheritsExtensionsFromPathAndDocument) {
  EXPECT_EQ(create_.extension("x-weft-stream")->as_string(), "orders.order.created.v1");
  EXPECT_EQ(create_.extension("x-weft-limit")->number(), "5");
  EXPECT_EQ(list_.extension("x-weft-limit")->number(), "10");
  EXPECT_EQ(delete_.extension("x-weft-owner")->as_string(), "shop");
  EXPECT_EQ(delete_.extension("x-weft-limit"), nullptr);
}

TEST_F(OpenApi, TellsTheRulesThatEveryBodyKeeps) {
  auto rules_with = [](const std::string& content) {
    const auto api = compiled(
        "openapi: 3.1.0\ninfo: {title: T, version: 1.0.0}\n"
        "paths: {/a: {post: {requestBody: {content: {" +
        content + "}}}}}\n");
    EXPECT_TRUE(api.has_value()) << api.error().message;
    return api->operations()[0].request.body_rules();
  };
  auto plain = JsonSchema::compile(JsonDocument::parse(R"({"minimum": 1})")->root())->rules();

  EXPECT_EQ(rules_with("application/json: {schema: {minimum: 1, title: One}}"), plain);
  EXPECT_EQ(
      rules_with("application/json: {schema: {minimum: 1}}, a/b+json: {schema: {minimum: 1}}"),
      plain);
  EXPECT_EQ(
      rules_with("application/json: {schema: {minimum: 1}}, a/b+json: {schema: {minimum: 2}}"), "");
  EXPECT_EQ(
      rules_with("application/json: {schema: {minimum: 1}}, text/plain: {schema: {minimum: 1}}"),
      "");
  EXPECT_EQ(rules_with("application/json: {}"), "");
}

TEST_F(OpenApi, ReadsQueryValuesAsTheirSchemasType) {
  EXPECT_THAT(query(""), IsEmpty());
  EXPECT_THAT(query("limit=10&status=NEW&status=PAID&ids=1,2&express=true&unknown=x"), IsEmpty());
  EXPECT_THAT(query("ref=5"), IsEmpty());
  EXPECT_THAT(query("ref=a%20b"), IsEmpty());
  EXPECT_THAT(query("limit=0"), ElementsAre("query limit : must be at least 1"));
  EXPECT_THAT(query("limit=ten"), ElementsAre("query limit : must be an integer, is a text"));
  EXPECT_THAT(query("limit=1.5"), ElementsAre("query limit : must be an integer, is a number"));
  EXPECT_THAT(query("limit=1&limit=2"), ElementsAre("query limit : is given more than once"));
  EXPECT_THAT(query("express=yes"), ElementsAre("query express : must be a boolean, is a text"));
  EXPECT_THAT(query("status=NEW&status=OLD"),
              ElementsAre("query status /1: must be one of \"NEW\" or \"PAID\""));
  EXPECT_THAT(query("ids=1,x"), ElementsAre("query ids /1: must be an integer, is a text"));
  EXPECT_THAT(query("ids=1,2,3,4"), ElementsAre("query ids : must have at most 3 elements"));
  EXPECT_THAT(query("l%69mit=0"), ElementsAre("query limit : must be at least 1"));
}

TEST_F(OpenApi, ReadsJsonInParameters) {
  EXPECT_THAT(query("filter=%7B%22a%22:1%7D"), IsEmpty());
  EXPECT_THAT(query("filter=%7B%7D"), ElementsAre("query filter : the member 'a' is missing"));
  EXPECT_THAT(query("filter=%7B"), ElementsAre(HasSubstr("query filter : is not JSON: line 1")));
}

TEST_F(OpenApi, ChecksHeadersAndCookies) {
  const auto check = [&](std::map<std::string, std::string, std::less<>> fields) {
    return texts(list_.request.violations({.header = headers(std::move(fields))}));
  };
  EXPECT_THAT(check({}), ElementsAre("header X-Shop : is required and missing"));
  EXPECT_THAT(check({{"X-Shop", " Berlin "}}),
              ElementsAre("header X-Shop : must match the pattern ^[a-z]+$"));
  EXPECT_THAT(check({{"X-Shop", "a"}, {"Cookie", "other=1; session=ab"}}),
              ElementsAre("cookie session : must have at least 3 characters"));
  EXPECT_THAT(check({{"X-Shop", "a"}, {"Cookie", "session=abc"}}), IsEmpty());
}

TEST_F(OpenApi, ChecksPathCaptures) {
  const auto check = [&](std::string_view id) {
    const std::string_view captures[] = {id};
    return texts(delete_.request.violations({.captures = captures}));
  };
  EXPECT_THAT(check("12"), IsEmpty());
  EXPECT_THAT(check("%31"), IsEmpty());
  EXPECT_THAT(check("0"), ElementsAre("path id : must be at least 1"));
  EXPECT_THAT(check("x"), ElementsAre("path id : must be an integer, is a text"));
}

TEST_F(OpenApi, ChecksJsonBodies) {
  EXPECT_THAT(post(R"({"total": 19.99, "parent": {"total": 1}})"), IsEmpty());
  EXPECT_THAT(texts(post(R"({"total": 19.999, "parent": {}})")),
              ElementsAre("body  /total: must be a multiple of 0.01",
                          "body  /parent: the member 'total' is missing"));
  EXPECT_THAT(texts(post("{")), ElementsAre(HasSubstr("body  : is not JSON: line 1, column 2")));
  EXPECT_THAT(texts(post("")), ElementsAre("body  : is required and missing"));
  const auto found = post(R"({"total": -1})");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].schema, "#/components/schemas/Order/properties/total/minimum");
}

TEST_F(OpenApi, TakesABodyThatIsParsedAlready) {
  const auto body = JsonDocument::parse("{}");

  const auto found = create_.request.violations({.json = &body->root()});

  EXPECT_THAT(texts(found), ElementsAre("body  : the member 'total' is missing"));
}

TEST_F(OpenApi, ChoosesTheBodysSchemaByMediaType) {
  EXPECT_EQ(post("{}", "application/json; charset=utf-8").size(), 1u);
  EXPECT_EQ(post("{}", "Application/JSON").size(), 1u);
  EXPECT_THAT(post("{}", "application/merge-patch+json"), IsEmpty())
      << "application/* has no schema";
  EXPECT_THAT(post("x", "application/pdf"), IsEmpty());
  const auto found = post("x", "text/plain");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::MediaType);
  EXPECT_EQ(found[0].message,
            "the media type text/plain is not taken here, only application/json, application/*");
}

TEST_F(OpenApi, FollowsTheRulesOfVersion30) {
  const auto api = compiled(R"(openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /x:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                a: {type: string, nullable: true}
                b: {type: number, minimum: 0, exclusiveMinimum: true}
)");
  ASSERT_TRUE(api.has_value()) << api.error().message;
  const auto check = [&](std::string_view body) {
    return texts(api->operations()[0].request.violations({.body = body}));
  };

  EXPECT_THAT(check(R"({"a":null,"b":0.1})"), IsEmpty());
  EXPECT_THAT(check(R"({"b":0})"), ElementsAre("body  /b: must be more than 0"));
  EXPECT_THAT(check(""), IsEmpty()) << "the body is not required";
}

struct BadApi {
  const char* paths;
  const char* message;
};
class RefusedApi : public OpenApi, public testing::WithParamInterface<BadApi> {};

TEST_P(RefusedApi, SaysPointerLineAndReason) {
  EXPECT_THAT(refusal(std::string("openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n") +
                      GetParam().paths),
              HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Documents, RefusedApi,
    testing::Values(
        BadApi{
            "  orders: {}\n",
            "OpenAPI at #/paths/orders (line 4, column 11): the path 'orders' must start with '/'"},
        BadApi{"  /a/{x}: {get: {}}\n",
               "OpenAPI at #/paths/~1a~1{x}/get (line 4, column 17): the path has {x}, but no "
               "parameter"},
        BadApi{"  /a: {get: {parameters: [{name: x, in: path, required: true}]}}\n",
               "the path /a has no {x}"},
        BadApi{"  /a: {get: {parameters: [{name: x, in: body}]}}\n",
               "in must be path, query, header or cookie"},
        BadApi{"  /a: {get: {parameters: [{name: x, in: query, style: deepObject, schema: {}}]}}\n",
               "the style deepObject is not supported"},
        BadApi{"  /a: {get: {parameters: [{name: x, in: query, schema: {type: object}}]}}\n",
               "objects as parameters are not supported"},
        BadApi{"  /a: {get: {parameters: [{$ref: '#/nowhere'}]}}\n",
               "there is nothing at /nowhere"},
        BadApi{"  /a: {get: {parameters: [{$ref: 'other.yaml#/x'}]}}\n",
               "must refer to a place in this document"},
        BadApi{"  /a: {get: {operationId: o}}\n  /b: {get: {operationId: o}}\n",
               "the id 'o' is used twice"},
        BadApi{"  /a: {get: {parameters: [{name: x, in: query}, {name: x, in: query}]}}\n",
               "#/paths/~1a/get/parameters/1 (line 4, column 49): is there twice"},
        BadApi{
            "  /a: {post: {requestBody: {content: {application/json: {schema: {type: text}}}}}}\n",
            "schema at #/paths/~1a/post/requestBody/content/application~1json/schema/type (line 4, "
            "column 73): must be null, boolean"},
        BadApi{"  /a: {post: {requestBody: {content: {application/json: {schema: {$ref: "
               "'#/components/schemas/Gone'}}}}}}\n",
               "there is nothing at /components/schemas/Gone"}));

TEST_F(OpenApi, RefusesOtherVersionsAndAmbiguousPaths) {
  EXPECT_THAT(refusal("swagger: '2.0'\ninfo: {}\n"), HasSubstr("version 3.0.x or 3.1.x"));
  EXPECT_THAT(refusal("openapi: 3.1.0\ninfo: {}\npaths:\n"
                      "  /a/{x}: {}\n  /a/{y}: {get: {}}\n"),
              HasSubstr("no parameter describes it"));
  const std::string parameter = "parameters: [{name: N, in: path, required: true, schema: {}}]";
  std::string x = parameter;
  std::string y = parameter;
  x.replace(x.find('N'), 1, "x");
  y.replace(y.find('N'), 1, "y");
  EXPECT_THAT(refusal("openapi: 3.1.0\ninfo: {}\npaths:\n  /a/{x}: {" + x +
                      ", get: {}}\n  /a/{y}: {" + y + ", get: {}}\n"),
              HasSubstr("matches the same paths as /a/{x}"));
}

}  // namespace
}  // namespace weft::contracts
