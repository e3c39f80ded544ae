import { describe, expect, it } from 'vitest';
import { ExactNumber, exactJson, parseExact, prettyJson, prettyJsonText } from './json_text';

describe('prettyJson', () => {
  it('keeps every digit of every number', () => {
    const text =
      '{"a":123456789012345678.12,"b":9007199254740993,"c":19.90,"d":-1E+400,"long":"this name makes the line too long"}';
    const pretty = prettyJsonText(text);
    for (const lexeme of ['123456789012345678.12', '9007199254740993', '19.90', '-1E+400']) {
      expect(pretty).toContain(lexeme);
    }
  });

  it('puts what is short on one line and the rest on lines of its own', () => {
    const text =
      '{"id":"A-1","tags":[1,2,3],"empty":{},"none":[],"lines":[{"sku":"x","price":1.50},{"sku":"y","price":2}]}';
    expect(prettyJsonText(text)).toBe(
      [
        '{',
        '  "id": "A-1",',
        '  "tags": [1, 2, 3],',
        '  "empty": {},',
        '  "none": [],',
        '  "lines": [',
        '    { "sku": "x", "price": 1.50 },',
        '    { "sku": "y", "price": 2 }',
        '  ]',
        '}',
      ].join('\n'),
    );
  });

  it('leaves escapes, marks inside strings and surrogates as they were', () => {
    const text = '["\\u00e9 {,:[\\" \\\\", "😀", ""]';
    expect(prettyJsonText(text)).toBe('["\\u00e9 {,:[\\" \\\\", "😀", ""]');
  });

  it('tells names from strings', () => {
    const kinds = prettyJson('{"name":"value"}')!
      .flat()
      .filter((token) => token.text.includes('"'))
      .map((token) => token.kind);
    expect(kinds).toEqual(['name', 'string']);
  });

  it('reads its own output', () => {
    const value = { a: [1, [2, { b: null }]], 'c d': { e: true, f: 'x'.repeat(80) } };
    expect(JSON.parse(prettyJsonText(JSON.stringify(value)))).toEqual(value);
  });

  it('gives up on what is not JSON', () => {
    for (const text of ['', '{', 'hello', '{"a":01}', '[1,]']) {
      expect(prettyJson(text), text).toBeUndefined();
      expect(prettyJsonText(text)).toBe(text);
    }
  });

  it('is not slow on a document of a megabyte', () => {
    const text = JSON.stringify(
      Array.from({ length: 20_000 }, (_, id) => ({ id, name: `line ${id}`, ok: true })),
    );
    const began = process.cpuUsage();
    expect(prettyJson(text)!.length).toBe(20_002);
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(2000);
  });
});

describe('exact numbers', () => {
  it('print as they were written', () => {
    const value = { total: new ExactNumber('123456789012345678.12'), text: '\u0000 is not a number' };
    expect(JSON.parse(exactJson(value)).text).toBe(value.text);
    expect(exactJson(value)).toContain('123456789012345678.12');
  });

  it('leave plain values alone', () => {
    expect(parseExact('{"a":[1,"2",null,true]}')).toEqual({ a: [1, '2', null, true] });
  });
});
