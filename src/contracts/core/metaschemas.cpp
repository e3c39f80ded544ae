// Generated: the published meta-schemas of the dialects, as JSON text without white space.
// Source: https://json-schema.org/ (Copyright JSON Schema authors, revised BSD licence).
// clang-format off
#include "contracts/core/metaschemas.h"

namespace weft::contracts {
namespace {

constexpr std::string_view kText0 =
    R"~({"id":"http://json-schema.org/draft-04/schema#","$schema":"http://json-schema.org/draft-04/schema#",)~"
    R"~("description":"Core schema meta-schema","definitions":{"schemaArray":{"type":"array","minItems":1,)~"
    R"~("items":{"$ref":"#"}},"positiveInteger":{"type":"integer","minimum":0},)~"
    R"~("positiveIntegerDefault0":{"allOf":[{"$ref":"#/definitions/positiveInteger"},{"default":0}]},)~"
    R"~("simpleTypes":{"enum":["array","boolean","integer","null","number","object","string"]},)~"
    R"~("stringArray":{"type":"array","items":{"type":"string"},"minItems":1,"uniqueItems":true}},"type":"object",)~"
    R"~("properties":{"id":{"type":"string","format":"uri"},"$schema":{"type":"string","format":"uri"},)~"
    R"~("title":{"type":"string"},"description":{"type":"string"},"default":{},"multipleOf":{"type":"number",)~"
    R"~("minimum":0,"exclusiveMinimum":true},"maximum":{"type":"number"},"exclusiveMaximum":{"type":"boolean",)~"
    R"~("default":false},"minimum":{"type":"number"},"exclusiveMinimum":{"type":"boolean","default":false},)~"
    R"~("maxLength":{"$ref":"#/definitions/positiveInteger"},)~"
    R"~("minLength":{"$ref":"#/definitions/positiveIntegerDefault0"},"pattern":{"type":"string","format":"regex"},)~"
    R"~("additionalItems":{"anyOf":[{"type":"boolean"},{"$ref":"#"}],"default":{}},"items":{"anyOf":[{"$ref":"#"},)~"
    R"~({"$ref":"#/definitions/schemaArray"}],"default":{}},"maxItems":{"$ref":"#/definitions/positiveInteger"},)~"
    R"~("minItems":{"$ref":"#/definitions/positiveIntegerDefault0"},"uniqueItems":{"type":"boolean","default":false},)~"
    R"~("maxProperties":{"$ref":"#/definitions/positiveInteger"},)~"
    R"~("minProperties":{"$ref":"#/definitions/positiveIntegerDefault0"},)~"
    R"~("required":{"$ref":"#/definitions/stringArray"},"additionalProperties":{"anyOf":[{"type":"boolean"},)~"
    R"~({"$ref":"#"}],"default":{}},"definitions":{"type":"object","additionalProperties":{"$ref":"#"},"default":{}},)~"
    R"~("properties":{"type":"object","additionalProperties":{"$ref":"#"},"default":{}},)~"
    R"~("patternProperties":{"type":"object","additionalProperties":{"$ref":"#"},"default":{}},)~"
    R"~("dependencies":{"type":"object","additionalProperties":{"anyOf":[{"$ref":"#"},)~"
    R"~({"$ref":"#/definitions/stringArray"}]}},"enum":{"type":"array","minItems":1,"uniqueItems":true},)~"
    R"~("type":{"anyOf":[{"$ref":"#/definitions/simpleTypes"},{"type":"array",)~"
    R"~("items":{"$ref":"#/definitions/simpleTypes"},"minItems":1,"uniqueItems":true}]},)~"
    R"~("allOf":{"$ref":"#/definitions/schemaArray"},"anyOf":{"$ref":"#/definitions/schemaArray"},)~"
    R"~("oneOf":{"$ref":"#/definitions/schemaArray"},"not":{"$ref":"#"}},)~"
    R"~("dependencies":{"exclusiveMaximum":["maximum"],"exclusiveMinimum":["minimum"]},"default":{}})~";

constexpr std::string_view kText1 =
    R"~({"$schema":"http://json-schema.org/draft-06/schema#","$id":"http://json-schema.org/draft-06/schema#",)~"
    R"~("title":"Core schema meta-schema","definitions":{"schemaArray":{"type":"array","minItems":1,)~"
    R"~("items":{"$ref":"#"}},"nonNegativeInteger":{"type":"integer","minimum":0},)~"
    R"~("nonNegativeIntegerDefault0":{"allOf":[{"$ref":"#/definitions/nonNegativeInteger"},{"default":0}]},)~"
    R"~("simpleTypes":{"enum":["array","boolean","integer","null","number","object","string"]},)~"
    R"~("stringArray":{"type":"array","items":{"type":"string"},"uniqueItems":true,"default":[]}},"type":["object",)~"
    R"~("boolean"],"properties":{"$id":{"type":"string","format":"uri-reference"},"$schema":{"type":"string",)~"
    R"~("format":"uri"},"$ref":{"type":"string","format":"uri-reference"},"title":{"type":"string"},)~"
    R"~("description":{"type":"string"},"default":{},"examples":{"type":"array","items":{}},)~"
    R"~("multipleOf":{"type":"number","exclusiveMinimum":0},"maximum":{"type":"number"},)~"
    R"~("exclusiveMaximum":{"type":"number"},"minimum":{"type":"number"},"exclusiveMinimum":{"type":"number"},)~"
    R"~("maxLength":{"$ref":"#/definitions/nonNegativeInteger"},)~"
    R"~("minLength":{"$ref":"#/definitions/nonNegativeIntegerDefault0"},"pattern":{"type":"string","format":"regex"},)~"
    R"~("additionalItems":{"$ref":"#"},"items":{"anyOf":[{"$ref":"#"},{"$ref":"#/definitions/schemaArray"}],)~"
    R"~("default":{}},"maxItems":{"$ref":"#/definitions/nonNegativeInteger"},)~"
    R"~("minItems":{"$ref":"#/definitions/nonNegativeIntegerDefault0"},"uniqueItems":{"type":"boolean",)~"
    R"~("default":false},"contains":{"$ref":"#"},"maxProperties":{"$ref":"#/definitions/nonNegativeInteger"},)~"
    R"~("minProperties":{"$ref":"#/definitions/nonNegativeIntegerDefault0"},)~"
    R"~("required":{"$ref":"#/definitions/stringArray"},"additionalProperties":{"$ref":"#"},)~"
    R"~("definitions":{"type":"object","additionalProperties":{"$ref":"#"},"default":{}},)~"
    R"~("properties":{"type":"object","additionalProperties":{"$ref":"#"},"default":{}},)~"
    R"~("patternProperties":{"type":"object","additionalProperties":{"$ref":"#"},"default":{}},)~"
    R"~("dependencies":{"type":"object","additionalProperties":{"anyOf":[{"$ref":"#"},)~"
    R"~({"$ref":"#/definitions/stringArray"}]}},"propertyNames":{"$ref":"#"},"const":{},"enum":{"type":"array",)~"
    R"~("minItems":1,"uniqueItems":true},"type":{"anyOf":[{"$ref":"#/definitions/simpleTypes"},{"type":"array",)~"
    R"~("items":{"$ref":"#/definitions/simpleTypes"},"minItems":1,"uniqueItems":true}]},"format":{"type":"string"},)~"
    R"~("allOf":{"$ref":"#/definitions/schemaArray"},"anyOf":{"$ref":"#/definitions/schemaArray"},)~"
    R"~("oneOf":{"$ref":"#/definitions/schemaArray"},"not":{"$ref":"#"}},"default":{}})~";

constexpr std::string_view kText2 =
    R"~({"$schema":"http://json-schema.org/draft-07/schema#","$id":"http://json-schema.org/draft-07/schema#",)~"
    R"~("title":"Core schema meta-schema","definitions":{"schemaArray":{"type":"array","minItems":1,)~"
    R"~("items":{"$ref":"#"}},"nonNegativeInteger":{"type":"integer","minimum":0},)~"
    R"~("nonNegativeIntegerDefault0":{"allOf":[{"$ref":"#/definitions/nonNegativeInteger"},{"default":0}]},)~"
    R"~("simpleTypes":{"enum":["array","boolean","integer","null","number","object","string"]},)~"
    R"~("stringArray":{"type":"array","items":{"type":"string"},"uniqueItems":true,"default":[]}},"type":["object",)~"
    R"~("boolean"],"properties":{"$id":{"type":"string","format":"uri-reference"},"$schema":{"type":"string",)~"
    R"~("format":"uri"},"$ref":{"type":"string","format":"uri-reference"},"$comment":{"type":"string"},)~"
    R"~("title":{"type":"string"},"description":{"type":"string"},"default":true,"readOnly":{"type":"boolean",)~"
    R"~("default":false},"examples":{"type":"array","items":true},"multipleOf":{"type":"number","exclusiveMinimum":0},)~"
    R"~("maximum":{"type":"number"},"exclusiveMaximum":{"type":"number"},"minimum":{"type":"number"},)~"
    R"~("exclusiveMinimum":{"type":"number"},"maxLength":{"$ref":"#/definitions/nonNegativeInteger"},)~"
    R"~("minLength":{"$ref":"#/definitions/nonNegativeIntegerDefault0"},"pattern":{"type":"string","format":"regex"},)~"
    R"~("additionalItems":{"$ref":"#"},"items":{"anyOf":[{"$ref":"#"},{"$ref":"#/definitions/schemaArray"}],)~"
    R"~("default":true},"maxItems":{"$ref":"#/definitions/nonNegativeInteger"},)~"
    R"~("minItems":{"$ref":"#/definitions/nonNegativeIntegerDefault0"},"uniqueItems":{"type":"boolean",)~"
    R"~("default":false},"contains":{"$ref":"#"},"maxProperties":{"$ref":"#/definitions/nonNegativeInteger"},)~"
    R"~("minProperties":{"$ref":"#/definitions/nonNegativeIntegerDefault0"},)~"
    R"~("required":{"$ref":"#/definitions/stringArray"},"additionalProperties":{"$ref":"#"},)~"
    R"~("definitions":{"type":"object","additionalProperties":{"$ref":"#"},"default":{}},)~"
    R"~("properties":{"type":"object","additionalProperties":{"$ref":"#"},"default":{}},)~"
    R"~("patternProperties":{"type":"object","additionalProperties":{"$ref":"#"},"propertyNames":{"format":"regex"},)~"
    R"~("default":{}},"dependencies":{"type":"object","additionalProperties":{"anyOf":[{"$ref":"#"},)~"
    R"~({"$ref":"#/definitions/stringArray"}]}},"propertyNames":{"$ref":"#"},"const":true,"enum":{"type":"array",)~"
    R"~("items":true,"minItems":1,"uniqueItems":true},"type":{"anyOf":[{"$ref":"#/definitions/simpleTypes"},)~"
    R"~({"type":"array","items":{"$ref":"#/definitions/simpleTypes"},"minItems":1,"uniqueItems":true}]},)~"
    R"~("format":{"type":"string"},"contentMediaType":{"type":"string"},"contentEncoding":{"type":"string"},)~"
    R"~("if":{"$ref":"#"},"then":{"$ref":"#"},"else":{"$ref":"#"},"allOf":{"$ref":"#/definitions/schemaArray"},)~"
    R"~("anyOf":{"$ref":"#/definitions/schemaArray"},"oneOf":{"$ref":"#/definitions/schemaArray"},"not":{"$ref":"#"}},)~"
    R"~("default":true})~";

constexpr std::string_view kText3 =
    R"~({"$schema":"https://json-schema.org/draft/2019-09/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2019-09/meta/core",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2019-09/vocab/core":true},"$recursiveAnchor":true,)~"
    R"~("title":"Core vocabulary meta-schema","type":["object","boolean"],"properties":{"$id":{"type":"string",)~"
    R"~("format":"uri-reference","$comment":"Non-empty fragments not allowed.","pattern":"^[^#]*#?$"},)~"
    R"~("$schema":{"type":"string","format":"uri"},"$anchor":{"type":"string","pattern":"^[A-Za-z][-A-Za-z0-9.:_]*$"},)~"
    R"~("$ref":{"type":"string","format":"uri-reference"},"$recursiveRef":{"type":"string","format":"uri-reference"},)~"
    R"~("$recursiveAnchor":{"type":"boolean","default":false},"$vocabulary":{"type":"object",)~"
    R"~("propertyNames":{"type":"string","format":"uri"},"additionalProperties":{"type":"boolean"}},)~"
    R"~("$comment":{"type":"string"},"$defs":{"type":"object","additionalProperties":{"$recursiveRef":"#"},)~"
    R"~("default":{}}}})~";

constexpr std::string_view kText4 =
    R"~({"$schema":"https://json-schema.org/draft/2019-09/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2019-09/meta/applicator",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2019-09/vocab/applicator":true},"$recursiveAnchor":true,)~"
    R"~("title":"Applicator vocabulary meta-schema","type":["object","boolean"],)~"
    R"~("properties":{"additionalItems":{"$recursiveRef":"#"},"unevaluatedItems":{"$recursiveRef":"#"},)~"
    R"~("items":{"anyOf":[{"$recursiveRef":"#"},{"$ref":"#/$defs/schemaArray"}]},"contains":{"$recursiveRef":"#"},)~"
    R"~("additionalProperties":{"$recursiveRef":"#"},"unevaluatedProperties":{"$recursiveRef":"#"},)~"
    R"~("properties":{"type":"object","additionalProperties":{"$recursiveRef":"#"},"default":{}},)~"
    R"~("patternProperties":{"type":"object","additionalProperties":{"$recursiveRef":"#"},)~"
    R"~("propertyNames":{"format":"regex"},"default":{}},"dependentSchemas":{"type":"object",)~"
    R"~("additionalProperties":{"$recursiveRef":"#"}},"propertyNames":{"$recursiveRef":"#"},)~"
    R"~("if":{"$recursiveRef":"#"},"then":{"$recursiveRef":"#"},"else":{"$recursiveRef":"#"},)~"
    R"~("allOf":{"$ref":"#/$defs/schemaArray"},"anyOf":{"$ref":"#/$defs/schemaArray"},)~"
    R"~("oneOf":{"$ref":"#/$defs/schemaArray"},"not":{"$recursiveRef":"#"}},"$defs":{"schemaArray":{"type":"array",)~"
    R"~("minItems":1,"items":{"$recursiveRef":"#"}}}})~";

constexpr std::string_view kText5 =
    R"~({"$schema":"https://json-schema.org/draft/2019-09/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2019-09/meta/validation",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2019-09/vocab/validation":true},"$recursiveAnchor":true,)~"
    R"~("title":"Validation vocabulary meta-schema","type":["object","boolean"],)~"
    R"~("properties":{"multipleOf":{"type":"number","exclusiveMinimum":0},"maximum":{"type":"number"},)~"
    R"~("exclusiveMaximum":{"type":"number"},"minimum":{"type":"number"},"exclusiveMinimum":{"type":"number"},)~"
    R"~("maxLength":{"$ref":"#/$defs/nonNegativeInteger"},"minLength":{"$ref":"#/$defs/nonNegativeIntegerDefault0"},)~"
    R"~("pattern":{"type":"string","format":"regex"},"maxItems":{"$ref":"#/$defs/nonNegativeInteger"},)~"
    R"~("minItems":{"$ref":"#/$defs/nonNegativeIntegerDefault0"},"uniqueItems":{"type":"boolean","default":false},)~"
    R"~("maxContains":{"$ref":"#/$defs/nonNegativeInteger"},"minContains":{"$ref":"#/$defs/nonNegativeInteger",)~"
    R"~("default":1},"maxProperties":{"$ref":"#/$defs/nonNegativeInteger"},)~"
    R"~("minProperties":{"$ref":"#/$defs/nonNegativeIntegerDefault0"},"required":{"$ref":"#/$defs/stringArray"},)~"
    R"~("dependentRequired":{"type":"object","additionalProperties":{"$ref":"#/$defs/stringArray"}},"const":true,)~"
    R"~("enum":{"type":"array","items":true},"type":{"anyOf":[{"$ref":"#/$defs/simpleTypes"},{"type":"array",)~"
    R"~("items":{"$ref":"#/$defs/simpleTypes"},"minItems":1,"uniqueItems":true}]}},)~"
    R"~("$defs":{"nonNegativeInteger":{"type":"integer","minimum":0},)~"
    R"~("nonNegativeIntegerDefault0":{"$ref":"#/$defs/nonNegativeInteger","default":0},"simpleTypes":{"enum":["array",)~"
    R"~("boolean","integer","null","number","object","string"]},"stringArray":{"type":"array",)~"
    R"~("items":{"type":"string"},"uniqueItems":true,"default":[]}}})~";

constexpr std::string_view kText6 =
    R"~({"$schema":"https://json-schema.org/draft/2019-09/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2019-09/meta/meta-data",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2019-09/vocab/meta-data":true},"$recursiveAnchor":true,)~"
    R"~("title":"Meta-data vocabulary meta-schema","type":["object","boolean"],)~"
    R"~("properties":{"title":{"type":"string"},"description":{"type":"string"},"default":true,)~"
    R"~("deprecated":{"type":"boolean","default":false},"readOnly":{"type":"boolean","default":false},)~"
    R"~("writeOnly":{"type":"boolean","default":false},"examples":{"type":"array","items":true}}})~";

constexpr std::string_view kText7 =
    R"~({"$schema":"https://json-schema.org/draft/2019-09/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2019-09/meta/format",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2019-09/vocab/format":true},"$recursiveAnchor":true,)~"
    R"~("title":"Format vocabulary meta-schema","type":["object","boolean"],"properties":{"format":{"type":"string"}}})~";

constexpr std::string_view kText8 =
    R"~({"$schema":"https://json-schema.org/draft/2019-09/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2019-09/meta/content",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2019-09/vocab/content":true},"$recursiveAnchor":true,)~"
    R"~("title":"Content vocabulary meta-schema","type":["object","boolean"],)~"
    R"~("properties":{"contentMediaType":{"type":"string"},"contentEncoding":{"type":"string"},)~"
    R"~("contentSchema":{"$recursiveRef":"#"}}})~";

constexpr std::string_view kText9 =
    R"~({"$schema":"https://json-schema.org/draft/2019-09/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2019-09/schema",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2019-09/vocab/core":true,)~"
    R"~("https://json-schema.org/draft/2019-09/vocab/applicator":true,)~"
    R"~("https://json-schema.org/draft/2019-09/vocab/validation":true,)~"
    R"~("https://json-schema.org/draft/2019-09/vocab/meta-data":true,)~"
    R"~("https://json-schema.org/draft/2019-09/vocab/format":false,)~"
    R"~("https://json-schema.org/draft/2019-09/vocab/content":true},"$recursiveAnchor":true,)~"
    R"~("title":"Core and Validation specifications meta-schema","allOf":[{"$ref":"meta/core"},)~"
    R"~({"$ref":"meta/applicator"},{"$ref":"meta/validation"},{"$ref":"meta/meta-data"},{"$ref":"meta/format"},)~"
    R"~({"$ref":"meta/content"}],"type":["object","boolean"],)~"
    R"~("properties":{"definitions":{"$comment":"While no longer an official keyword as it is replaced by $defs,)~"
    R"~( this keyword is retained in the meta-schema to prevent incompatible extensions as it remains in common use.",)~"
    R"~("type":"object","additionalProperties":{"$recursiveRef":"#"},"default":{}},)~"
    R"~("dependencies":{"$comment":"\"dependencies\" is no longer a keyword,)~"
    R"~( but schema authors should avoid redefining it to facilitate a smooth transition to \"dependentSchemas\" and \"dependentRequired\"",)~"
    R"~("type":"object","additionalProperties":{"anyOf":[{"$recursiveRef":"#"},)~"
    R"~({"$ref":"meta/validation#/$defs/stringArray"}]}}}})~";

constexpr std::string_view kText10 =
    R"~({"$schema":"https://json-schema.org/draft/2020-12/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2020-12/meta/core",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true},"$dynamicAnchor":"meta",)~"
    R"~("title":"Core vocabulary meta-schema","type":["object","boolean"],)~"
    R"~("properties":{"$id":{"$ref":"#/$defs/uriReferenceString","$comment":"Non-empty fragments not allowed.",)~"
    R"~("pattern":"^[^#]*#?$"},"$schema":{"$ref":"#/$defs/uriString"},"$ref":{"$ref":"#/$defs/uriReferenceString"},)~"
    R"~("$anchor":{"$ref":"#/$defs/anchorString"},"$dynamicRef":{"$ref":"#/$defs/uriReferenceString"},)~"
    R"~("$dynamicAnchor":{"$ref":"#/$defs/anchorString"},"$vocabulary":{"type":"object",)~"
    R"~("propertyNames":{"$ref":"#/$defs/uriString"},"additionalProperties":{"type":"boolean"}},)~"
    R"~("$comment":{"type":"string"},"$defs":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"}}},)~"
    R"~("$defs":{"anchorString":{"type":"string","pattern":"^[A-Za-z_][-A-Za-z0-9._]*$"},"uriString":{"type":"string",)~"
    R"~("format":"uri"},"uriReferenceString":{"type":"string","format":"uri-reference"}}})~";

constexpr std::string_view kText11 =
    R"~({"$schema":"https://json-schema.org/draft/2020-12/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2020-12/meta/applicator",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/applicator":true},"$dynamicAnchor":"meta",)~"
    R"~("title":"Applicator vocabulary meta-schema","type":["object","boolean"],)~"
    R"~("properties":{"prefixItems":{"$ref":"#/$defs/schemaArray"},"items":{"$dynamicRef":"#meta"},)~"
    R"~("contains":{"$dynamicRef":"#meta"},"additionalProperties":{"$dynamicRef":"#meta"},)~"
    R"~("properties":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"},"default":{}},)~"
    R"~("patternProperties":{"type":"object","additionalProperties":{"$dynamicRef":"#meta"},)~"
    R"~("propertyNames":{"format":"regex"},"default":{}},"dependentSchemas":{"type":"object",)~"
    R"~("additionalProperties":{"$dynamicRef":"#meta"},"default":{}},"propertyNames":{"$dynamicRef":"#meta"},)~"
    R"~("if":{"$dynamicRef":"#meta"},"then":{"$dynamicRef":"#meta"},"else":{"$dynamicRef":"#meta"},)~"
    R"~("allOf":{"$ref":"#/$defs/schemaArray"},"anyOf":{"$ref":"#/$defs/schemaArray"},)~"
    R"~("oneOf":{"$ref":"#/$defs/schemaArray"},"not":{"$dynamicRef":"#meta"}},"$defs":{"schemaArray":{"type":"array",)~"
    R"~("minItems":1,"items":{"$dynamicRef":"#meta"}}}})~";

constexpr std::string_view kText12 =
    R"~({"$schema":"https://json-schema.org/draft/2020-12/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2020-12/meta/unevaluated",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/unevaluated":true},"$dynamicAnchor":"meta",)~"
    R"~("title":"Unevaluated applicator vocabulary meta-schema","type":["object","boolean"],)~"
    R"~("properties":{"unevaluatedItems":{"$dynamicRef":"#meta"},"unevaluatedProperties":{"$dynamicRef":"#meta"}}})~";

constexpr std::string_view kText13 =
    R"~({"$schema":"https://json-schema.org/draft/2020-12/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2020-12/meta/validation",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/validation":true},"$dynamicAnchor":"meta",)~"
    R"~("title":"Validation vocabulary meta-schema","type":["object","boolean"],)~"
    R"~("properties":{"type":{"anyOf":[{"$ref":"#/$defs/simpleTypes"},{"type":"array",)~"
    R"~("items":{"$ref":"#/$defs/simpleTypes"},"minItems":1,"uniqueItems":true}]},"const":true,"enum":{"type":"array",)~"
    R"~("items":true},"multipleOf":{"type":"number","exclusiveMinimum":0},"maximum":{"type":"number"},)~"
    R"~("exclusiveMaximum":{"type":"number"},"minimum":{"type":"number"},"exclusiveMinimum":{"type":"number"},)~"
    R"~("maxLength":{"$ref":"#/$defs/nonNegativeInteger"},"minLength":{"$ref":"#/$defs/nonNegativeIntegerDefault0"},)~"
    R"~("pattern":{"type":"string","format":"regex"},"maxItems":{"$ref":"#/$defs/nonNegativeInteger"},)~"
    R"~("minItems":{"$ref":"#/$defs/nonNegativeIntegerDefault0"},"uniqueItems":{"type":"boolean","default":false},)~"
    R"~("maxContains":{"$ref":"#/$defs/nonNegativeInteger"},"minContains":{"$ref":"#/$defs/nonNegativeInteger",)~"
    R"~("default":1},"maxProperties":{"$ref":"#/$defs/nonNegativeInteger"},)~"
    R"~("minProperties":{"$ref":"#/$defs/nonNegativeIntegerDefault0"},"required":{"$ref":"#/$defs/stringArray"},)~"
    R"~("dependentRequired":{"type":"object","additionalProperties":{"$ref":"#/$defs/stringArray"}}},)~"
    R"~("$defs":{"nonNegativeInteger":{"type":"integer","minimum":0},)~"
    R"~("nonNegativeIntegerDefault0":{"$ref":"#/$defs/nonNegativeInteger","default":0},"simpleTypes":{"enum":["array",)~"
    R"~("boolean","integer","null","number","object","string"]},"stringArray":{"type":"array",)~"
    R"~("items":{"type":"string"},"uniqueItems":true,"default":[]}}})~";

constexpr std::string_view kText14 =
    R"~({"$schema":"https://json-schema.org/draft/2020-12/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2020-12/meta/meta-data",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/meta-data":true},"$dynamicAnchor":"meta",)~"
    R"~("title":"Meta-data vocabulary meta-schema","type":["object","boolean"],)~"
    R"~("properties":{"title":{"type":"string"},"description":{"type":"string"},"default":true,)~"
    R"~("deprecated":{"type":"boolean","default":false},"readOnly":{"type":"boolean","default":false},)~"
    R"~("writeOnly":{"type":"boolean","default":false},"examples":{"type":"array","items":true}}})~";

constexpr std::string_view kText15 =
    R"~({"$schema":"https://json-schema.org/draft/2020-12/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2020-12/meta/format-annotation",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/format-annotation":true},"$dynamicAnchor":"meta",)~"
    R"~("title":"Format vocabulary meta-schema for annotation results","type":["object","boolean"],)~"
    R"~("properties":{"format":{"type":"string"}}})~";

constexpr std::string_view kText16 =
    R"~({"$schema":"https://json-schema.org/draft/2020-12/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2020-12/meta/content",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/content":true},"$dynamicAnchor":"meta",)~"
    R"~("title":"Content vocabulary meta-schema","type":["object","boolean"],)~"
    R"~("properties":{"contentEncoding":{"type":"string"},"contentMediaType":{"type":"string"},)~"
    R"~("contentSchema":{"$dynamicRef":"#meta"}}})~";

constexpr std::string_view kText17 =
    R"~({"$schema":"https://json-schema.org/draft/2020-12/schema",)~"
    R"~("$id":"https://json-schema.org/draft/2020-12/schema",)~"
    R"~("$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true,)~"
    R"~("https://json-schema.org/draft/2020-12/vocab/applicator":true,)~"
    R"~("https://json-schema.org/draft/2020-12/vocab/unevaluated":true,)~"
    R"~("https://json-schema.org/draft/2020-12/vocab/validation":true,)~"
    R"~("https://json-schema.org/draft/2020-12/vocab/meta-data":true,)~"
    R"~("https://json-schema.org/draft/2020-12/vocab/format-annotation":true,)~"
    R"~("https://json-schema.org/draft/2020-12/vocab/content":true},"$dynamicAnchor":"meta",)~"
    R"~("title":"Core and Validation specifications meta-schema","allOf":[{"$ref":"meta/core"},)~"
    R"~({"$ref":"meta/applicator"},{"$ref":"meta/unevaluated"},{"$ref":"meta/validation"},{"$ref":"meta/meta-data"},)~"
    R"~({"$ref":"meta/format-annotation"},{"$ref":"meta/content"}],"type":["object","boolean"],)~"
    R"~("$comment":"This meta-schema also defines keywords that have appeared in previous drafts in order to prevent incompatible extensions as they remain in common use.",)~"
    R"~("properties":{"definitions":{"$comment":"\"definitions\" has been replaced by \"$defs\".","type":"object",)~"
    R"~("additionalProperties":{"$dynamicRef":"#meta"},"deprecated":true,"default":{}},)~"
    R"~("dependencies":{"$comment":"\"dependencies\" has been split and replaced by \"dependentSchemas\" and \"dependentRequired\" in order to serve their differing semantics.",)~"
    R"~("type":"object","additionalProperties":{"anyOf":[{"$dynamicRef":"#meta"},)~"
    R"~({"$ref":"meta/validation#/$defs/stringArray"}]},"deprecated":true,"default":{}},)~"
    R"~("$recursiveAnchor":{"$comment":"\"$recursiveAnchor\" has been replaced by \"$dynamicAnchor\".",)~"
    R"~("$ref":"meta/core#/$defs/anchorString","deprecated":true},)~"
    R"~("$recursiveRef":{"$comment":"\"$recursiveRef\" has been replaced by \"$dynamicRef\".",)~"
    R"~("$ref":"meta/core#/$defs/uriReferenceString","deprecated":true}}})~";

constexpr Metaschema kMetaschemas[] = {
    {"http://json-schema.org/draft-04/schema", kText0},
    {"http://json-schema.org/draft-06/schema", kText1},
    {"http://json-schema.org/draft-07/schema", kText2},
    {"https://json-schema.org/draft/2019-09/meta/core", kText3},
    {"https://json-schema.org/draft/2019-09/meta/applicator", kText4},
    {"https://json-schema.org/draft/2019-09/meta/validation", kText5},
    {"https://json-schema.org/draft/2019-09/meta/meta-data", kText6},
    {"https://json-schema.org/draft/2019-09/meta/format", kText7},
    {"https://json-schema.org/draft/2019-09/meta/content", kText8},
    {"https://json-schema.org/draft/2019-09/schema", kText9},
    {"https://json-schema.org/draft/2020-12/meta/core", kText10},
    {"https://json-schema.org/draft/2020-12/meta/applicator", kText11},
    {"https://json-schema.org/draft/2020-12/meta/unevaluated", kText12},
    {"https://json-schema.org/draft/2020-12/meta/validation", kText13},
    {"https://json-schema.org/draft/2020-12/meta/meta-data", kText14},
    {"https://json-schema.org/draft/2020-12/meta/format-annotation", kText15},
    {"https://json-schema.org/draft/2020-12/meta/content", kText16},
    {"https://json-schema.org/draft/2020-12/schema", kText17},
};

}  // namespace

std::span<const Metaschema> metaschemas() { return kMetaschemas; }

}  // namespace weft::contracts
