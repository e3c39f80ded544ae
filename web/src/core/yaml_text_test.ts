import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ExactNumber } from './json_text';
import { toYaml } from './yaml_text';

describe('toYaml', () => {
  it('looks like a document that a person would write', () => {
    const document = {
      apiVersion: 'weft/v1',
      kind: 'Stream',
      metadata: { name: 'orders.order.created.v1', labels: {} },
      spec: { partitions: 3, retention: '7d', tags: ['a', 'b'], filters: [{ type: 'x', not: null }] },
    };
    expect(toYaml(document)).toEqual([
      'apiVersion: weft/v1',
      'kind: Stream',
      'metadata:',
      '  name: orders.order.created.v1',
      '  labels: {}',
      'spec:',
      '  partitions: 3',
      '  retention: 7d',
      '  tags:',
      '  - a',
      '  - b',
      '  filters:',
      '  - type: x',
      '    not: null',
    ]);
  });

  it('is read back as the same value by a YAML reader', () => {
    const awkward = {
      words: [
        'null',
        'true',
        'No',
        '~',
        '',
        ' leading',
        'trailing ',
        '- dash',
        'a: b',
        'a #b',
        'a#b',
        "it's",
        '"q"',
      ],
      shapes: ['1', '1.50', '0x1F', '1e3', '.5', '.inf', '2025-03-14', '12:30', '+7', '1_000'],
      marks: ['{', '[x', '*alias', '&anchor', '!tag', '| bar', '> fold', '%x', '@y', '`z', '?', ':', ','],
      'odd: name': { true: 1, '': 2, '- x': 3 },
      text: 'line one\n  indented\n\nlast\n',
      noEnd: 'one\ntwo',
      manyEnds: 'one\n\n\n',
      tab: 'a\tb\nc',
      blankFirst: '\n x',
      trailing: 'a \nb',
      nested: [[1, [2, 3]], [], {}, [{ a: [{ b: 'c' }] }]],
      unicode: 'Zoë Šimek 😀',
      numbers: [0, -1.5, 1e21],
    };
    expect(parse(toYaml(awkward).join('\n'))).toEqual(awkward);
  });

  it('prints exact numbers as they were written', () => {
    expect(toYaml({ total: new ExactNumber('123456789012345678.12') })).toEqual([
      'total: 123456789012345678.12',
    ]);
  });

  it('prints a bare scalar', () => {
    expect(toYaml(null)).toEqual(['null']);
    expect(toYaml({})).toEqual(['{}']);
  });
});
